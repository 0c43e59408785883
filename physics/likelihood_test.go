package physics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/internal/testutil"
	"ptycho/physics"
)

func TestPoissonMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "losses.npz")
	k, mean := f.Float32s("counts"), f.Float("mean_count")
	floor := physics.PoissonFloor(k)
	require.InEpsilon(t, f.Float("poisson.floor"), floor/mean, 1e-6)
	nll := &physics.PoissonNLL{Epsilon: physics.PoissonEpsilon(mean), Norm: mean, Floor: floor}
	lambda := tensor(f.Float32s("poisson.intensity"), 6, 6, 6)
	for _, weight := range []float64{1, 0.25} {
		v, grads := lossOf(nll, weight, []autodiff.Tensor{lambda}, tensor(k, 6, 6, 6))
		require.InEpsilon(t, weight*f.Float("poisson.loss"), v, 1e-6)
		want := f.Float64s("poisson.dintensity")
		for i := range want {
			want[i] *= weight
		}
		testutil.CloseNorm(t, grads[0], want, 1e-6, "∂λ")
	}
}

func TestAmplitudeLossMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "losses.npz")
	k := tensor(f.Float32s("counts"), 6, 6, 6)
	for name, squared := range map[string]bool{"mae": false, "mse": true} {
		for _, norm := range []float64{1, 4} {
			loss := &physics.AmplitudeLoss{Squared: squared, Epsilon: 1e-12, Norm: norm}
			v, grads := lossOf(loss, norm, []autodiff.Tensor{tensor(f.Float32s(name+".intensity"), 6, 6, 6)}, k)
			require.InEpsilon(t, f.Float(name+".loss"), v, 1e-6, name)
			testutil.CloseNorm(t, grads[0], f.Float64s(name+".dintensity"), 1e-6, name)
		}
	}
}

func TestPoissonClosedForm(t *testing.T) {
	f := testutil.Golden(t, "losses.npz")
	k, lambda := f.Float32s("closed.counts"), f.Float32s("closed.intensity")
	want := 0.0
	for i, v := range f.Float64s("closed.full") {
		one := physics.PoissonFloor(k[i:i+1]) + physics.PoissonExcess(lambda[i:i+1], k[i:i+1], 0)
		require.InDelta(t, v, one, 1e-6, "pixel %d", i)
		want += v / 4
	}
	require.InDelta(t, want, physics.PoissonFloor(k)+physics.PoissonExcess(lambda, k, 0), 1e-6)
}

func TestPoissonWithoutCounts(t *testing.T) {
	k := []float32{0, 0}
	require.Zero(t, physics.PoissonFloor(k))
	require.Zero(t, physics.PoissonExcess([]float32{0, 0}, k, 0))
	require.InDelta(t, 2.25, physics.PoissonExcess([]float32{1, 3}, k, 0.25), 1e-12)
	nll := &physics.PoissonNLL{Epsilon: 1e-8, Norm: 2}
	v, grads := lossOf(nll, 1, []autodiff.Tensor{tensor([]float32{0, 3}, 2)}, tensor(k, 2))
	require.InDelta(t, 0.75, v, 1e-7)
	require.Equal(t, []float32{0.25, 0.25}, grads[0])
	// A dark prediction of a bright pixel costs much, but is finite.
	v, grads = lossOf(nll, 1, []autodiff.Tensor{tensor([]float32{0, 1}, 2)}, tensor([]float32{5, 1}, 2))
	require.False(t, math.IsInf(v, 0) || math.IsNaN(v) || math.IsInf(float64(grads[0][0]), 0))
	require.Negative(t, grads[0][0])
}

func TestPoissonExcessIsNotNegative(t *testing.T) {
	for _, size := range []float64{1e-3, 1, 1e3, 1e6, 1e9, 1e12} {
		for i, u := range testutil.Uniform(3, 200) {
			k := float32(size * (0.5 + u))
			require.Zero(t, physics.PoissonExcess([]float32{k}, []float32{k}, 0))
			lambda := math.Nextafter32(k, 2*k)
			for range i {
				lambda = math.Nextafter32(lambda, 2*k)
			}
			got := physics.PoissonExcess([]float32{lambda}, []float32{k}, 0)
			d := (float64(lambda) - float64(k)) / float64(k)
			require.InEpsilon(t, float64(k)*d*d*(0.5-d/3), got, 1e-4, "k = %g, λ = %g", k, lambda)
		}
	}
}

// A frame of 10⁹ photons: the excess is what half a photon's standard deviation in every pixel makes it, not what
// is left of the difference of large numbers.
func TestPoissonExcessAtHighDose(t *testing.T) {
	const pixels = 4096
	k, lambda := make([]float32, pixels), make([]float32, pixels)
	want := 0.0
	for i, u := range testutil.Uniform(1, pixels) {
		v := 1e9 / pixels * (0.5 + u)
		k[i] = float32(v)
		lambda[i] = float32(v + 0.5*math.Sqrt(v)*float64(1-2*(i%2)))
		d := float64(lambda[i]) - float64(k[i])
		want += (d*d/(2*float64(k[i])) - d*d*d/(6*float64(k[i])*float64(k[i]))) / pixels
	}
	require.InEpsilon(t, want, physics.PoissonExcess(lambda, k, 0), 1e-3)
	require.InDelta(t, 0.125, want, 0.01)
}

// Pixels that were not measured have no loss and no gradient, whatever is expected there, but count in the mean.
func TestLikelihoodsIgnoreGaps(t *testing.T) {
	lambda, k := []float32{3, 1e30, 2, 0, 7, 0.5}, []float32{4, -1, 0, -0.5, 5, float32(math.Inf(-1))}
	measured := []int{0, 2, 4}
	var lambdaLeft, left []float32
	for _, i := range measured {
		lambdaLeft, left = append(lambdaLeft, lambda[i]), append(left, k[i])
	}
	require.InEpsilon(t, physics.PoissonFloor(left)/2, physics.PoissonFloor(k), 1e-12)
	require.InEpsilon(t, physics.PoissonExcess(lambdaLeft, left, 0.1)/2, physics.PoissonExcess(lambda, k, 0.1), 1e-12)
	for name, loss := range map[string]autodiff.Loss{
		"poisson": &physics.PoissonNLL{Epsilon: 1e-6, Norm: 3},
		"mae":     &physics.AmplitudeLoss{Epsilon: 1e-6, Norm: 2},
		"mse":     &physics.AmplitudeLoss{Squared: true, Epsilon: 1e-6, Norm: 2},
	} {
		want, wantGrads := lossOf(loss, 1, []autodiff.Tensor{tensor(lambdaLeft, 3)}, tensor(left, 3))
		v, grads := lossOf(loss, 1, []autodiff.Tensor{tensor(lambda, 6)}, tensor(k, 6))
		require.Positive(t, want, name)
		require.InEpsilon(t, want/2, v, 1e-12, name)
		for n, i := range measured {
			require.InEpsilon(t, wantGrads[0][n]/2, grads[0][i], 1e-6, "%s, pixel %d", name, i)
			grads[0][i] = 0
		}
		require.Equal(t, make([]float32, 6), grads[0], name)
	}
}

func TestPoissonEpsilon(t *testing.T) {
	require.InEpsilon(t, 2.001e-5, physics.PoissonEpsilon(20), 1e-3)
	require.Positive(t, physics.PoissonEpsilon(0))
}

func TestLossGradients(t *testing.T) {
	lambda := testutil.Signed(1, 60)
	k := testutil.Signed(2, 60)
	for i := range lambda {
		lambda[i], k[i] = 3+2*lambda[i], float32(math.Round(float64(3+3*k[i])))
	}
	for name, loss := range map[string]autodiff.Loss{
		"poisson": &physics.PoissonNLL{Epsilon: 1e-6, Norm: 3, Floor: 0.2},
		"mse":     &physics.AmplitudeLoss{Squared: true, Epsilon: 1e-6, Norm: 2},
	} {
		in := []autodiff.Tensor{tensor(lambda, 60)}
		_, grads := lossOf(loss, 0.7, in, tensor(k, 60))
		f := func() float64 { v, _ := lossOf(loss, 0.7, in, tensor(k, 60)); return v }
		testutil.GradCheck(t, f, lambda, grads[0], 1e-2, 1e-3, name)
	}
}

// Losses of constants have no gradient to write.
func TestLossesOfConstants(t *testing.T) {
	x := []autodiff.Tensor{tensor([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 1, 2, 2, 2), tensor([]float32{2, 2, 3, 4, 5, 6, 7, 8}, 1, 2, 2, 2)}
	for name, loss := range map[string]autodiff.Loss{
		"poisson": &physics.PoissonNLL{Norm: 1}, "amplitude": &physics.AmplitudeLoss{Norm: 1},
		"tv": &physics.TotalVariation{Images: 1, H: 2, W: 2}, "mean absolute": physics.MeanAbsolute{},
	} {
		v, _ := lossOf(loss, 1, nil, x...)
		require.Positive(t, v, name)
	}
}
