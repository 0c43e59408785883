package main

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

// TestZerosOfASimulation: a zero that is given is a zero, not the default.
func TestZerosOfASimulation(t *testing.T) {
	simulate := func(flags ...string) *data.Dataset {
		path := filepath.Join(t.TempDir(), "s.npz")
		must(t, append([]string{"simulate", "--output_file", path, "--n_images", "9", "--scan", "raster", "--step", "5", "--quiet"}, flags...)...)
		ds, err := data.Load(path, data.LoadOptions{})
		require.NoError(t, err)
		return ds
	}
	steps := func(ds *data.Dataset) (off float64) {
		for i := range ds.X {
			d := (ds.X[i] - ds.X[0]) / 5
			off = max(off, math.Abs(d-math.Round(d)))
		}
		return off
	}
	usual := simulate()
	require.Greater(t, steps(usual), 0.01)
	require.Less(t, steps(simulate("--jitter", "0")), 1e-9)
	require.Less(t, steps(simulate("--jitter", "-1")), 1e-9)
	// In focus, the probe itself is a disk, and so its far field is much narrower.
	wide := func(ds *data.Dataset) (share float64) {
		m := ds.MeanFrame()
		for i, v := range m {
			if r, c := i/64-32, i%64-32; r*r+c*c > 100 {
				share += v / ds.Dose
			}
		}
		return share
	}
	require.Greater(t, wide(usual), 2*wide(simulate("--defocus", "0")))
}
