package fft

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDoubleAgainstDefinition(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {1, 7}, {5, 3}, {8, 8}, {6, 10}} {
		h, w := s[0], s[1]
		rng := rand.New(rand.NewPCG(uint64(h), uint64(w)))
		v := make([]complex128, h*w)
		for i := range v {
			v[i] = complex(rng.NormFloat64(), rng.NormFloat64())
		}
		got := append([]complex128(nil), v...)
		p := NewDouble(h, w)
		p.Forward(got)
		for k := range h {
			for l := range w {
				want := complex128(0)
				for r := range h {
					for c := range w {
						want += v[r*w+c] * cmplx.Rect(1, -2*math.Pi*(float64(k*r)/float64(h)+float64(l*c)/float64(w)))
					}
				}
				want /= complex(math.Sqrt(float64(h*w)), 0)
				require.InDelta(t, 0, cmplx.Abs(want-got[k*w+l]), 1e-12, "%v at %d, %d", s, k, l)
			}
		}
		p.Inverse(got)
		for i := range v {
			require.InDelta(t, 0, cmplx.Abs(v[i]-got[i]), 1e-12)
		}
	}
	require.Panics(t, func() { NewDouble(0, 4) })
	require.Panics(t, func() { NewDouble(2, 2).Forward(make([]complex128, 3)) })
}
