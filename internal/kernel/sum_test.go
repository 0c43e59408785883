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

// withGaps makes some of the counts negative in place: pixels that were not measured. Not the first.
func withGaps(k []float32) []float32 {
	marks := []float32{-1, -1e-42, -3e9, float32(math.Inf(-1))}
	for i := range k {
		if i%5 == 3 {
			k[i] = marks[i/5%len(marks)]
		}
	}
	return k
}

// A countSum is a sum over expected and measured counts, given for one of them in float64.
type countSum struct {
	name string
	sum  func(lambda, k []float32, eps float64) float64
	one  func(l, k float64) float64
}

var countSums = []countSum{
	{"PoissonExcess", PoissonExcess, single},
	{"AmplitudeError", AmplitudeError, amplitudeOf},
}

// amplitudeOf is the squared difference of amplitudes, exact where they are close.
func amplitudeOf(l, k float64) float64 {
	if l == 0 && k == 0 {
		return 0
	}
	d := (l - k) / (math.Sqrt(l) + math.Sqrt(k))
	return d * d
}

func eachCountSum(t *testing.T, f func(t *testing.T, s countSum)) {
	t.Helper()
	implemented(t, func(t *testing.T) {
		for _, s := range countSums {
			t.Run(s.name, func(t *testing.T) { f(t, s) })
		}
	})
}

// TestCountSums compares the sums with their definition, at all doses and for all tails.
func TestCountSums(t *testing.T) {
	eachCountSum(t, func(t *testing.T, s countSum) {
		for _, size := range []float64{1e-3, 1, 100, 1e5, 1e9} {
			for n := range 101 {
				checkCountSum(t, s, n, size)
			}
		}
		checkCountSum(t, s, 2*chunk+21, 100)
	})
}

func checkCountSum(t *testing.T, s countSum, n int, size float64) {
	t.Helper()
	lambda, k := counts(n, size)
	withGaps(k)
	want := 0.0
	for i, v := range lambda {
		if k[i] >= 0 {
			want += s.one(float64(v)+1e-6*size, float64(k[i]))
		}
	}
	got := s.sum(between(lambda, n%16), between(k, 3*n%16), 1e-6*size)
	require.InDelta(t, want, got, 1e-9*want+1e-300, "%d counts of %g", n, size)
	require.Equal(t, got, s.sum(lambda, k, 1e-6*size), "elsewhere in memory")
}

// TestCountSumsIgnoreGaps requires that nothing of what is expected of a pixel that was not measured is seen.
func TestCountSumsIgnoreGaps(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	eachCountSum(t, func(t *testing.T, s countSum) {
		for i := range 40 {
			lambda, k := counts(40, 10)
			k[i] = -1
			want := s.sum(lambda, k, 1e-3)
			for _, l := range []float32{nan, inf, 0, 1e30} {
				lambda[i] = l
				require.Equal(t, want, s.sum(lambda, k, 1e-3), "k[%d] < 0, λ = %g", i, l)
			}
		}
		require.Zero(t, s.sum([]float32{1, 2}, []float32{-1, -2}, 1))
		require.Zero(t, s.sum([]float32{0, 0}, []float32{0, -1}, 0))
		require.InEpsilon(t, 1.5, s.sum([]float32{1}, []float32{float32(math.Copysign(0, -1))}, 0.5), 1e-15)
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

func TestCountSumsSpecials(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	eachCountSum(t, func(t *testing.T, s countSum) {
		for i := range 20 {
			for _, bad := range []float32{nan, inf} {
				lambda, k := counts(20, 10)
				for _, x := range []*float32{&lambda[i], &k[i]} {
					old := *x
					*x = bad
					got := s.sum(lambda, k, 1e-3)
					require.True(t, math.IsNaN(got) || math.IsInf(got, 1), "element %d is %g: %g", i, bad, got)
					*x = old
				}
			}
		}
		// Equal counts have no excess, whatever their size; a count far from its expectation has a large one.
		for _, x := range []float32{1e-30, 1, 3, 1e10, 3e38} {
			require.Zero(t, s.sum([]float32{x}, []float32{x}, 0))
			for _, f := range []float32{1e-7, 0.1, 0.7, 0.8, 1.4, 1.5, 3, 1e6} {
				l := float64(f * x)
				if l == 0 || l > math.MaxFloat32 {
					continue
				}
				require.InEpsilon(t, s.one(l, float64(x)), s.sum([]float32{f * x}, []float32{x}, 0), 1e-9, "λ = %g·%g", f, x)
			}
		}
		for _, close := range []float64{1e-9, 1e-12} {
			const x = 4096
			require.InEpsilon(t, s.one(x+close*x, x), s.sum([]float32{x}, []float32{x}, close*x), 1e-3, "λ̃ = k·(1 + %g)", close)
		}
		require.PanicsWithValue(t, "kernel: "+s.name+" of slices of 3 and 4",
			func() { s.sum(make([]float32, 3), make([]float32, 4), 1) })
	})
}

func TestAbsError(t *testing.T) {
	implemented(t, func(t *testing.T) {
		for _, size := range []float64{1e-3, 1, 1e5, 1e9} {
			for n := range 102 {
				if n == 101 {
					n = 2*chunk + 21
				}
				lambda, k := counts(n, size)
				withGaps(k)
				sumAbs, sumRoot := 0.0, 0.0
				for i, v := range lambda {
					if k[i] >= 0 {
						sumAbs += math.Sqrt(amplitudeOf(float64(v), float64(k[i])))
						sumRoot += math.Sqrt(float64(k[i]))
					}
				}
				gotAbs, gotRoot := AbsError(between(lambda, n%16), between(k, 3*n%16))
				require.InDelta(t, sumAbs, gotAbs, 1e-12*(sumAbs+sumRoot), "%d counts of %g", n, size)
				require.InDelta(t, sumRoot, gotRoot, 1e-12*sumRoot, "%d counts of %g", n, size)
			}
		}
		for i := range 40 {
			lambda, k := counts(40, 10)
			lambda[i] = float32(math.NaN())
			sumAbs, _ := AbsError(lambda, k)
			require.True(t, math.IsNaN(sumAbs), "λ[%d] is not a number", i)
			k[i] = -1
			sumAbs, sumRoot := AbsError(lambda, k)
			require.False(t, math.IsNaN(sumAbs) || math.IsNaN(sumRoot), "k[%d] < 0", i)
		}
		require.PanicsWithValue(t, "kernel: AbsError of slices of 3 and 4",
			func() { AbsError(make([]float32, 3), make([]float32, 4)) })
	})
}

// TestAmplitudeFit compares the sums and the gradient with their definitions, at all doses and for all tails.
func TestAmplitudeFit(t *testing.T) {
	implemented(t, func(t *testing.T) {
		for _, size := range []float64{1e-3, 1, 1e5, 1e9} {
			for n := range 102 {
				if n == 101 {
					n = 2*chunk + 21
				}
				lambda, k := counts(n, size)
				withGaps(k)
				eps := float32(1e-4 * size)
				var square, abs, root float64
				want := make([]float64, n)
				for i, v := range lambda {
					if k[i] >= 0 {
						l, x := float64(v+eps), float64(k[i])
						d := (l - x) / (math.Sqrt(l) + math.Sqrt(x))
						square, abs, root = square+d*d, abs+math.Abs(d), root+math.Sqrt(x)
						want[i] = d / math.Sqrt(l)
					}
				}
				grad := between(garbage(n), n%16)
				gotSquare, gotAbs, gotRoot := AmplitudeFit(grad, between(lambda, 5*n%16), between(k, 3*n%16), eps)
				require.InDelta(t, square, gotSquare, 1e-6*square, "%d counts of %g", n, size)
				require.InDelta(t, abs, gotAbs, 1e-6*abs, "%d counts of %g", n, size)
				require.InDelta(t, root, gotRoot, 1e-6*root, "%d counts of %g", n, size)
				for i, w := range want {
					require.InDelta(t, w, grad[i], 1e-6*math.Abs(w), "count %d of %d of %g", i, n, size)
				}
				untouched(t, grad)
			}
		}
		require.PanicsWithValue(t, "kernel: AmplitudeFit of slices of 3 and 4",
			func() { AmplitudeFit(make([]float32, 3), make([]float32, 3), make([]float32, 4), 1) })
	})
}

// TestAmplitudeFitEverywhere requires the same bits wherever an element lies, and that what is not measured is not seen.
func TestAmplitudeFitEverywhere(t *testing.T) {
	nan := float32(math.NaN())
	implemented(t, func(t *testing.T) {
		lambda, k := counts(67, 10)
		withGaps(k)
		whole := garbage(67)
		square, abs, root := AmplitudeFit(whole, lambda, k, eps32)
		for i := range lambda {
			cutAt := garbage(67)
			AmplitudeFit(cutAt[:i], lambda[:i], k[:i], eps32)
			AmplitudeFit(cutAt[i:], lambda[i:], k[i:], eps32)
			require.Equal(t, bitsOf(whole), bitsOf(cutAt), "cut at %d", i)
			old := lambda[i]
			lambda[i] = nan
			s, a, r := AmplitudeFit(cutAt, lambda, k, eps32)
			if k[i] < 0 {
				require.Equal(t, []float64{square, abs, root}, []float64{s, a, r}, "not measured: %d", i)
				require.Equal(t, bitsOf(whole), bitsOf(cutAt))
			} else {
				require.True(t, math.IsNaN(s) && math.IsNaN(a) && math.IsNaN(float64(cutAt[i])), "λ[%d] is not a number", i)
			}
			lambda[i] = old
		}
		grad := garbage(2)
		square, abs, root = AmplitudeFit(grad, []float32{0, 0}, []float32{4, 0}, 1e-30)
		require.InDeltaSlice(t, []float64{4, 2, 2}, []float64{square, abs, root}, 1e-6, "a dark pixel explains no light")
		require.Equal(t, float32(1), grad[1], "and all of no light")
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
