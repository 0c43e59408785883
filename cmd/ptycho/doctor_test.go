package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/doctor"
)

func TestDoctor(t *testing.T) {
	m := arrays(t)
	delete(m, "objectGuess")
	healthy := filepath.Join(t.TempDir(), "healthy.npz")
	writeArrays(t, healthy, m)
	o := must(t, "doctor", healthy)
	require.Contains(t, o.stdout, "ok       file           12 frames of 64×64 pixels")
	require.Contains(t, o.stdout, "note     orientation    cannot tell: 12 frame(s) are too few")

	fixed := filepath.Join(t.TempDir(), "fixed.npz")
	must(t, "doctor", healthy, "--fix", fixed)
	_, err := data.Load(fixed, data.LoadOptions{})
	require.NoError(t, err)
	requireFailure(t, ptycho("doctor", healthy, "--fix", healthy), exitFailed, "is the scan itself")

	coordinates(func(v float64) float64 { return v * 1e-8 })(m)
	metres := filepath.Join(t.TempDir(), "metres.npz")
	writeArrays(t, metres, m)
	o = ptycho("doctor", "--json", metres)
	requireFailure(t, o, exitFailed, "pointless")
	var fatal struct{ Fatal bool }
	require.NoError(t, json.Unmarshal([]byte(o.stdout), &fatal))
	require.True(t, fatal.Fatal)
	var report doctor.Report
	require.NoError(t, json.Unmarshal([]byte(o.stdout), &report))
	for _, f := range report.Findings {
		require.Equal(t, f.Name == "unit", f.Severity == doctor.Fatal, "%v", f)
	}
	must(t, "doctor", metres, "--coord_scale", "1e8")
	o = ptycho("doctor", filepath.Join(t.TempDir(), "none.npz"))
	requireFailure(t, o, exitFailed, "none.npz: expected a readable file")
	require.NotContains(t, o.stderr, "pointless")
	require.Empty(t, o.stdout)

	turned := must(t, "doctor", healthy, "--swap_xy", "--flip_y", "--fix", fixed)
	require.Contains(t, turned.stderr, "positions are stored as --flip_y --swap_xy turned them: load the file without these flags")
}
