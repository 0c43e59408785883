package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

func TestInspect(t *testing.T) {
	scan, run := trained(t)
	result := resultDir(t)
	ds, err := data.Load(scan, data.LoadOptions{})
	require.NoError(t, err)
	m := arrays(t)
	delete(m, "diffraction")
	setup := filepath.Join(t.TempDir(), "setup.npz")
	writeArrays(t, setup, m)
	for key := range m {
		if key != "probeGuess" {
			delete(m, key)
		}
	}
	probe := filepath.Join(t.TempDir(), "probe.npz")
	writeArrays(t, probe, m)
	for _, tt := range []struct {
		name, path string
		text       []string
		values     map[string]any
	}{
		{
			"dataset", scan,
			[]string{"frames            20 of 64×64, stored as amplitude", "photons a frame", "measured", fmt.Sprintf("brightest pixel %.4g\n", slices.Max(ds.Frames)), "diameter 22", "(D4σ)", "nearest neighbour", "overlap", "known object", "written by        ptycho dev", "notes             frames are read as"},
			map[string]any{"kind": "dataset", "file": scan},
		},
		{"setup", setup, []string{"none: probe, object and positions only", "positions", "known object"}, map[string]any{"frames": "none: probe, object and positions only"}},
		{"probe", probe, []string{"none: probe, object and positions only", "1 mode(s)"}, map[string]any{"kind": "dataset"}},
		{
			"run directory", run,
			[]string{"checkpoint", "best.safetensors", "pinn, N=64, gridsize=1, n_filters_scale=1", "1 epochs", "in epoch 1", "nll 0, mae 0, amp-mse 1"},
			map[string]any{"kind": "checkpoint", "seed": 42.0, "weights": 585244.0, "file": filepath.Join(run, "checkpoints", "best.safetensors")},
		},
		{"checkpoint", filepath.Join(run, "checkpoints", "last.safetensors"), []string{"last.safetensors"}, map[string]any{"kind": "checkpoint"}},
		{"training state", filepath.Join(run, "checkpoints", "state.safetensors"), []string{"adam.m [585244]"}, map[string]any{"kind": "tensors", "format": "ptycho-training-state"}},
		{
			"reconstruction", filepath.Join(result, "reconstruction.npz"),
			[]string{"element [0,0] at row", "covered", "where covered", "patches           20", "64×64, 1 mode(s)", "run.json"},
			map[string]any{"kind": "reconstruction", "patches": 20.0},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := must(t, "inspect", tt.path)
			require.Empty(t, o.stderr)
			for _, want := range tt.text {
				require.Contains(t, o.stdout, want)
			}
			o = must(t, "inspect", "--json", tt.path)
			var got map[string]any
			require.NoError(t, json.Unmarshal([]byte(o.stdout), &got))
			for key, want := range tt.values {
				require.Equal(t, want, got[key], key)
			}
			for key := range got {
				require.NotContains(t, key, " ")
			}
		})
	}
	require.Equal(t, 1, strings.Count(must(t, "inspect", "--swap_xy", scan).stdout, "swap true, scale 1"))
}

func TestInspectRefuses(t *testing.T) {
	result := resultDir(t)
	a, err := data.ReadNPZ(filepath.Join(result, "reconstruction.npz"))
	require.NoError(t, err)
	origin := a["origin"]
	a["origin"] = data.Array{Shape: []int{1}, Data: []int64{1}}
	path := filepath.Join(t.TempDir(), "bad.npz")
	writeArrays(t, path, a)
	requireFailure(t, ptycho("inspect", path), exitFailed, path, "expected object and coverage of equal shape, an origin of two numbers", "[1]")
	a["origin"], a["coverage"] = origin, data.Array{Shape: []int{1}, Data: []string{"no"}}
	writeArrays(t, path, a)
	requireFailure(t, ptycho("inspect", path), exitFailed, path, "coverage")
	delete(a, "origin")
	a["coverage"] = data.Array{Shape: a["object"].Shape, Data: make([]float32, a["object"].Len())}
	writeArrays(t, path, a)
	requireFailure(t, ptycho("inspect", path), exitFailed, path, "origin")
	delete(a, "coverage")
	writeArrays(t, path, a)
	requireFailure(t, ptycho("inspect", path), exitFailed, path, "probeGuess: expected the probe", "found only object")
	requireFailure(t, ptycho("inspect", filepath.Join(t.TempDir(), "absent.npz")), exitFailed, "absent.npz", "give a dataset, a checkpoint")
	requireFailure(t, ptycho("inspect", t.TempDir()), exitFailed, "expected a checkpoint", "found none")
	requireFailure(t, ptycho("inspect"), exitUsage, "<file>")
}
