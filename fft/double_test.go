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
	require.Panics(t, func() { NewDouble(2, 2).AddPower(make([]float64, 3), make([]complex128, 4)) })
	require.Panics(t, func() { NewDouble(2, 2).Forward(make([]complex128, 3)) })
}

func TestAddPower(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {6, 8}, {11, 5}, {4, 7}} {
		h, w := s[0], s[1]
		rng := rand.New(rand.NewPCG(uint64(h), uint64(w)))
		field := make([]complex128, h*w)
		for i := range field {
			field[i] = complex(rng.NormFloat64(), rng.NormFloat64())
		}
		got, energy := make([]float64, h*w), 0.0
		for i := range got {
			got[i] = 3 // what is there stays
			energy += real(field[i])*real(field[i]) + imag(field[i])*imag(field[i])
		}
		waves := append([]complex128(nil), field...)
		NewDouble(h, w).AddPower(got, waves)
		sum := 0.0
		for k := range h {
			for l := range w {
				wave := complex128(0)
				for i, z := range field {
					wave += z * cmplx.Rect(1, -2*math.Pi*(float64((k-h/2)*(i/w))/float64(h)+float64((l-w/2)*(i%w))/float64(w)))
				}
				want := real(wave*cmplx.Conj(wave)) / float64(h*w)
				require.InDelta(t, 3+want, got[k*w+l], 1e-12*float64(h*w), "%v at %d, %d", s, k, l)
				sum += got[k*w+l] - 3
			}
		}
		require.InEpsilon(t, energy, sum, 1e-12, "Parseval")
	}
}
