package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

func TestDoctor(t *testing.T) {
	m := arrays(t)
	delete(m, "objectGuess")
	healthy := filepath.Join(t.TempDir(), "healthy.npz")
	writeArrays(t, healthy, m)
	o := must(t, "doctor", healthy)
	require.Contains(t, o.stdout, "ok       file           12 frames of 64×64 pixels")
	require.Contains(t, o.stdout, "note     orientation    cannot tell: 12 frames are too few")

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
	var report struct {
		Fatal    bool
		Findings []struct{ Name, Severity, Remedy string }
	}
	require.NoError(t, json.Unmarshal([]byte(o.stdout), &report))
	require.True(t, report.Fatal)
	for _, f := range report.Findings {
		require.Equal(t, f.Name == "unit", f.Severity == "fatal", "%v", f)
	}
	must(t, "doctor", metres, "--coord_scale", "1e8")
	requireFailure(t, ptycho("doctor", filepath.Join(t.TempDir(), "none.npz")), exitFailed, "pointless")
}
