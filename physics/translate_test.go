package physics_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/internal/testutil"
	"ptycho/physics"
)

func TestTranslateMatchesGolden(t *testing.T) {
	const n, rows, cols = 6, 11, 13
	f := testutil.Golden(t, "translate.npz")
	canvas, patch, positions := f.Float32s("canvas"), f.Float32s("patch"), f.Float64s("positions")
	gather, scatter := f.Float64s("gather"), f.Float64s("scatter")
	for i := range len(positions) / 2 {
		y, x := positions[2*i], positions[2*i+1]
		got := testutil.Signed(1, n*n) // must be overwritten
		physics.Gather(got, n, canvas, rows, cols, y, x)
		testutil.Close(t, got, gather[i*n*n:][:n*n], 1e-6, 1e-7, "gather", y, x)
		out := make([]float32, rows*cols)
		physics.Scatter(out, rows, cols, patch, n, y, x)
		testutil.Close(t, out, scatter[i*rows*cols:][:rows*cols], 1e-6, 1e-7, "scatter", y, x)
	}
}

// Increasing x shows content further to the right, increasing y content further down, and whole pixels are exact.
func TestGatherSign(t *testing.T) {
	const rows, cols, n = 9, 12, 4
	canvas := make([]float32, rows*cols)
	canvas[5*cols+8] = 0.1
	for _, tt := range []struct {
		y, x float64
		at   int // row·n + column
	}{{5, 8, 0}, {3, 8, 2 * n}, {5, 7, 1}, {2, 6, 3*n + 2}} {
		got := make([]float32, n*n)
		physics.Gather(got, n, canvas, rows, cols, tt.y, tt.x)
		want := make([]float32, n*n)
		want[tt.at] = 0.1
		require.Equal(t, want, got, "%v", tt)
	}
}

// TestGatherAtTheRim puts the window everywhere around the canvas: what lies outside is zero.
func TestGatherAtTheRim(t *testing.T) {
	const n, rows, cols, fy, fx = 3, 6, 7, 0.25, 0.625
	canvas := testutil.Signed(3, rows*cols)
	at := func(r, c int) float64 {
		if r < 0 || c < 0 || r >= rows || c >= cols {
			return 0
		}
		return float64(canvas[r*cols+c])
	}
	for y := -n - 1; y <= rows; y++ {
		for x := -n - 1; x <= cols; x++ {
			got := make([]float32, n*n)
			physics.Gather(got, n, canvas, rows, cols, float64(y)+fy, float64(x)+fx)
			for i, v := range got {
				r, c := y+i/n, x+i%n
				want := (1-fy)*((1-fx)*at(r, c)+fx*at(r, c+1)) + fy*((1-fx)*at(r+1, c)+fx*at(r+1, c+1))
				require.InDelta(t, want, v, 1e-6, "pixel %d of the window at %d, %d", i, y, x)
			}
		}
	}
}

func TestScatterIsTransposeOfGather(t *testing.T) {
	const n, rows, cols = 7, 10, 15
	canvas, patch := testutil.Signed(3, rows*cols), testutil.Signed(4, n*n)
	for i, u := range testutil.Uniform(5, 40) {
		y, x := 20*u-8, 25*testutil.Uniform(uint64(50+i), 1)[0]-8
		g, s := make([]float32, n*n), make([]float32, rows*cols)
		physics.Gather(g, n, canvas, rows, cols, y, x)
		physics.Scatter(s, rows, cols, patch, n, y, x)
		require.InDelta(t, testutil.Dot(g, patch), testutil.Dot(canvas, s), 1e-5, "at %g, %g", y, x)
	}
}

func TestScatterAdds(t *testing.T) {
	canvas := []float32{1, 2, 3, 4}
	physics.Scatter(canvas, 2, 2, []float32{10}, 1, 1, 0)
	require.Equal(t, []float32{1, 2, 13, 4}, canvas)
}

func TestGatherComplexIsTwoGathers(t *testing.T) {
	const n, rows, cols = 5, 8, 9
	re, im := testutil.Signed(1, rows*cols), testutil.Signed(2, rows*cols)
	z := make([]complex64, rows*cols)
	for i := range z {
		z[i] = complex(re[i], im[i])
	}
	for _, at := range [][2]float64{{1, 2}, {1.25, 2.5}, {-2.75, 6.5}, {20, 0}} {
		gr, gi := testutil.Signed(3, n*n), testutil.Signed(4, n*n)
		physics.GatherComplex(gr, gi, n, z, rows, cols, at[0], at[1])
		want := make([]float32, n*n)
		physics.Gather(want, n, re, rows, cols, at[0], at[1])
		testutil.Close(t, gr, want, 1e-6, 1e-7, "real part")
		physics.Gather(want, n, im, rows, cols, at[0], at[1])
		testutil.Close(t, gi, want, 1e-6, 1e-7, "imaginary part")
	}
}
