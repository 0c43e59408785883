package recon

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/metrics"
)

// TestScanBox has a canvas of 60×80 pixels whose element [0,0] lies at row 5, column -10.
func TestScanBox(t *testing.T) {
	const rows, cols = 60, 80
	for _, tt := range []struct {
		name     string
		x, y     []float64
		measured func(row, col int) bool // in object pixels
		want     Box
	}{
		{"positions span it", []float64{10.2, 50.9, 30}, []float64{20.7, 30, 44}, func(int, int) bool { return true }, Box{21, 45, 11, 51}},
		{"an edge was not measured", []float64{10, 50}, []float64{20, 44}, func(row, col int) bool { return row < 40 && col >= 13 }, Box{20, 40, 13, 51}},
		{"a corner was not measured", []float64{10, 50}, []float64{20, 44}, func(row, col int) bool { return row >= 23 || col >= 40 }, Box{23, 45, 10, 51}},
		{"hardly anything was measured", []float64{10, 50}, []float64{20, 44}, func(row, col int) bool { return row < 25 }, Box{20, 45, 10, 51}},
		{"a single position", []float64{30.5}, []float64{20.5}, func(int, int) bool { return true }, Box{21, 22, 31, 32}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &Reconstruction{
				Object:   &data.Image{Rows: rows, Cols: cols, Pix: make([]complex64, rows*cols)},
				Coverage: make([]float32, rows*cols), Origin: [2]int64{5, -10}, X: tt.x, Y: tt.y,
			}
			for i := range r.Coverage {
				r.Object.Pix[i] = complex(float32(i), 0)
				if tt.measured(i/cols+5, i%cols-10) {
					r.Coverage[i] = 1
				}
			}
			b, img := r.ScanBox()
			require.Equal(t, tt.want, b)
			require.Equal(t, []int{b.R1 - b.R0, b.C1 - b.C0}, []int{img.Rows, img.Cols})
			require.Equal(t, complex(float64((b.R0-5)*cols+b.C0+10), 0), img.Pix[0])
		})
	}
}

func TestOverlayIsCutToBoth(t *testing.T) {
	const rows, cols = 40, 50
	r := &Reconstruction{Object: &data.Image{Rows: rows, Cols: cols}, Origin: [2]int64{-8, 3}}
	for i := range rows * cols {
		r.Object.Pix = append(r.Object.Pix, complex(float32(i), 1))
	}
	truth := &data.Image{Rows: 30, Cols: 60}
	for i := range truth.Rows * truth.Cols {
		truth.Pix = append(truth.Pix, complex(float32(i), 2))
	}
	rec, want, common, err := r.Overlay(truth, Box{-5, 32, 7, 53})
	require.NoError(t, err)
	require.Equal(t, Box{0, 30, 7, 53}, common)
	for _, m := range []metrics.Image{rec, want} {
		require.Equal(t, []int{30, 46}, []int{m.Rows, m.Cols})
	}
	require.Equal(t, complex(8*cols+4, 1), rec.Pix[0])
	require.Equal(t, complex(7, 2), want.Pix[0])
}

func TestOverlayNeedsCommonPixels(t *testing.T) {
	s := newScene(1)
	r := &Reconstruction{Object: s.object, X: s.x, Y: s.y}
	_, _, _, err := r.Overlay(s.object, Box{R0: 85, R1: 200, C0: 10, C1: 100})
	require.ErrorContains(t, err, "only 5×90 pixels")
	_, _, _, err = r.Overlay(s.object, Box{R0: -50, R1: -20, C0: 10, C1: 100})
	require.ErrorContains(t, err, "only 0×90 pixels")
}

func TestCentreOfABox(t *testing.T) {
	require.Equal(t, Box{R0: 252, R1: 764, C0: -5, C1: 5}, Box{R0: 0, R1: 1017, C0: -5, C1: 6}.Centre(512))
	require.Equal(t, Box{R0: 1, R1: 2001, C0: 3, C1: 4}, Box{R0: 0, R1: 2003, C0: 3, C1: 4}.Centre(5000), "2001 to 2003 have large prime factors")
}
