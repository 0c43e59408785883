package simulate

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	"ptycho/internal/rng"
)

func TestPoissonMoments(t *testing.T) {
	const n = 100000
	for i, lambda := range []float64{0.01, 0.5, 5, 9.99, 10, 25, 39.9, 40, 100, 1e4, 1e7, 1.01e7, 1e9, 1e12} {
		t.Run(fmt.Sprint(lambda), func(t *testing.T) {
			r := rng.New(11, "test", uint64(i))
			var m1, m2, m3 float64 // of k - λ
			for range n {
				k := poisson(r, lambda)
				require.False(t, k < 0 || k != math.Trunc(k), "not a count: %g", k)
				d := k - lambda
				m1 += d / n
				m2 += d * d / n
				m3 += d * d * d / n
			}
			// Central moments: λ, λ, λ+3λ², λ+25λ²+15λ³ for orders 2, 3, 4, 6. Bounds are 5 σ.
			bound := func(v float64) float64 { return 5 * math.Sqrt(v/n) }
			require.InDelta(t, 0, m1, bound(lambda), "mean")
			require.InDelta(t, lambda, m2, bound(lambda+2*lambda*lambda), "variance")
			require.InDelta(t, lambda, m3, bound(lambda+24*lambda*lambda+15*lambda*lambda*lambda), "third moment")
		})
	}
}

func TestPoissonLaw(t *testing.T) {
	const n = 200000
	for i, lambda := range []float64{0.3, 3, 12, 38, 60} {
		r := rng.New(5, "test", uint64(i))
		count := map[float64]float64{}
		for range n {
			count[poisson(r, lambda)]++
		}
		law := distuv.Poisson{Lambda: lambda}
		var chi2, bins float64
		for k := range 200 {
			if want := n * law.Prob(float64(k)); want > 20 {
				d := count[float64(k)] - want
				chi2 += d * d / want
				bins++
			}
		}
		require.InDelta(t, bins, chi2, 5*math.Sqrt(2*bins), "λ = %g", lambda)
	}
}

func TestPoissonReturnsZero(t *testing.T) {
	r := rng.New(1, "test", 0)
	zeros := 0
	for range 1000000 {
		if poisson(r, 10) == 0 {
			zeros++
		}
	}
	require.InDelta(t, 45.4, zeros, 5*6.7)
	for range 100 {
		require.Zero(t, poisson(r, 0))
	}
}

func TestPoissonPanics(t *testing.T) {
	for _, lambda := range []float64{-1, math.NaN(), math.Inf(1)} {
		require.Panics(t, func() { poisson(rng.New(1, "test", 0), lambda) })
	}
}
