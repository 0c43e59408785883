package simulate

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/internal/rng"
)

// dft returns |F(psi)|², F the unitary transform, by its definition, the direct beam at [n/2, n/2].
func dft(psi []complex128, n int) []float64 {
	dst := make([]float64, n*n)
	for u := range n {
		for v := range n {
			var sum complex128
			for i, p := range psi {
				phase := -2 * math.Pi * float64((u-n/2)*(i/n)+(v-n/2)*(i%n)) / float64(n)
				sum += p * cmplx.Rect(1, phase)
			}
			a := cmplx.Abs(sum) / float64(n)
			dst[u*n+v] = a * a
		}
	}
	return dst
}

func TestFarField(t *testing.T) {
	for _, n := range []int{1, 6, 8, 11} {
		r := rng.New(1, "test", uint64(n))
		psi := make([]complex128, n*n)
		for i := range psi {
			psi[i] = complex(r.NormFloat64(), r.NormFloat64())
		}
		want, e := dft(psi, n), energy(psi)
		got := make([]float64, n*n)
		newFarField(n).add(got, psi)
		var sum float64
		for i := range got {
			require.InDelta(t, want[i], got[i], 1e-12*float64(n*n))
			sum += got[i]
		}
		require.InEpsilon(t, e, sum, 1e-13, "Parseval")
	}
}

func TestFrequency(t *testing.T) {
	require.InDeltaSlice(t, []float64{0, 0.2, -0.2}, []float64{frequency(0, 5), frequency(1, 5), frequency(4, 5)}, 1e-15)
	require.Equal(t, 0.5, math.Abs(frequency(2, 4)))
}
