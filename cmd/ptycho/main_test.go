package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"ptycho/data"
)

// beMain in the environment makes the test binary behave as ptycho itself, for tests that need a process.
const beMain = "PTYCHO_TEST_BE_MAIN"

var update = flag.Bool("update", false, "rewrite testdata/defaults.txt")

// shared is a directory for what several tests read.
var shared string

func TestMain(m *testing.M) {
	if os.Getenv(beMain) != "" {
		main()
		return
	}
	os.Exit(func() int {
		var err error
		if shared, err = os.MkdirTemp("", "ptycho-test"); err != nil {
			panic(err)
		}
		defer os.RemoveAll(shared)
		return m.Run()
	}())
}

// outcome is what one call of the program came to.
type outcome struct {
	code           int
	stdout, stderr string
}

// ptycho runs a command line in this process.
func ptycho(args ...string) outcome {
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), args, &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

// must runs a command line that has to succeed.
func must(t testing.TB, args ...string) outcome {
	o := ptycho(args...)
	require.Zero(t, o.code, "%v\n%s", args, o.stderr)
	return o
}

// once calls f in the first test that needs its file in the shared directory.
func once(name string, f func(path string) outcome) func(t testing.TB) string {
	do := sync.OnceValues(func() (string, outcome) {
		path := filepath.Join(shared, name)
		return path, f(path)
	})
	return func(t testing.TB) string {
		path, o := do()
		require.Zero(t, o.code, o.stderr)
		return path
	}
}

// What most tests start from: a small scan, a network trained on it for an epoch, and the object inferred.
var (
	scanFile = once("scan.npz", func(path string) outcome {
		return ptycho("simulate", "--output_file", path, "--n_images", "20", "--nphotons", "1e5", "--step", "5", "--seed", "7", "--quiet")
	})
	runDir = once("run", func(path string) outcome {
		return ptycho("train", "--train_data_file", filepath.Join(shared, "scan.npz"), "--output_dir", path, "--nepochs", "1", "--n_filters_scale", "1", "--gridsize", "1", "--quiet")
	})
	resultDir = once("result", func(path string) outcome {
		return ptycho("infer", "--model_path", filepath.Join(shared, "run"), "--test_data", filepath.Join(shared, "scan.npz"), "--output_dir", path, "--quiet")
	})
)

// trained returns the files of a finished training.
func trained(t testing.TB) (scan, run string) { return scanFile(t), runDir(t) }

// quick are the flags of a training that is done in a moment.
func quick(scan, dir string, more ...string) []string {
	return append([]string{"train", "--train_data_file", scan, "--output_dir", dir, "--nepochs", "1", "--n_filters_scale", "1", "--n_images", "4", "--gridsize", "1"}, more...)
}

// readJSON reads a JSON file.
func readJSON(t testing.TB, path string) map[string]any {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var v map[string]any
	require.NoError(t, json.Unmarshal(text, &v), path)
	return v
}

// at follows names into nested JSON objects.
func at(t testing.TB, v map[string]any, names ...string) any {
	for _, n := range names[:len(names)-1] {
		require.Contains(t, v, n)
		v = v[n].(map[string]any)
	}
	require.Contains(t, v, names[len(names)-1])
	return v[names[len(names)-1]]
}

// arrays returns a small scan of counts as plain arrays, for tests that spoil some of them.
func arrays(t testing.TB) map[string]data.Array {
	ds, err := data.Load(scanFile(t), data.LoadOptions{})
	require.NoError(t, err)
	n := 12
	ds = ds.Select(data.Subsample(ds.Len(), n, 0))
	m := map[string]data.Array{
		"diffraction": {Shape: []int{n, 64, 64}, Data: slices.Clone([]float32(ds.Frames))},
		"xcoords":     {Shape: []int{n}, Data: slices.Clone(ds.X)},
		"ycoords":     {Shape: []int{n}, Data: slices.Clone(ds.Y)},
		"probeGuess":  {Shape: []int{64, 64}, Data: slices.Clone(ds.Probe)},
		"objectGuess": {Shape: []int{ds.Object.Rows, ds.Object.Cols}, Data: ds.Object.Pix},
	}
	return m
}

// writeArrays writes arrays under their names in m.
func writeArrays(t testing.TB, path string, m map[string]data.Array) {
	var list []data.Array
	for _, name := range slices.Sorted(maps.Keys(m)) {
		a := m[name]
		a.Name = name
		list = append(list, a)
	}
	require.NoError(t, data.WriteNPZ(path, list...))
}

// files lists the files below dir, slash-separated and sorted; none when there is no dir.
func files(t testing.TB, dir string) []string {
	var found []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			found = append(found, filepath.ToSlash(rel))
		}
		return err
	})
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return found
}

func TestVersionAndHelp(t *testing.T) {
	o := must(t, "--version")
	require.Equal(t, outcome{0, "dev\n", ""}, o)
	for _, args := range [][]string{nil, {"--help"}, {"-h"}, {"train", "--help"}, {"infer", "-h"}, {"simulate", "--help"}, {"inspect", "--help"}} {
		o := must(t, args...)
		require.Contains(t, o.stdout, "Usage: ptycho", args)
		require.Empty(t, o.stderr)
		if len(args) == 2 {
			require.Contains(t, o.stdout, "ptycho "+args[0])
		}
	}
	help := must(t, "train", "--help").stdout
	for _, name := range []string{"--train-data-file", "--nepochs", "--gridsize", "--nll-weight", "--[no-]probe-big"} {
		require.Contains(t, help, name)
	}
	require.NotContains(t, help, "--disable-mlflow", "flags for old scripts only are not advertised")
}

// TestDefaults compares all flags with their defaults to a file that people can review.
func TestDefaults(t *testing.T) {
	var c cli
	k, err := kong.New(&c, kong.Vars{"version": version})
	require.NoError(t, err)
	var b strings.Builder
	for _, command := range k.Model.Children {
		var lines []string
		for _, f := range command.Flags {
			value := f.Default
			if f.IsBool() && value == "" && f.Target.Kind().String() == "bool" {
				value = "false"
			}
			lines = append(lines, strings.TrimRight(fmt.Sprintf("%-8s --%-20s %-18s %s", command.Name, strings.ReplaceAll(f.Name, "-", "_"), value, strings.Join(f.Aliases, " ")), " "))
		}
		slices.Sort(lines)
		b.WriteString(strings.Join(lines, "\n") + "\n")
	}
	path := filepath.Join("testdata", "defaults.txt")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String(), "a default changed; if that is meant, run the test with -update")
}

func TestNormalise(t *testing.T) {
	var c cli
	k, err := kong.New(&c, kong.Vars{"version": version})
	require.NoError(t, err)
	for in, want := range map[string]string{
		"train --train_data_file a_b.npz":         "train --train-data-file a_b.npz",
		"train -train_data_file a":                "train --train-data-file a",
		"train --Train-Data_File=x_y=z":           "train --train-data-file=x_y=z",
		"train -n_images 5 -max_epochs 3":         "train --n-images 5 --max-epochs 3",
		"train --object_big False --probe_big":    "train --object-big=false --probe-big",
		"train --probe_big TRUE --resume":         "train --probe-big=true --resume",
		"train --resume --probe_big yes":          "train --resume --probe-big=true",
		"train --no_probe_big":                    "train --no-probe-big",
		"train --n 64 --N=128":                    "train --N 64 --N=128",
		"infer --phase_vmin -1.5 --phase_vmax 2":  "infer --phase-vmin=-1.5 --phase-vmax 2",
		"infer --phase_vmin -1e-3 --save_patches": "infer --phase-vmin=-1e-3 --save-patches",
		"train --nepochs -3":                      "train --nepochs=-3",
		"train --train_data_file --output_dir x":  "train --train-data-file --output-dir x",
		"train --probe_big 0 --resume 1":          "train --probe-big=false --resume=true",
		"train --probe_big off --object_big On":   "train --probe-big=false --object-big=true",
		"train --probe_big=maybe":                 "train --probe-big=maybe",
		"train --torch_loss_mode mae --resume":    "train --loss=mae --resume",
		"train -disable_mlflow --num_workers 4 x": "train x",
		"inspect -- --odd_name":                   "inspect -- --odd_name",
		"inspect -h":                              "inspect -h",
		"inspect - x":                             "inspect - x",
		"inspect --json true.npz":                 "inspect --json true.npz",
		"train --unknown_flag 3":                  "train --unknown-flag 3",
	} {
		out, _, err := normalise(k.Model, strings.Fields(in))
		require.NoError(t, err, in)
		require.Equal(t, want, strings.Join(out, " "), in)
	}
}

// TestSecondSignal interrupts a program that is reading a pipe, where the first signal finds nothing to stop.
func TestSecondSignal(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "config")
	if err := exec.Command("mkfifo", pipe).Run(); err != nil {
		t.Skipf("SKIPPED: no named pipes: %v", err)
	}
	p := start(t, nil, "train", "--config", pipe)
	ended, reading := make(chan error, 1), make(chan *os.File, 1)
	go func() { ended <- p.cmd.Wait() }()
	go func() {
		w, _ := os.OpenFile(pipe, os.O_WRONLY, 0) // waits for the program to open it
		reading <- w
	}()
	select {
	case err := <-ended:
		t.Fatalf("ended by itself: %v %s", err, p.stderr)
	case w := <-reading:
		defer w.Close()
	}
	interrupt := func(wait time.Duration) bool {
		_ = p.cmd.Process.Signal(os.Interrupt) // which fails when it has just ended
		select {
		case <-ended:
			return true
		case <-time.After(wait):
			return false
		}
	}
	require.False(t, interrupt(100*time.Millisecond), "the first signal asks the program to end")
	for range 200 {
		if interrupt(50 * time.Millisecond) {
			require.Equal(t, "signal: interrupt", p.cmd.ProcessState.String())
			return
		}
	}
	t.Fatal("further signals did not kill the program")
}
