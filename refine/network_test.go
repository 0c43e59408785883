package refine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/recon"
)

func TestNetworkStart(t *testing.T) {
	r := &recon.Reconstruction{
		Object: &data.Image{Rows: 1, Cols: 4, Pix: []complex64{2i, 4i, 6i, 8}}, Coverage: []float32{10, 20, 1.9, 0},
		Origin: [2]int64{3, -4}, Probe: []complex64{1, 2, 3, 4}, Modes: 1, N: 2,
	}
	x, y := []float64{1, 2}, []float64{3, 4}
	s := NetworkStart(r, x, y)
	require.InDeltaSlice(t, []float64{2, 4, 0, 0}, reals(s.Object.Pix), 1e-6, "turned by -90°, and nothing where there is hardly any light")
	require.Equal(t, []any{r.Origin, r.Probe, 1, x, y}, []any{s.Origin, s.Probe, s.Modes, s.X, s.Y})
	require.Equal(t, complex64(2i), r.Object.Pix[0], "the reconstruction stays as it is")

	dark := &recon.Reconstruction{Object: &data.Image{Rows: 1, Cols: 1, Pix: []complex64{0}}, Coverage: []float32{1}}
	require.Equal(t, []complex64{0}, NetworkStart(dark, x, y).Object.Pix)
}

func reals(v []complex64) (r []float64) {
	for _, z := range v {
		r = append(r, float64(real(z)))
	}
	return r
}
