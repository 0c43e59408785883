package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

func TestSequentialSampling(t *testing.T) {
	scan, run := trained(t)
	ds, err := data.Load(scan, data.LoadOptions{})
	require.NoError(t, err)
	for _, tt := range []struct {
		flags []string
		want  []float64
	}{
		{[]string{"--sequential_sampling", "True", "--n_images", "6"}, ds.X[:6]},
		{[]string{"--sequential_sampling", "--n_subsample", "7"}, ds.X[:7]},
		{[]string{"--sequential_sampling"}, ds.X},
		{[]string{"--sequential_sampling", "--n_images", "99"}, ds.X},
	} {
		dir := t.TempDir()
		must(t, append([]string{"infer", "--model_path", run, "--test_data", scan, "--output_dir", dir}, tt.flags...)...)
		a, err := data.ReadNPZ(filepath.Join(dir, "reconstruction.npz"))
		require.NoError(t, err)
		require.Equal(t, tt.want, a["xcoords"].Data, tt.flags)
	}
	dir := t.TempDir()
	o := must(t, quick(scan, dir, "--sequential_sampling", "1", "--n_images", "5")...)
	require.Contains(t, o.stderr, "frames 5 of 20")
}

func TestInferenceOfMoreGroupsThanFrames(t *testing.T) {
	scan, run := trained(t)
	dir := t.TempDir()
	o := must(t, "infer", "--model_path", run, "--test_data", scan, "--output_dir", dir, "--n_images", "512")
	note := "--n_images 512: every group has a first frame of its own and there are 20 frames"
	require.Contains(t, o.stderr, note)
	rec := readJSON(t, filepath.Join(dir, "run.json"))
	require.Contains(t, rec["notes"], note)
	require.Equal(t, 20.0, at(t, rec, "results", "groups"))
}

// TestMirroredPositions trains and infers with flags under which the known object is the truth no more.
func TestMirroredPositions(t *testing.T) {
	scan := scanFile(t)
	const note = "objectGuess is not used: it belongs to the positions before they were flipped or exchanged"
	for _, flag := range []string{"--flip_x", "--flip_y", "--swap_xy"} {
		dir := t.TempDir()
		o := must(t, quick(scan, dir, flag)...)
		require.Contains(t, o.stderr, note)
		o = must(t, "infer", "--model_path", dir, "--test_data", scan, "--output_dir", filepath.Join(dir, "result"), "--n_images", "4", flag, "True")
		require.Contains(t, o.stderr, note)
		require.NotContains(t, files(t, dir), "result/metrics.json")
		require.NotContains(t, must(t, "inspect", scan, flag).stdout, "known object")
		require.Contains(t, must(t, "inspect", scan, flag, "0").stdout, "known object")
	}
	require.Contains(t, must(t, "inspect", scan, "--coord_scale", "3").stdout, "of the scaled positions lie outside of it")
	o := ptycho(quick(scan, filepath.Join(t.TempDir(), "out"), "--flip_x", "--model_type", "supervised")...)
	requireFailure(t, o, exitFailed, "objectGuess")
}
