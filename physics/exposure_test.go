package physics_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/internal/testutil"
	"ptycho/physics"
)

func expose(_ *autodiff.Params, t *autodiff.Tape, in []autodiff.Value) autodiff.Value {
	return physics.Expose(t, in[0], in[1], in[2])
}

func TestExpose(t *testing.T) {
	in := []autodiff.Tensor{
		tensor([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 2, 2, 2),
		tensor([]float32{2, 0.5}, 2),
		tensor([]float32{0.25, 0, 1, 2}, 2, 2),
	}
	y, grads := testutil.NewOp(t, []float32{1, 0, 0, 1, 2, 0, 0, -1}, in, expose).VJP()
	require.Equal(t, []float32{2.25, 4, 7, 10, 2.75, 3, 4.5, 6}, y)
	require.Equal(t, []float32{2, 0, 0, 2, 1, 0, 0, -0.5}, grads[0])
	require.Equal(t, []float32{5, 2}, grads[1])
	require.Equal(t, []float32{3, 0, 0, 0}, grads[2])
}

func TestExposeGradient(t *testing.T) {
	in := []autodiff.Tensor{signed(1, 3, 5, 4), signed(2, 3), signed(3, 5, 4)}
	testutil.NewOp(t, testutil.Signed(4, 60), in, expose).Check(t, 1e-2, 1e-4, "expose")
	twice := func(p *autodiff.Params, t *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		return autodiff.Add(t, expose(p, t, in), expose(p, t, in))
	}
	testutil.NewOp(t, testutil.Signed(4, 60), in, twice).Check(t, 1e-2, 1e-4, "two exposures")
}

// λ is linear in the intensities and in the gains without background, and in the background without intensities.
func TestExposeAdjoint(t *testing.T) {
	const n, side = 3, 6
	dark, noGain := tensor(make([]float32, side*side), side, side), tensor(make([]float32, n), n)
	intensity, gain, background := signed(1, n, side, side), signed(2, n), signed(3, side, side)
	y := testutil.Signed(4, n*side*side)
	adjoint(t, y, []autodiff.Tensor{intensity, gain, dark}, expose)
	adjoint(t, y, []autodiff.Tensor{gain, intensity, dark}, func(p *autodiff.Params, t *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		return physics.Expose(t, in[1], in[0], in[2])
	})
	adjoint(t, y, []autodiff.Tensor{background, intensity, noGain}, func(p *autodiff.Params, t *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		return physics.Expose(t, in[1], in[2], in[0])
	})
}

// Gains and background that are not refined cost no gradient.
func TestExposeOfConstants(t *testing.T) {
	tape := autodiff.NewTape(autodiff.NewParams(), true)
	intensity, gain := tape.Input(autodiff.Shape{1, 1, 2}, true), tape.Input(autodiff.Shape{1}, false)
	counts := tape.Input(autodiff.Shape{1, 1, 2}, false)
	lambda := physics.Expose(tape, intensity, gain, tape.Input(autodiff.Shape{1, 2}, false))
	tape.AddLoss("loss", 1, physics.MeanAbsolute{}, lambda, counts)
	tape.Compile()
	copy(tape.Data(intensity), []float32{1, 2})
	tape.Data(gain)[0] = 4
	require.InDelta(t, 6, tape.Forward(), 1e-6)
	tape.Backward(1, nil)
	require.Equal(t, []float32{2, 2}, tape.Grad(intensity))
}

func TestExposePanics(t *testing.T) {
	for name, s := range map[string][3]autodiff.Shape{
		"gains":      {{2, 4, 4}, {3}, {4, 4}},
		"background": {{2, 4, 4}, {2}, {4, 5}},
		"axes":       {{2, 16}, {2}, {16}},
	} {
		tape := autodiff.NewTape(autodiff.NewParams(), false)
		require.PanicsWithValue(t, "physics: intensities "+s[0].String()+" with gains "+s[1].String()+" and background "+s[2].String(), func() {
			physics.Expose(tape, tape.Input(s[0], false), tape.Input(s[1], false), tape.Input(s[2], false))
		}, name)
	}
}
