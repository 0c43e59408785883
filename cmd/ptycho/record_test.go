package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecordOfAResumedRun(t *testing.T) {
	scan, dir := scanFile(t), t.TempDir()
	path := filepath.Join(dir, "run.json")
	starts := func(epochs string) map[string]any {
		must(t, quick(scan, dir, "--resume", "--nepochs", epochs)...)
		return readJSON(t, path)
	}
	first := starts("1")
	require.NotContains(t, first, "earlier_starts")
	second := starts("2")
	third := starts("3")
	earlier := third["earlier_starts"].([]any)
	require.Len(t, earlier, 2)
	for i, rec := range []map[string]any{first, second} {
		for _, key := range []string{"started", "finished", "wall_seconds", "cpu_seconds", "peak_rss_bytes"} {
			require.Equal(t, rec[key], earlier[i].(map[string]any)[key], key)
		}
	}
	require.NotEqual(t, second["started"], third["started"])

	require.NoError(t, os.WriteFile(path, []byte("{"), 0o644))
	require.NotContains(t, starts("4"), "earlier_starts", "a damaged record is no reason to stop")
	must(t, quick(scan, dir)...)
	require.NotContains(t, readJSON(t, path), "earlier_starts", "a new run has none")
}

func TestRecordsOfTwoCommandsInOneDirectory(t *testing.T) {
	scan, dir := scanFile(t), t.TempDir()
	must(t, quick(scan, dir)...)
	training := mustRead(t, filepath.Join(dir, "run.json"))
	for range 2 {
		must(t, "infer", "--model_path", dir, "--test_data", scan, "--output_dir", dir, "--n_images", "4")
		require.Equal(t, string(training), string(mustRead(t, filepath.Join(dir, "run.json"))))
		require.Equal(t, "infer", readJSON(t, filepath.Join(dir, "infer.json"))["command"])
	}
	require.Contains(t, must(t, "inspect", filepath.Join(dir, "reconstruction.npz")).stdout, filepath.Join(dir, "infer.json"))
	must(t, quick(scan, dir, "--resume", "--nepochs", "2")...)
	require.Equal(t, "train", readJSON(t, filepath.Join(dir, "run.json"))["command"])
	require.Equal(t, "infer", readJSON(t, filepath.Join(dir, "infer.json"))["command"])
}

func TestFailedStartsKeepTheRunBefore(t *testing.T) {
	dir, m := t.TempDir(), arrays(t)
	scan, other := filepath.Join(t.TempDir(), "scan.npz"), filepath.Join(t.TempDir(), "other.npz")
	writeArrays(t, scan, m)
	probe := m["probeGuess"].Data.([]complex64)
	for i, v := range probe {
		probe[i] = complex(real(v), -imag(v))
	}
	writeArrays(t, other, m)
	must(t, quick(scan, dir, "--probe_trainable=false")...)
	content := func() map[string]string {
		m := map[string]string{}
		for _, name := range files(t, dir) {
			sum, err := fileSum(filepath.Join(dir, filepath.FromSlash(name)))
			require.NoError(t, err)
			m[name] = sum
		}
		return m
	}
	before := content()

	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"usage", quick(scan, dir, "--nepochs", "0"), exitUsage, "nepochs 0"},
		{"schedule", quick(scan, dir, "--plateau_min_lr", "NaN"), exitUsage, "plateau_min_lr NaN"},
		{"no scan", quick(scan+".absent", dir), exitFailed, "absent"},
		{"nothing to train on", quick(scan, dir, "--val_fraction", "0.99"), exitFailed, "leave none to train on"},
		{"another probe", quick(other, dir, "--probe_trainable=false", "--resume", "--nepochs", "2"), exitFailed, "(data: then "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			requireFailure(t, ptycho(tt.args...), tt.code, tt.want)
			require.Equal(t, before, content())
		})
	}
}
