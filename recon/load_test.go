package recon_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/recon"
)

func saved() *recon.Reconstruction {
	r := &recon.Reconstruction{
		Object: &data.Image{Rows: 2, Cols: 3, Pix: []complex64{1, 2i, 3, 4, 5, 6 - 1i}}, Coverage: []float32{0, 1, 2, 3, 4, 5},
		Origin: [2]int64{-7, 4}, X: []float64{1, 2.5}, Y: []float64{3, 4}, N: 2, Modes: 1, Probe: []complex64{1, 1i, 2, 3},
	}
	return r
}

func TestLoadReadsWhatSaveWrites(t *testing.T) {
	plain, full := saved(), saved()
	full.Modes, full.Probe = 2, append(full.Probe, 5, 6, 7, 8i)
	full.XStart, full.YStart, full.Gain, full.Background = []float64{0, 1}, []float64{2, 3}, []float64{0.9, 1.1}, []float32{1, 2, 3, 4}
	for name, r := range map[string]*recon.Reconstruction{"plain": plain, "full": full} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), recon.ReconstructionFile)
			require.NoError(t, r.Save(path))
			got, err := recon.Load(path)
			require.NoError(t, err)
			require.Equal(t, r, got)
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	good := func() map[string]data.Array {
		return map[string]data.Array{
			"object": {Shape: []int{1, 2}, Data: []complex64{1, 2}}, "coverage": {Shape: []int{1, 2}, Data: []float32{1, 2}},
			"origin": {Shape: []int{2}, Data: []int64{0, 0}}, "xcoords": {Shape: []int{1}, Data: []float64{0}},
			"ycoords": {Shape: []int{1}, Data: []float64{0}}, "probe": {Shape: []int{1, 1}, Data: []complex64{1}},
		}
	}
	for _, tc := range []struct {
		key   string
		value data.Array
		want  string
	}{
		{"object", data.Array{Shape: []int{2}, Data: []complex64{1, 2}}, "object: expected a reconstruction"},
		{"coverage", data.Array{Shape: []int{1}, Data: []float32{1}}, "equal shape"},
		{"origin", data.Array{}, "origin: expected in a reconstruction"},
		{"probe", data.Array{Shape: []int{1}, Data: []complex64{1}}, "probe: expected shape"},
		{"gain", data.Array{Shape: []int{3}, Data: []float64{1, 1, 1}}, "equal number"},
		{"xcoords", data.Array{Shape: []int{1}, Data: []string{"a"}}, "xcoords"},
	} {
		t.Run(tc.key, func(t *testing.T) {
			m := good()
			m[tc.key] = tc.value
			var arrays []data.Array
			for k, v := range m {
				if v.Data != nil {
					v.Name = k
					arrays = append(arrays, v)
				}
			}
			path := filepath.Join(t.TempDir(), "r.npz")
			require.NoError(t, data.WriteNPZ(path, arrays...))
			_, err := recon.Load(path)
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, tc.want)
		})
	}
}
