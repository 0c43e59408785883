package physics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/internal/testutil"
	"ptycho/physics"
)

func TestMergeMatchesGolden(t *testing.T) {
	const c, n, m = 4, 8, 18
	f := testutil.Golden(t, "merge.npz")
	w := physics.MergeWeights(imagePlanes(f.Complex64s("probe"), 2), n)
	testutil.Close(t, w, f.Float64s("weight"), 1e-5, 0, "weight")

	l := physics.NewLayout(1, c, n, m)
	offsets := f.Float64s("offsets")
	var x, y []float64
	for i := range c {
		x, y = append(x, 100+offsets[2*i]), append(y, 7+offsets[2*i+1])
	}
	l.Set(0, x, y)
	var canvas autodiff.Value
	in := []autodiff.Tensor{tensor(imagePlanes(f.Complex64s("patches"), c), c, 2, n, n)}
	o := testutil.NewOp(t, imagePlanes(f.Complex64s("grad.extracted"), c), in, func(_ *autodiff.Params, tape *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		canvas = physics.Merge(tape, l, w, in[0], physics.Overlap(tape, l, w))
		tape.Keep(canvas)
		return physics.Extract(tape, l, canvas)
	})
	got, grads := o.VJP()
	testutil.CloseNorm(t, o.Tape.Data(canvas), imagePlanes(f.Complex64s("canvas"), 1), 1e-6, "canvas")
	testutil.CloseNorm(t, got, imagePlanes(f.Complex64s("extracted"), c), 1e-6, "extracted")
	testutil.CloseNorm(t, grads[0], imagePlanes(f.Complex64s("grad.patches"), c), 1e-6, "gradient")
	require.Zero(t, o.Tape.Data(canvas)[0], "the corners of the canvas are not covered")
}

// spread is a layout of random positions, different in every group.
func spread(groups, c, n, m int) *physics.Layout {
	l := physics.NewLayout(groups, c, n, m)
	for b := range groups {
		x, y := groupPositions(uint64(b), c, float64(m-n)/2-1)
		l.Set(b, x, y)
	}
	return l
}

// groupPositions returns c positions of which none is further than limit from their mean.
func groupPositions(seed uint64, c int, limit float64) (x, y []float64) {
	for i, u := range testutil.Signed(100+seed, 2*c) {
		if v := float64(u) * limit / 2; i%2 == 0 {
			x = append(x, 50+v)
		} else {
			y = append(y, 20+v)
		}
	}
	return x, y
}

func TestGroupOpsAdjoint(t *testing.T) {
	const groups, c, n, m = 3, 4, 6, 12
	l := spread(groups, c, n, m)
	w := physics.MergeWeights(testutil.Signed(1, 2*n*n), n)
	patches, canvas := signed(2, groups*c, 2, n, n), signed(3, groups, 2, m, m)
	adjoint(t, canvas.Data, []autodiff.Tensor{patches}, func(_ *autodiff.Params, tape *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		return physics.Merge(tape, l, w, in[0], physics.Overlap(tape, l, w))
	})
	adjoint(t, patches.Data, []autodiff.Tensor{canvas}, func(_ *autodiff.Params, tape *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		return physics.Extract(tape, l, in[0])
	})
	adjoint(t, canvas.Data, []autodiff.Tensor{signed(4, groups, 2, n, n)}, func(_ *autodiff.Params, tape *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		return physics.Pad(tape, in[0], m)
	})
}

func TestPad(t *testing.T) {
	in := []autodiff.Tensor{tensor([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 1, 2, 2, 2)}
	y, _ := testutil.NewOp(t, make([]float32, 32), in, func(_ *autodiff.Params, tape *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		return physics.Pad(tape, in[0], 4)
	}).VJP()
	require.Equal(t, []float32{
		0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 5, 6, 0, 0, 7, 8, 0, 0, 0, 0, 0,
	}, y)
}

func TestMergeWeightsHaveAFloor(t *testing.T) {
	w := physics.MergeWeights([]float32{0, 1, 2, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0}, 2)
	require.Equal(t, []float32{6e-6, 6, 4, 6e-6}, w)
}

func TestCanvasSide(t *testing.T) {
	for offset, want := range map[float64]int{0: 66, 0.25: 68, 1: 68, 5: 76, 5.01: 78} {
		require.Equal(t, want, physics.CanvasSide(64, offset))
	}
}

func TestLayoutSet(t *testing.T) {
	l := physics.NewLayout(2, 2, 8, 14)
	l.Set(1, []float64{10, 12.5}, []float64{-3, -4})
	require.Equal(t, []float64{0, 0, 1.75, 4.25}, l.X)
	require.Equal(t, []float64{0, 0, 3.5, 2.5}, l.Y)
}

// correlation returns the Pearson correlation of two images.
func correlation(a, b []float32) float64 {
	ma, mb, n := 0.0, 0.0, float64(len(a))
	for i, v := range a {
		ma, mb = ma+float64(v)/n, mb+float64(b[i])/n
	}
	ab, aa, bb := 0.0, 0.0, 0.0
	for i, v := range a {
		x, y := float64(v)-ma, float64(b[i])-mb
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

// Patches cut from a scene without symmetries, three unequal dots, must merge to the scene; a layout of the wrong
// sign or with swapped axes must not.
func TestMergePutsPatchesInTheirPlaces(t *testing.T) {
	const rows, cols, c, n, m = 60, 90, 4, 16, 32
	scene := make([]float32, rows*cols)
	for _, dot := range [][3]float64{{24, 41, 1}, {33, 37, 0.6}, {31, 50, 0.3}} {
		for i := range scene {
			dy, dx := float64(i/cols)-dot[0], float64(i%cols)-dot[1]
			scene[i] += float32(dot[2] * math.Exp(-(dy*dy+dx*dx)/6))
		}
	}
	x, y := []float64{40, 47, 38, 43}, []float64{30, 27, 25, 34} // mean 42, 29
	field := make([]float32, 2*c*n*n)
	for k := range c {
		physics.Gather(field[2*k*n*n:], n, scene, rows, cols, y[k]-n/2, x[k]-n/2)
	}
	merged := func(l *physics.Layout) (canvas, want []float32) {
		w := physics.MergeWeights(testutil.Signed(1, 2*n*n), n)
		in := []autodiff.Tensor{tensor(field, c, 2, n, n)}
		canvas, _ = testutil.NewOp(t, make([]float32, 2*m*m), in, func(_ *autodiff.Params, tape *autodiff.Tape, in []autodiff.Value) autodiff.Value {
			return physics.Merge(tape, l, w, in[0], physics.Overlap(tape, l, w))
		}).VJP()
		want = make([]float32, m*m)
		physics.Gather(want, m, scene, rows, cols, 29-m/2, 42-m/2)
		return canvas[:m*m], want
	}

	l := physics.NewLayout(1, c, n, m)
	l.Set(0, x, y)
	covered := make([]float32, m*m)
	ones := testutil.Signed(2, n*n)
	for i := range ones {
		ones[i] = 1
	}
	for k := range c {
		physics.Scatter(covered, m, m, ones, n, l.Y[k], l.X[k])
	}
	canvas, want := merged(l)
	for i, v := range covered {
		if v == 0 {
			want[i] = 0
		}
	}
	testutil.Close(t, canvas, want, 1e-5, 1e-7, "merged")
	// centre of mass of the scene's brightest pixel: scene row 24, column 41 is canvas row 11, column 15
	require.InDelta(t, scene[24*cols+41], canvas[11*m+15], 1e-6)

	mirror := func(v []float64) []float64 {
		out := make([]float64, len(v))
		for i := range v {
			out[i] = -v[i]
		}
		return out
	}
	for name, mutant := range map[string][2][]float64{
		"both mirrored": {mirror(x), mirror(y)}, "x mirrored": {mirror(x), y}, "y mirrored": {x, mirror(y)}, "swapped": {y, x},
	} {
		l.Set(0, mutant[0], mutant[1])
		canvas, want = merged(l)
		require.Less(t, correlation(canvas, want), 0.9, name)
	}
	l.Set(0, mirror(x), mirror(y))
	canvas, want = merged(l)
	require.Less(t, correlation(canvas, want), 0.5)
}

func TestGroupPanics(t *testing.T) {
	tape := autodiff.NewTape(autodiff.NewParams(), false)
	input := func(shape ...int) autodiff.Value { return tape.Input(shape, false) }
	l := physics.NewLayout(2, 4, 8, 12)
	w := make([]float32, 64)
	for name, f := range map[string]func(){
		"no groups":          func() { physics.NewLayout(0, 1, 8, 8) },
		"small canvas":       func() { physics.NewLayout(1, 1, 8, 7) },
		"off the canvas":     func() { l.Set(0, []float64{0, 5, 0, 0}, make([]float64, 4)) },
		"not a position":     func() { l.Set(0, make([]float64, 4), []float64{0, math.NaN(), 0, 0}) },
		"merge of 4 patches": func() { physics.Merge(tape, l, w, input(4, 2, 8, 8), input(2, 12, 12)) },
		"extract of 1":       func() { physics.Extract(tape, l, input(1, 2, 12, 12)) },
		"odd padding":        func() { physics.Pad(tape, input(1, 2, 8, 8), 11) },
		"negative padding":   func() { physics.Pad(tape, input(1, 2, 8, 8), 6) },
		"padding planes":     func() { physics.Pad(tape, input(1, 3, 8, 8), 10) },
	} {
		require.Panics(t, f, name)
	}
}
