package simulate

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

func TestUnitScanRaster(t *testing.T) {
	x, y := unitScan(Raster, 90, 0, 1)
	require.Equal(t, []float64{0, 9, 0}, []float64{x[0], x[9], x[10]})
	require.Equal(t, []float64{0, 0, 1}, []float64{y[0], y[9], y[10]})
	require.Equal(t, 1.0, data.MedianStep(x, y))

	jx, jy := unitScan(Raster, 90, 0.25, 1)
	var rms float64
	for j := range x {
		dx, dy := jx[j]-x[j], jy[j]-y[j]
		require.LessOrEqual(t, max(math.Abs(dx), math.Abs(dy)), 0.25)
		rms += (dx*dx + dy*dy) / 180
	}
	require.InDelta(t, 0.25*0.25/3, rms, 0.005, "uniform in ±1/4")
}

func TestUnitScanSpiral(t *testing.T) {
	x, y := unitScan(Spiral, 1000, 0, 1)
	require.InDelta(t, 1, data.MedianStep(x, y), 0.1)
	for _, rho := range []float64{5, 10, 15} {
		inside := 0
		for j := range x {
			if math.Hypot(x[j], y[j]) < rho {
				inside++
			}
		}
		require.InDelta(t, math.Pi*rho*rho, inside, 1, "one frame per unit area")
	}
	for q := range 4 { // isotropic
		count := 0
		for j := range x {
			if (x[j] > 0) == (q%2 == 0) && (y[j] > 0) == (q/2 == 0) {
				count++
			}
		}
		require.InDelta(t, 250, count, 10)
	}
}

func TestUnitScanRandom(t *testing.T) {
	const n = 2500
	x, y := unitScan(Random, n, 0, 1)
	var mx, my float64
	for j := range x {
		require.True(t, x[j] >= 0 && x[j] < 50 && y[j] >= 0 && y[j] < 50)
		mx += x[j] / n
		my += y[j] / n
	}
	require.InDelta(t, 25, mx, 5*50/math.Sqrt(12*n))
	require.InDelta(t, 25, my, 5*50/math.Sqrt(12*n))
	// P(nearest > d) = exp(-πd²), its median is √(ln 2/π).
	require.InDelta(t, math.Sqrt(math.Ln2/math.Pi), data.MedianStep(x, y), 0.03)
	x2, _ := unitScan(Random, n, 0, 2)
	require.NotEqual(t, x, x2)
	require.Panics(t, func() { unitScan("walk", 1, 0, 1) })
}

func TestWindow(t *testing.T) {
	for _, tc := range []struct {
		name string
		x, y float64
		ok   bool
	}{
		{"first pixel", 4, 4, true},
		{"last pixel", 26, 16, true}, // columns 22 … 29, rows 12 … 19
		{"left", 3.99, 10, false},
		{"right", 26.01, 10, false},
		{"above", 10, 3.99, false},
		{"below", 10, 16.01, false},
		{"NaN", math.NaN(), 10, false},
	} {
		err := newWindow(20, 30, 8).check([]float64{9, tc.x, tc.x}, []float64{9, tc.y, tc.y})
		if tc.ok {
			require.NoError(t, err, tc.name)
			continue
		}
		require.ErrorContains(t, err, "2 of 3 frames", tc.name)
		require.ErrorContains(t, err, "frame 1")
		require.ErrorContains(t, err, "[4, 26]")
		require.ErrorContains(t, err, "[4, 16]")
	}
}
