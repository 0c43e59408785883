package metrics

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRegisterGolden(t *testing.T) {
	g, fixed, moving, _ := loadFRC(t)
	require.Len(t, g.Register, 3)
	for _, want := range g.Register {
		dy, dx, err := Register(moving, fixed, want.Precision)
		require.NoError(t, err)
		require.InDelta(t, want.Shift[0], dy, 1e-9, want.Precision)
		require.InDelta(t, want.Shift[1], dx, 1e-9, want.Precision)
	}
}

func TestRegisterFindsTheShift(t *testing.T) {
	for i, tc := range []struct {
		rows, cols int
		dy, dx     float64
		noise      float64
	}{
		{32, 32, 0, 0, 0},
		{32, 32, 0.4, -0.5, 0},
		{33, 46, 7.27, -11.34, 0},
		{46, 33, -15.91, 9.09, 0.3},
		{47, 31, 3.333, 6.667, 0.3},
		{64, 40, -0.05, 0.02, 0.3},
		{40, 64, 0.5, 0.5, 0.3},
	} {
		t.Run(fmt.Sprintf("%dx%d by %g,%g", tc.rows, tc.cols, tc.dy, tc.dx), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, uint64(i)))
			w := newWaves(60, 0.3, rng).onGrid(tc.rows, tc.cols)
			fixed := noisy(w.at(tc.rows, tc.cols, 0, 0), tc.noise, rng)
			moving := noisy(w.at(tc.rows, tc.cols, -tc.dy, -tc.dx), tc.noise, rng).scaled(-0.02 + 0.7i)
			dy, dx, err := Register(moving, fixed, 0.01)
			require.NoError(t, err)
			require.InDelta(t, tc.dy, dy, 0.02)
			require.InDelta(t, tc.dx, dx, 0.02)
		})
	}
}

// TestRegisterTapered moves objects under the edges of the field of view; a bright mean must not hold them back.
func TestRegisterTapered(t *testing.T) {
	for i, size := range [][2]int{{64, 64}, {71, 90}} {
		rng := rand.New(rand.NewPCG(5, uint64(i)))
		w := newWaves(60, 0.25, rng)
		object := func(dy, dx float64) Image { return phaseObject(w.at(size[0], size[1], dy, dx), 0.5) }
		moving, fixed := object(0.6, -1.35), object(0, 0)
		dy, dx, err := Register(moving.Tapered(16), fixed.Tapered(16), 0.005)
		require.NoError(t, err)
		require.InDelta(t, -0.6, dy, 0.02)
		require.InDelta(t, 1.35, dx, 0.02)
	}
}

func TestRegisterPrecision(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	w := newWaves(60, 0.3, rng).onGrid(32, 32)
	fixed, moving := w.at(32, 32, 0, 0), w.at(32, 32, -2.23456, 1.37)
	for _, precision := range []float64{1, 0.25, 0.03, 1e-3, 1e-4} {
		dy, dx, err := Register(moving, fixed, precision)
		require.NoError(t, err)
		require.InDelta(t, 2.23456, dy, precision/2+1e-9)
		require.InDelta(t, -1.37, dx, precision/2+1e-9)
	}
}

func TestRegisterRefuses(t *testing.T) {
	good := newWaves(9, 0.3, rand.New(rand.NewPCG(1, 1))).at(8, 9, 0, 0)
	nan := good.scaled(1)
	nan.Pix[10] = cmplx.NaN()
	for _, tc := range []struct {
		name          string
		moving, fixed Image
		want          string
	}{
		{"size", good, constant(9, 8, 1), "two images of one size, found 8×9 and 9×8"},
		{"NaN", good, nan, "finite values in the fixed image, found (NaN+NaNi) at row 1, column 1"},
		{"zero", constant(8, 9, 0), good, "as the moving image, found zeros only"},
		{"constant", constant(8, 9, 0.1i), good, "structure in the moving image, found a constant"},
		{"constant fixed", good, constant(8, 9, 0.1i), "structure in the fixed image, found a constant"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := Register(tc.moving, tc.fixed, 0.1)
			require.ErrorContains(t, err, tc.want)
			_, _, _, err = Align(tc.moving, tc.fixed, 0)
			require.ErrorContains(t, err, tc.want)
		})
	}
	for _, p := range []float64{0, -1, 1.5, math.NaN()} {
		require.PanicsWithValue(t, fmt.Sprintf("metrics: registration to %g pixels", p), func() { _, _, _ = Register(good, good, p) })
	}
}

func TestShifted(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 9))
	for _, size := range [][2]int{{12, 12}, {9, 14}, {14, 9}, {1, 7}} {
		rows, cols := size[0], size[1]
		m := noisy(constant(rows, cols, 1), 1, rng)
		rolled := constant(rows, cols, 0)
		for i, v := range m.Pix {
			rolled.Pix[(i/cols+2)%rows*cols+(i%cols+cols-3)%cols] = v
		}
		requireImage(t, rolled, m.Shifted(2, -3), 1e-12)
		requireImage(t, m, m.Shifted(0.3, -4.7).Shifted(-0.3, 4.7), 1e-12)
		w := newWaves(20, 0.45, rng).onGrid(rows, cols)
		requireImage(t, w.at(rows, cols, 1.25, -0.6), w.at(rows, cols, 0, 0).Shifted(1.25, -0.6), 1e-12)
	}
	m := constant(3, 3, 1)
	still := m.Shifted(0, 0)
	still.Pix[0] = 5
	require.Equal(t, complex(1, 0), m.Pix[0])
	require.Equal(t, Image{Pix: []complex128{}}, Image{}.Shifted(1, 1))
}
