package physics_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/internal/testutil"
	"ptycho/physics"
)

func TestTotalVariationMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "losses.npz")
	re, im := f.Float32s("tv.re"), f.Float32s("tv.im")
	const pix = 7 * 9
	interleave := func(a, b []float32) []float32 {
		return append(append(append(append([]float32(nil), a[:pix]...), b[:pix]...), a[pix:]...), b[pix:]...)
	}
	loss := &physics.TotalVariation{Images: 2, H: 7, W: 9}
	v, grads := lossOf(loss, 2, []autodiff.Tensor{tensor(interleave(re, im), 2, 2, 7, 9)})
	require.InEpsilon(t, f.Float("tv.loss"), v, 1e-6) // the golden value is a sum, ours a mean over two images
	testutil.CloseNorm(t, grads[0], interleave(f.Float32s("tv.dre"), f.Float32s("tv.dim")), 1e-6)
}

func TestMeanAbsoluteMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "losses.npz")
	total := 0.0
	for _, name := range []string{"amplitude", "phase"} {
		x, target := f.Float32s("realspace."+name), f.Float32s("realspace.target_"+name)
		v, grads := lossOf(physics.MeanAbsolute{}, 1, []autodiff.Tensor{tensor(x, len(x))}, tensor(target, len(x)))
		total += v
		testutil.CloseNorm(t, grads[0], f.Float64s("realspace.d"+name), 1e-6, name)
	}
	require.InEpsilon(t, f.Float("realspace.loss"), total, 1e-6)
}

func TestMeanAbsoluteOfEqualTensors(t *testing.T) {
	v, grads := lossOf(physics.MeanAbsolute{}, 1, []autodiff.Tensor{tensor([]float32{1, 2}, 2)}, tensor([]float32{1, 3}, 2))
	require.Equal(t, 0.5, v)
	require.Equal(t, []float32{0, -0.5}, grads[0])
}
