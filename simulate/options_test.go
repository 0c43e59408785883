package simulate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

func TestValidateOptions(t *testing.T) {
	require.NoError(t, Options{}.Validate())
	require.NoError(t, Options{N: maxN, Frames: 3, NPhotons: 10}.Validate())
	setup := &data.Dataset{N: 64, X: []float64{1}, Y: []float64{1}}
	require.NoError(t, Options{Setup: setup}.Validate())
	for want, opt := range map[string]Options{
		"N = 65; pass an even number":      {N: 65},
		"N = 1026; pass an even number":    {N: 1026},
		"N = 14; pass at least 16":         {N: 14},
		"-1 photons":                       {NPhotons: -1},
		"needs a setup with an object":     {Object: File},
		"but the setup has 1 positions":    {Setup: setup, Frames: 2},
		"leave N out or pass 64":           {Setup: setup, N: 32},
		"-3 frames; pass at least 1":       {Frames: -3, N: 64},
		"7 probe modes; pass 1 to 6":       {Probe: ProbeOptions{Modes: 7}},
		"probe diameter 33 px; pass 4 to ": {Probe: ProbeOptions{Diameter: 33}},
	} {
		require.ErrorContains(t, opt.Validate(), want)
	}
	err := Options{N: 65, Frames: -1}.Validate()
	require.ErrorContains(t, err, "N = 65")
	require.ErrorContains(t, err, "-1 frames", "all problems are reported together")
}
