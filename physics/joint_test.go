package physics_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/internal/testutil"
	"ptycho/physics"
)

// A joint is the frames of a scan with everything that can be refined: a tape patches → far field → detector →
// exposure → loss, whose patches are read from the object.
type joint struct {
	n, frames, rows, cols int
	object                []float32 // [2,rows,cols]
	positions             []float64 // y, x of each frame

	tape                                      *autodiff.Tape
	patches, probe, gains, background, lambda autodiff.Value
}

func newJoint(t *testing.T, f *testutil.File, loss autodiff.Loss) *joint {
	s, o := f.Shape("counts"), f.Shape("object")
	j := &joint{
		frames: s[0], n: s[1], rows: o[0], cols: o[1],
		object: imagePlanes(f.Complex64s("object"), 1), positions: f.Float64s("positions"),
		tape: autodiff.NewTape(autodiff.NewParams(), true),
	}
	modes := f.Shape("probe")[0]
	j.patches = j.tape.Input(autodiff.Shape{j.frames, 2, j.n, j.n}, true)
	j.probe = j.tape.Input(autodiff.Shape{modes, 2, j.n, j.n}, true)
	j.gains = j.tape.Input(autodiff.Shape{j.frames}, true)
	j.background = j.tape.Input(autodiff.Shape{j.n, j.n}, true)
	counts := j.tape.Input(s, false)
	waves := physics.FarField(j.tape, plan(t, j.n), j.patches, j.probe)
	j.lambda = physics.Expose(j.tape, physics.Detect(j.tape, waves, modes, f.Float("scale")), j.gains, j.background)
	j.tape.Keep(j.lambda)
	j.tape.AddLoss("loss", 1, loss, j.lambda, counts)
	j.tape.Compile()
	copy(j.tape.Data(j.probe), imagePlanes(f.Complex64s("probe"), modes))
	copy(j.tape.Data(j.gains), f.Float32s("gains"))
	copy(j.tape.Data(j.background), f.Float32s("background"))
	copy(j.tape.Data(counts), f.Float32s("counts"))
	return j
}

// each calls do for the two planes of every patch: plane of the object, element of patches at which it begins, position.
func (j *joint) each(do func(plane []float32, at, frame int, y, x float64)) {
	for i := range j.frames {
		for p := range 2 {
			do(j.object[p*j.rows*j.cols:][:j.rows*j.cols], (2*i+p)*j.n*j.n, i, j.positions[2*i], j.positions[2*i+1])
		}
	}
}

func (j *joint) loss() float64 {
	patches := j.tape.Data(j.patches)
	j.each(func(plane []float32, at, _ int, y, x float64) {
		physics.Gather(patches[at:], j.n, plane, j.rows, j.cols, y, x)
	})
	return j.tape.Forward()
}

// gradients returns those of the object and of the positions, after loss; those of the others are on the tape.
func (j *joint) gradients() (object []float32, positions []float64) {
	j.tape.Backward(1, nil)
	object, positions = make([]float32, len(j.object)), make([]float64, len(j.positions))
	dy, dx := make([]float32, j.n*j.n), make([]float32, j.n*j.n)
	pix := j.rows * j.cols
	j.each(func(plane []float32, at, frame int, y, x float64) {
		g := j.tape.Grad(j.patches)[at:][:j.n*j.n]
		p := at / (j.n * j.n) % 2
		physics.Scatter(object[p*pix:][:pix], j.rows, j.cols, g, j.n, y, x)
		physics.Slope(dy, dx, j.n, plane, j.rows, j.cols, y, x)
		positions[2*frame] += testutil.Dot(dy, g)
		positions[2*frame+1] += testutil.Dot(dx, g)
	})
	return object, positions
}

// jointLosses returns the losses of the golden scene by their name there.
func jointLosses(f *testutil.File) map[string]autodiff.Loss {
	mean := f.Float("mean_count")
	return map[string]autodiff.Loss{
		"poisson": &physics.PoissonNLL{
			Epsilon: physics.PoissonEpsilon(mean), Norm: mean, Floor: physics.PoissonFloor(f.Float32s("counts")),
		},
		"amplitude": &physics.AmplitudeLoss{Squared: true, Epsilon: 1e-6, Norm: 1},
	}
}

// Two probe modes, gains, a background, pixels that were not measured, and a patch that reaches beyond the object.
func TestJointMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "refine.npz")
	require.Contains(t, f.Float32s("counts"), float32(-1))
	for name, loss := range jointLosses(f) {
		j := newJoint(t, f, loss)
		require.InEpsilon(t, f.Float(name+".loss"), j.loss(), 1e-6, name)
		testutil.CloseNorm(t, j.tape.Data(j.lambda), f.Float64s("intensity"), 1e-6, name, "λ")
		object, positions := j.gradients()
		modes := f.Shape("probe")[0]
		testutil.CloseNorm(t, object, imagePlanes(f.Complex64s(name+".dobject"), 1), 1e-5, name, "object")
		testutil.CloseNorm(t, j.tape.Grad(j.probe), imagePlanes(f.Complex64s(name+".dprobe"), modes), 1e-5, name, "probe")
		testutil.Close(t, positions, f.Float64s(name+".dpositions"), 1e-4, 0, name, "positions")
		testutil.Close(t, j.tape.Grad(j.gains), f.Float64s(name+".dgains"), 1e-4, 0, name, "gains")
		testutil.CloseNorm(t, j.tape.Grad(j.background), f.Float64s(name+".dbackground"), 1e-5, name, "background")
	}
}

// The gradient with respect to each unknown is what central differences along a random direction say.
func TestJointGradients(t *testing.T) {
	f := testutil.Golden(t, "refine.npz")
	for name, loss := range jointLosses(f) {
		j := newJoint(t, f, loss)
		for i := range j.positions {
			j.positions[i] += 0.3 // away from whole pixels, where the interpolation has kinks
		}
		j.loss()
		object, positions := j.gradients()
		unknowns := map[string]autodiff.Value{"probe": j.probe, "gains": j.gains, "background": j.background}
		grads := map[string][]float32{} // the next forward pass may use their memory
		for what, v := range unknowns {
			grads[what] = append([]float32(nil), j.tape.Grad(v)...)
		}
		directional(t, j, j.object, object, 1e-3, name+": object")
		directional(t, j, j.positions, positions, 1e-3, name+": positions")
		for what, v := range unknowns {
			directional(t, j, j.tape.Data(v), grads[what], 1e-3, name+": "+what)
		}
	}
}

// directional compares ⟨g, d⟩ with (L(v+h·d) − L(v−h·d))/2h for directions d of uniformly random numbers.
func directional[T float32 | float64](t *testing.T, j *joint, v, g []T, h float64, what string) {
	t.Helper()
	start := append([]T(nil), v...)
	for seed := range uint64(3) {
		d := testutil.Signed(100+seed, len(v))
		size := testutil.Norm(g) * testutil.Norm(d)
		at := func(h float64) float64 {
			for i := range v {
				v[i] = start[i] + T(h)*T(d[i])
			}
			return j.loss()
		}
		slope := (at(h) - at(-h)) / (2 * h)
		copy(v, start)
		require.InDelta(t, testutil.Dot(g, d), slope, 1e-3*size, "%s, direction %d", what, seed)
	}
}
