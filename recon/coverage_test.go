package recon

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

func TestMeasured(t *testing.T) {
	r := &Reconstruction{Coverage: []float32{0, 1e-4, 1.9e-3, 2.1e-3, 2}}
	require.Equal(t, []bool{false, false, false, true, true}, r.Measured())
}

func TestRange(t *testing.T) {
	r := &Reconstruction{
		Object:   &data.Image{Rows: 2, Cols: 2, Pix: []complex64{3 + 4i, 0, 1, 2i}},
		Coverage: []float32{1, 0, 2, 1},
	}
	covered, low, high := r.Range()
	require.Equal(t, []float64{0.75, 1, 5}, []float64{covered, low, high})
}
