package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/bench"
)

func TestBench(t *testing.T) {
	args := []string{"bench", "--mode", "latency", "--N", "64", "--gridsize", "1", "--n_filters_scale", "1", "--seconds", "0.01"}
	text := must(t, args...).stdout
	require.Contains(t, text, "latency N=64 gridsize=1")
	require.Contains(t, text, "patterns/s")
	var r bench.Report
	require.NoError(t, json.Unmarshal([]byte(must(t, append(args, "--json")...).stdout), &r))
	require.Len(t, r.Results, 1)
	require.Equal(t, 64, r.Results[0].N)
	require.Positive(t, r.Results[0].Patterns)
	require.NotEmpty(t, r.Machine.Kernel)
}

func TestBenchRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"--mode", "train", "--batch_size", "0"},
		{"--n_filters_scale", "0"},
		{"--N", "128"},
		{"--mode", "kernels", "--gridsize", "2"},
		{"--workers", "-1"},
		{"--seconds", "nan"},
		{"--mode", "fly"},
	} {
		o := ptycho(append([]string{"bench"}, args...)...)
		require.Equal(t, exitUsage, o.code, "%v: %s", args, o.stderr)
	}
}
