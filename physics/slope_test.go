package physics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/internal/testutil"
	"ptycho/physics"
)

func TestSlope(t *testing.T) {
	canvas := []float32{
		1, 2, 4,
		8, 16, 32,
		64, 128, 256,
	}
	for _, tt := range []struct{ y, x, dy, dx float64 }{
		{0, 0, 7, 1},                       // whole pixels: forward differences
		{1, 1, 112, 16},                    // towards larger positions, not smaller ones
		{0.5, 0.25, 0.75*7 + 0.25*14, 4.5}, // inside a pixel
		{-0.5, 0.5, 1.5, 0.5},              // the row above the canvas is zero
		{2.5, 2, -256, -128},               // so is the one below, and the column to the right
		{-1, 0, 1, 0},                      // it begins to read the first row
		{-2, 0, 0, 0},                      // wholly outside
		{1, 2.75, 224 * 0.25, -32},         // partly outside
	} {
		dy, dx := []float32{5}, []float32{5} // must be overwritten
		physics.Slope(dy, dx, 1, canvas, 3, 3, tt.y, tt.x)
		require.InDelta(t, tt.dy, dy[0], 1e-5, "∂y at %g, %g", tt.y, tt.x)
		require.InDelta(t, tt.dx, dx[0], 1e-5, "∂x at %g, %g", tt.y, tt.x)
	}
}

// Between whole pixels the interpolation is linear in each coordinate, so that differences are exact.
func TestSlopeIsDerivativeOfGather(t *testing.T) {
	const n, rows, cols, h = 7, 10, 15, 1.0 / 64
	canvas := testutil.Signed(1, rows*cols)
	gather := func(y, x float64) []float32 {
		out := make([]float32, n*n)
		physics.Gather(out, n, canvas, rows, cols, y, x)
		return out
	}
	difference := func(a, b []float32) []float64 {
		d := make([]float64, n*n)
		for i := range d {
			d[i] = (float64(a[i]) - float64(b[i])) / (2 * h)
		}
		return d
	}
	for i, u := range testutil.Uniform(2, 30) {
		y, x := math.Floor(20*u)-8+0.375, math.Floor(25*testutil.Uniform(uint64(50+i), 1)[0])-8+0.8125
		dy, dx := make([]float32, n*n), make([]float32, n*n)
		physics.Slope(dy, dx, n, canvas, rows, cols, y, x)
		testutil.Close(t, dy, difference(gather(y+h, x), gather(y-h, x)), 0, 2e-5, "∂y at", y, x)
		testutil.Close(t, dx, difference(gather(y, x+h), gather(y, x-h)), 0, 2e-5, "∂x at", y, x)
	}
}
