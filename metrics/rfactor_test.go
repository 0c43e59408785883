package metrics

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFitGolden(t *testing.T) {
	g, _, _, _ := loadFRC(t)
	f := Fit{Epsilon: g.Fit.Epsilon}
	f.Add(g.Fit.Lam[:25], g.Fit.K[:25])
	f.Add(g.Fit.Lam[25:], g.Fit.K[25:])
	require.Equal(t, g.Fit.Pixels, f.Pixels())
	require.Equal(t, g.Fit.Counts, f.Counts())
	require.InDelta(t, g.Fit.Error, f.Error(), 1e-12)
	require.InDelta(t, g.Fit.R, f.R(), 1e-12)
	require.InDelta(t, g.Fit.Excess, f.PoissonExcess(), 1e-12)

	first, second := Fit{Epsilon: g.Fit.Epsilon}, Fit{Epsilon: g.Fit.Epsilon}
	first.Add(g.Fit.Lam[:25], g.Fit.K[:25])
	second.Add(g.Fit.Lam[25:], g.Fit.K[25:])
	both := first.Plus(second)
	require.Equal(t, f.Pixels(), both.Pixels())
	require.Equal(t, f.Counts(), both.Counts())
	require.InDelta(t, f.Error(), both.Error(), 1e-15)
	require.InDelta(t, f.R(), both.R(), 1e-15)
	require.InDelta(t, f.PoissonExcess(), both.PoissonExcess(), 1e-14)
}

func TestFit(t *testing.T) {
	for _, tc := range []struct {
		name             string
		lambda, k        []float32
		error, r, excess float64
		pixels           int
	}{
		{"none", nil, nil, 0, 0, 0, 0},
		{"not measured", []float32{3, 4}, []float32{-1, -7}, 0, 0, 0, 0},
		{"equal", []float32{4, 0, 9}, []float32{4, 0, -1}, 0, 0, 0, 2},
		{"dark", []float32{2, 0}, []float32{0, 0}, 0, 0, 1, 2},
		{"by hand", []float32{4, 9, 100}, []float32{1, 16, -1}, 2.0 / 17, 2.0 / 5, (4 - 1 - math.Log(4) + 9 - 16 - 16*math.Log(9.0/16)) / 2, 2},
		{"nearly equal", []float32{16777216 + 4096}, []float32{16777216}, math.Pow(math.Sqrt(1+1.0/4096)-1, 2), math.Sqrt(1+1.0/4096) - 1, 0.4999186, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := Fit{Epsilon: 1e-9}
			f.Add(tc.lambda, tc.k)
			require.Equal(t, tc.pixels, f.Pixels())
			require.InDelta(t, tc.error, f.Error(), 1e-15)
			require.InDelta(t, tc.r, f.R(), 1e-15)
			require.InDelta(t, tc.excess, f.PoissonExcess(), 1e-7)
		})
	}
	require.PanicsWithValue(t, "metrics: 1 expected counts and 2 measured ones", func() { new(Fit).Add(make([]float32, 1), make([]float32, 2)) })
	require.PanicsWithValue(t, "metrics: fits with epsilon 0 and 1", func() { Fit{}.Plus(Fit{Epsilon: 1}) })
}
