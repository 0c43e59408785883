package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// counts returns expected and measured counts of up to size, with zeros among the measured.
func counts(n int, size float64) (lambda, k []float32) {
	lambda, k = random(1, n), random(2, n)
	for i := range n {
		noise := float64(k[i])
		l := size * math.Exp(4*float64(lambda[i])-4)
		lambda[i], k[i] = float32(l), float32(math.Round(max(0, l+noise*math.Sqrt(l))))
	}
	return lambda, k
}

// TestPoissonExcess compares the sum with its definition, at all doses and for all tails.
func TestPoissonExcess(t *testing.T) {
	implemented(t, func(t *testing.T) {
		for _, size := range []float64{1e-3, 1, 100, 1e5, 1e9} {
			for n := range 71 {
				lambda, k := counts(n, size)
				want := 0.0
				for i, v := range lambda {
					want += single(float64(v)+1e-6*size, float64(k[i]))
				}
				require.InDelta(t, want, PoissonExcess(between(lambda, n%16), between(k, 3*n%16), 1e-6*size), 1e-9*want+1e-300, "%d counts of %g", n, size)
			}
		}
	})
}

// single is the excess of one count, by a series where λ is close to k.
func single(l, k float64) float64 {
	if k <= 0 {
		return l
	}
	d := (l - k) / k
	if math.Abs(d) > 1e-3 {
		return k * (d - math.Log1p(d))
	}
	return k * d * d * (0.5 - d*(1./3-d*(0.25-d*(0.2-d/6))))
}

func TestPoissonExcessSpecials(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	implemented(t, func(t *testing.T) {
		for i := range 20 {
			lambda, k := counts(20, 10)
			for _, bad := range []float32{nan, inf} {
				old := lambda[i]
				lambda[i] = bad
				got := PoissonExcess(lambda, k, 1e-3)
				require.True(t, math.IsNaN(got) || math.IsInf(got, 1), "λ[%d] = %g: %g", i, bad, got)
				lambda[i] = old
			}
		}
		// Equal counts have no excess, whatever their size; a count far from its expectation has a large one.
		for _, x := range []float32{1e-30, 1, 3, 1e10, 3e38} {
			require.Zero(t, PoissonExcess([]float32{x}, []float32{x}, 0))
			for _, f := range []float32{1e-7, 0.1, 0.7, 0.8, 1.4, 1.5, 3, 1e6} {
				l := float64(f * x)
				if l == 0 || l > math.MaxFloat32 {
					continue
				}
				require.InEpsilon(t, single(l, float64(x)), PoissonExcess([]float32{f * x}, []float32{x}, 0), 1e-9, "λ = %g·%g", f, x)
			}
		}
		require.Panics(t, func() { PoissonExcess(make([]float32, 3), make([]float32, 4), 1) })
	})
}

func TestSumSquares(t *testing.T) {
	implemented(t, func(t *testing.T) {
		for n := range 71 {
			x := random(1, n)
			want := 0.0
			for _, v := range x {
				want += float64(v) * float64(v)
			}
			require.InDelta(t, want, SumSquares(x), 1e-13*want)
			require.Equal(t, SumSquares(x), SumSquares(between(x, n%16)))
		}
		// The squares of these leave the range of float32, and what the many small ones add up to its precision.
		big := make([]float32, 3*chunk+5)
		for i := range big {
			big[i] = 1e-3
		}
		big[chunk] = 1e30
		require.InEpsilon(t, 1e60, SumSquares(big), 1e-6)
		big[chunk] = 100
		require.InEpsilon(t, 1e4+1e-6*float64(len(big)-1), SumSquares(big), 1e-9)
		big[2*chunk+1] = float32(math.NaN())
		require.True(t, math.IsNaN(SumSquares(big)))
	})
}
