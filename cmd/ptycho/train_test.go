package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// More groups than there are frames are as many as there are frames.
func TestTrainOnMoreGroupsThanFrames(t *testing.T) {
	scan := scanFile(t)
	for _, tt := range []struct {
		flags  string
		groups float64 // 0 for a silent one
	}{{"--n_images 20", 0}, {"--n_images 21", 20}, {"--n_images 512 --n_subsample 8", 8}} {
		dir := t.TempDir()
		o := must(t, quick(scan, dir, strings.Fields(tt.flags)...)...)
		if tt.groups == 0 {
			require.NotContains(t, o.stderr, "groups asked for, but every group has its own frame: there are")
			continue
		}
		require.Equal(t, 1, strings.Count(o.stderr, "groups asked for, but every group has its own frame: there are"), o.stderr)
		r := readJSON(t, filepath.Join(dir, "run.json"))
		require.Equal(t, tt.groups, at(t, r, "results", "groups").(float64)+at(t, r, "results", "validation_groups").(float64))
	}
}

// A note says when the groups that validate are not the part that was asked for.
func TestValidationNote(t *testing.T) {
	scan := scanFile(t)
	for _, tt := range []struct{ flags, want string }{
		{"--val_fraction 0.1", "validation takes 5 of 20 groups, more than --val_fraction 0.1"}, // a quarter
		{"--val_fraction 0.1 --batch_size 3", "validation takes 3 of 20 groups"},                // a batch
		{"--val_fraction 0.1 --batch_size 2", ""},
		{"--val_fraction 0.24", ""}, // 4.8 is 5
		{"--val_fraction 0.5", ""},
		{"--val_fraction 0", ""},
		{"--val_fraction 0.1 --n_images 3", "validation takes 1 of 3 groups"},
	} {
		o := must(t, quick(scan, t.TempDir(), append([]string{"--n_images", "20"}, strings.Fields(tt.flags)...)...)...)
		if tt.want == "" {
			require.NotContains(t, o.stderr, "validation takes", tt.flags)
			continue
		}
		require.Contains(t, o.stderr, tt.want, tt.flags)
	}
}

// Weights that nothing multiplies are a mistake.
func TestObjectWeightsWithoutTheirFactor(t *testing.T) {
	scan := scanFile(t)
	for _, flags := range []string{"--tv_weight 0.1", "--realspace_mae_weight 0.1", "--tv_weight 0.1 --realspace_weight 0"} {
		out := filepath.Join(t.TempDir(), "out")
		requireFailure(t, ptycho(quick(scan, out, strings.Fields(flags)...)...), exitUsage, "do nothing without realspace_weight", "set realspace_weight to 1")
		require.NoDirExists(t, out)
	}
	o := must(t, quick(scan, t.TempDir(), "--tv_weight", "0.1", "--realspace_weight", "1")...)
	require.Contains(t, o.stderr, "+ 0.1 tv")
}
