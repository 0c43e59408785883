package metrics

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTaper(t *testing.T) {
	a, b := math.Pow(math.Sin(math.Pi/8), 2), math.Pow(math.Sin(3*math.Pi/8), 2)
	across, down := []float64{a, b, 1, 1, 1, b, a}, []float64{a, b, b, a}
	for i, w := range Taper(4, 7, 2) {
		require.InDelta(t, down[i/7]*across[i%7], w, 1e-15)
	}
	for _, w := range Taper(3, 5, 0) {
		require.Equal(t, 1.0, w)
	}
	for _, width := range []int{-1, 3} {
		require.Panics(t, func() { Taper(5, 9, width) })
	}
	require.PanicsWithValue(t, "metrics: taper of 3 pixels for a 5×9 image", func() { Taper(5, 9, 3) })
}

func TestTapered(t *testing.T) {
	requireImage(t, constant(10, 12, 2-1i), constant(10, 12, 2-1i).Tapered(4), 1e-15)
	m := noisy(constant(16, 12, 3i), 1, rand.New(rand.NewPCG(4, 4)))
	requireImage(t, m, m.Tapered(0), 1e-15)
	got, w := m.Tapered(5), Taper(16, 12, 5)
	require.Equal(t, m.Crop(5, 11, 5, 7), got.Crop(5, 11, 5, 7))
	var mean complex128
	var weight float64
	for i, v := range m.Pix {
		mean, weight = mean+v*complex(w[i], 0), weight+w[i]
	}
	mean /= complex(weight, 0)
	require.InDelta(t, 0, cmplx.Abs(sum(got)/complex(16*12, 0)-mean), 1e-12)
	require.InDelta(t, 0, cmplx.Abs(got.Pix[0]-mean), 0.01)
}
