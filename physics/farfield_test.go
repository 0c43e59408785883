package physics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/fft"
	"ptycho/internal/testutil"
	"ptycho/physics"
)

// diffract records λ of complex objects (input 0) under a probe (input 1).
func diffract(t testing.TB, n, modes int, scale float64) record {
	p := plan(t, n)
	return func(_ *autodiff.Params, tape *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		return physics.Detect(tape, physics.FarField(tape, p, in[0], in[1]), modes, scale)
	}
}

func TestFarFieldMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "farfield.npz")
	for _, name := range []string{"modes1", "modes2"} {
		s, modes := f.Shape(name+".amplitude"), f.Shape(name + ".probe")[0]
		frames, n := s[0], s[1]
		object := tensor(imagePlanes(f.Complex64s(name+".patches"), frames), frames, 2, n, n)
		probe := tensor(imagePlanes(f.Complex64s(name+".probe"), modes), modes, 2, n, n)
		o := testutil.NewOp(t, f.Float32s(name+".grad.intensity"), []autodiff.Tensor{object, probe}, diffract(t, n, modes, f.Float(name+".scale")))
		y, grads := o.VJP()
		testutil.CloseNorm(t, y, f.Float64s(name+".intensity"), 1e-6, name, "intensity")
		testutil.CloseNorm(t, grads[0], imagePlanes(f.Complex64s(name+".grad.patches"), frames), 1e-6, name, "patches")
		testutil.CloseNorm(t, grads[1], imagePlanes(f.Complex64s(name+".grad.probe"), modes), 1e-6, name, "probe")
	}
}

func TestPolarMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "farfield.npz")
	const name = "modes2"
	s, scale := f.Shape(name+".amplitude"), f.Float(name+".scale")
	frames, n, modes := s[0], s[1], f.Shape(name + ".probe")[0]
	in := []autodiff.Tensor{
		// The network's outputs are channels-last: the frames as channels of one sample.
		tensor(testutil.NHWC(f.Float32s(name+".amplitude"), 1, frames, n, n), 1, n, n, frames),
		tensor(testutil.NHWC(f.Float32s(name+".phase"), 1, frames, n, n), 1, n, n, frames),
		tensor(imagePlanes(f.Complex64s(name+".probe"), modes), modes, 2, n, n),
	}
	var field autodiff.Value
	o := testutil.NewOp(t, f.Float32s(name+".grad.intensity"), in, func(p *autodiff.Params, tape *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		field = physics.Polar(tape, in[0], in[1])
		tape.Keep(field)
		return diffract(t, n, modes, scale)(p, tape, []autodiff.Value{field, in[2]})
	})
	_, grads := o.VJP()
	testutil.CloseNorm(t, o.Tape.Data(field), imagePlanes(f.Complex64s(name+".patches"), frames), 1e-6, "patches")
	testutil.CloseNorm(t, testutil.NCHW(grads[0], 1, n, n, frames), f.Float64s(name+".grad.amplitude"), 1e-6, "amplitude")
	testutil.CloseNorm(t, testutil.NCHW(grads[1], 1, n, n, frames), f.Float64s(name+".grad.phase"), 1e-6, "phase")
}

// The object is a·exp(iφ), not a + iφ.
func TestPolarIsEulersFormula(t *testing.T) {
	in := []autodiff.Tensor{tensor([]float32{2, 3, 0.5}, 1, 1, 3, 1), tensor([]float32{0, math.Pi / 2, -math.Pi}, 1, 1, 3, 1)}
	y, _ := testutil.NewOp(t, make([]float32, 6), in, polar).VJP()
	testutil.Close(t, y, []float64{2, 0, -0.5, 0, 3, 0}, 0, 3e-7)
}

func polar(_ *autodiff.Params, tape *autodiff.Tape, in []autodiff.Value) autodiff.Value {
	return physics.Polar(tape, in[0], in[1])
}

func TestPolarGradient(t *testing.T) {
	in := []autodiff.Tensor{signed(1, 2, 5, 4, 3), signed(2, 2, 5, 4, 3)}
	testutil.NewOp(t, testutil.Signed(3, 2*3*2*20), in, polar).Check(t, 1e-2, 1e-3, "polar")
}

func TestFarFieldAdjoint(t *testing.T) {
	const n, objects, modes = 12, 3, 2
	p := plan(t, n)
	object, probe := signed(1, objects, 2, n, n), signed(2, modes, 2, n, n)
	y := testutil.Signed(3, objects*modes*2*n*n)
	adjoint(t, y, []autodiff.Tensor{object, probe}, func(_ *autodiff.Params, tape *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		return physics.FarField(tape, p, in[0], in[1])
	})
	adjoint(t, y, []autodiff.Tensor{probe, object}, func(_ *autodiff.Params, tape *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		return physics.FarField(tape, p, in[1], in[0])
	})
}

func TestDetectGradient(t *testing.T) {
	in := []autodiff.Tensor{signed(1, 2, 2, 8, 8), signed(2, 2, 2, 8, 8)}
	testutil.NewOp(t, testutil.Signed(3, 2*64), in, diffract(t, 8, 2, 1.5)).Check(t, 1e-2, 2e-3, "detect")
}

// The default probe in front of a uniform and of a textured object, computed independently.
func TestClosedFormFarField(t *testing.T) {
	f := testutil.Golden(t, "closed_form.npz")
	for _, name := range []string{"n64", "n128"} {
		n := f.Shape(name + ".probe")[0]
		probe := defaultProbe(t, f, name, 4, false)
		flat := make([]complex64, n*n)
		for i := range flat {
			flat[i] = 1
		}
		for object, z := range map[string][]complex64{"flat": flat, "textured": f.Complex64s(name + ".object")} {
			in := []autodiff.Tensor{tensor(imagePlanes(z, 1), 1, 2, n, n), tensor(probe.Planes, 1, 2, n, n)}
			y, _ := testutil.NewOp(t, make([]float32, n*n), in, diffract(t, n, 1, 1)).VJP()
			got := make([]float32, n*n)
			fft.Shift(got, y, n, n)
			for i, v := range got {
				got[i] = float32(math.Sqrt(float64(v)))
			}
			testutil.CloseNorm(t, got, f.Float64s(name+"."+object+".amplitude"), 2e-6, name, object)
			if h := n / 2; object == "flat" {
				require.InEpsilon(t, f.Float(name+".flat.centre"), got[h*n+h], 1e-5)
			} else {
				testutil.Close(t, []float32{got[h*n+h], got[h*n+h+1], got[(h+1)*n+h], got[(h+3)*n+h-2]},
					f.Float64s(name + ".textured.samples")[:4], 1e-5, 0, name)
			}
		}
	}
}

// Neither the number of frames at a time nor their order can change a frame.
func TestFarFieldDoesNotMixFrames(t *testing.T) {
	const n, modes, frames = 10, 2, 5
	object, probe := signed(1, frames, 2, n, n), signed(2, modes, 2, n, n)
	all, _ := testutil.NewOp(t, make([]float32, frames*n*n), []autodiff.Tensor{object, probe}, diffract(t, n, modes, 3)).VJP()
	for i := range frames {
		one := tensor(object.Data[i*2*n*n:][:2*n*n], 1, 2, n, n)
		y, _ := testutil.NewOp(t, make([]float32, n*n), []autodiff.Tensor{one, probe}, diffract(t, n, modes, 3)).VJP()
		require.Equal(t, y, all[i*n*n:][:n*n], "frame %d", i)
	}
}

func TestFarFieldPanics(t *testing.T) {
	tape := autodiff.NewTape(autodiff.NewParams(), false)
	input := func(shape ...int) autodiff.Value { return tape.Input(shape, false) }
	p := plan(t, 8)
	// A probe without modes axis, as one for each frame, or of other size: nothing is broadcast.
	require.Panics(t, func() { physics.FarField(tape, p, input(3, 2, 8, 8), input(2, 8, 8)) })
	require.Panics(t, func() { physics.FarField(tape, p, input(3, 2, 8, 8), input(1, 3, 8, 8)) })
	require.Panics(t, func() { physics.FarField(tape, p, input(3, 2, 8, 8), input(1, 2, 4, 4)) })
	require.Panics(t, func() { physics.FarField(tape, p, input(3, 1, 8, 8), input(1, 1, 8, 8)) })
	require.Panics(t, func() { physics.Detect(tape, input(3, 2, 8, 8), 2, 1) })
	require.Panics(t, func() { physics.Detect(tape, input(3, 2, 8, 8), 0, 1) })
	require.Panics(t, func() { physics.Polar(tape, input(1, 8, 8, 1), input(1, 8, 8, 2)) })
	require.Panics(t, func() { physics.Polar(tape, input(8, 8), input(8, 8)) })
}
