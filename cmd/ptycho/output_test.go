package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuietAndVerbose(t *testing.T) {
	scan, run := trained(t)
	for _, args := range [][]string{
		quick(scan, t.TempDir(), "--device", "cuda"),
		{"infer", "--model_path", run, "--test_data", scan, "--output_dir", t.TempDir()},
		{"simulate", "--output_file", t.TempDir() + "/s.npz", "--n_images", "4"},
	} {
		o := must(t, append(args, "--quiet")...)
		require.Empty(t, o.stdout+o.stderr, args)
		o = must(t, args...)
		require.Empty(t, o.stdout, args)
		require.NotEmpty(t, o.stderr, args)
	}
	o := must(t, quick(scan, t.TempDir(), "--verbose")...)
	require.Contains(t, o.stderr, `configuration  config {"model":{"N":64`)
	require.Contains(t, o.stderr, "epoch 1/1  loss ")
	require.Contains(t, o.stderr, "patterns/s ")
	require.Contains(t, o.stderr, "best epoch 1  loss ")
	requireFailure(t, ptycho(quick(scan, t.TempDir(), "--verbose", "--quiet")...), exitUsage, "--quiet and --verbose can't be used together")
	requireFailure(t, ptycho("infer", "--quiet", "--model_path", run, "--test_data", "absent.npz"), exitFailed, "absent.npz")
}

func TestJSONLog(t *testing.T) {
	scan, run := trained(t)
	for name, args := range map[string][]string{
		"train":                    quick(scan, t.TempDir(), "--test_data_file", scan, "--verbose"),
		"train without validation": quick(scan, t.TempDir(), "--val_fraction", "0", "--device", "cuda"),
		"infer":                    {"infer", "--model_path", run, "--test_data", scan, "--output_dir", t.TempDir()},
		"simulate":                 {"simulate", "--output_file", t.TempDir() + "/s.npz", "--n_images", "4"},
	} {
		t.Run(name, func(t *testing.T) {
			o := must(t, append(args, "--log_format", "json")...)
			require.Empty(t, o.stderr)
			lines := strings.Split(strings.TrimSpace(o.stdout), "\n")
			require.Greater(t, len(lines), 2)
			levels, keys := map[any]bool{}, map[string]bool{}
			for _, line := range lines {
				var m map[string]any
				require.NoError(t, json.Unmarshal([]byte(line), &m), line)
				for _, key := range []string{"time", "level", "msg"} {
					require.Contains(t, m, key)
				}
				require.NotContains(t, line, "!ERROR")
				require.NotContains(t, line, "!BADKEY")
				levels[m["level"]] = true
				for k := range m {
					keys[k] = true
				}
			}
			require.True(t, levels["INFO"])
			require.Equal(t, strings.HasPrefix(name, "train"), levels["WARN"], "that of gridsize 1")
			if strings.HasPrefix(name, "train") {
				for _, key := range []string{"epoch", "train_loss", "excess_nll", "learning_rate", "patterns_per_second"} {
					require.True(t, keys[key], key)
				}
				require.Equal(t, name == "train", keys["val_loss"])
			}
		})
	}
}
