package main

import (
	"bufio"
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ptycho/model"
	"ptycho/refine"
)

// process is ptycho as a process of its own.
type process struct {
	cmd    *exec.Cmd
	stdout *bufio.Scanner
	stderr *bytes.Buffer
}

// start starts ptycho with additions to the environment. What it prints to standard output can be followed.
func start(t testing.TB, env []string, args ...string) *process {
	p := &process{cmd: exec.Command(os.Args[0], args...), stderr: &bytes.Buffer{}}
	p.cmd.Env = append(append(os.Environ(), beMain+"=1"), env...)
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.stdout = bufio.NewScanner(out)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// await reads lines of standard output until one contains text.
func (p *process) await(text string) bool {
	for p.stdout.Scan() {
		if strings.Contains(p.stdout.Text(), text) {
			return true
		}
	}
	return false
}

func TestInterruptedTraining(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGINT")
	}
	scan := scanFile(t)
	dir, whole := t.TempDir(), t.TempDir()
	args := func(dir, epochs string, more ...string) []string {
		return append(quick(scan, dir, "--n_images", "16", "--batch_size", "2", "--patience", "0", "--scheduler", "constant", "--nepochs", epochs), more...)
	}
	p := start(t, nil, args(dir, "500", "--log_format", "json")...)
	require.True(t, p.await(`"epoch":2,`), "%s", p.stderr)
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	for p.stdout.Scan() {
	}
	require.Error(t, p.cmd.Wait())
	require.Equal(t, exitInterrupted, p.cmd.ProcessState.ExitCode(), "%s", p.stderr)
	last := filepath.Join(dir, "checkpoints", "last.safetensors")
	for _, want := range []string{"ptycho: training was interrupted; go on with --resume", last} {
		require.Contains(t, p.stderr.String(), want)
	}
	require.Equal(t, []string{"checkpoints/best.safetensors", "checkpoints/last.safetensors", "checkpoints/state.safetensors", "history.csv", "run.json"}, files(t, dir))
	_, meta, err := model.Load(last)
	require.NoError(t, err)
	require.NotEqual(t, "0", meta["steps"])
	must(t, "infer", "--model_path", last, "--test_data", scan, "--output_dir", t.TempDir())
	require.Nil(t, readJSON(t, filepath.Join(dir, "run.json"))["finished"])

	passed, err := strconv.Atoi(meta["epochs"])
	require.NoError(t, err)
	epochs := strconv.Itoa(passed + 2)
	o := must(t, args(dir, epochs, "--resume")...)
	require.Contains(t, o.stderr, "resuming ")
	earlier := readJSON(t, filepath.Join(dir, "run.json"))["earlier_starts"].([]any)
	require.Len(t, earlier, 1)
	require.Nil(t, earlier[0].(map[string]any)["finished"])
	require.Positive(t, earlier[0].(map[string]any)["wall_seconds"])
	must(t, args(whole, epochs)...)
	for _, name := range []string{"best", "last"} {
		name = filepath.Join("checkpoints", name+".safetensors")
		require.True(t, bytes.Equal(mustRead(t, filepath.Join(whole, name)), mustRead(t, filepath.Join(dir, name))), name)
	}
}

// TestTwoTrainingsInOneDirectory kills the first, which leaves its lock file.
func TestTwoTrainingsInOneDirectory(t *testing.T) {
	scan, dir := scanFile(t), t.TempDir()
	args := func(epochs string) []string { return quick(scan, dir, "--patience", "0", "--nepochs", epochs) }
	p := start(t, nil, append(args("500"), "--log_format", "json")...)
	require.True(t, p.await(`"epoch":1,`), "%s", p.stderr)
	for _, more := range [][]string{nil, {"--resume"}} {
		o := ptycho(append(args("500"), more...)...)
		requireFailure(t, o, exitFailed, dir+": another process is training in this run directory", "choose another --output_dir")
	}
	require.True(t, p.await(`"epoch":`), "the first goes on: %s", p.stderr)
	require.NoError(t, p.cmd.Process.Kill())
	for p.stdout.Scan() {
	}
	require.Error(t, p.cmd.Wait())
	o := must(t, append(args("1"), "--resume")...)
	require.Contains(t, o.stderr, "resuming after epoch ")
	must(t, args("1")...)
	require.Equal(t, []string{"checkpoints/best.safetensors", "checkpoints/last.safetensors", "checkpoints/state.safetensors", "history.csv", "run.json"}, files(t, dir))
}

func TestInterruptedInferenceAndSimulation(t *testing.T) {
	scan, runDir := trained(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	for _, args := range [][]string{
		{"infer", "--model_path", runDir, "--test_data", scan, "--output_dir", dir},
		{"simulate", "--output_file", filepath.Join(dir, "s.npz"), "--n_images", "9"},
	} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, exitInterrupted, run(ctx, args, &stdout, &stderr))
		require.Contains(t, stderr.String(), "ptycho: interrupted; nothing was written\n")
		require.Empty(t, files(t, dir))
	}
}

// canceller ends a context when text is written to it.
type canceller struct {
	bytes.Buffer
	text   string
	cancel context.CancelFunc
}

func (c *canceller) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.text) {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

func TestInterruptedEvaluationKeepsTheRecordOfTheTraining(t *testing.T) {
	scan, dir := scanFile(t), t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var stdout bytes.Buffer
	stderr := &canceller{text: "best epoch", cancel: cancel}
	require.Equal(t, exitInterrupted, run(ctx, quick(scan, dir, "--test_data_file", scan), &stdout, stderr))
	require.Contains(t, stderr.String(), "ptycho: interrupted in the evaluation on "+scan+"; the training is done and its results are in "+dir)
	rec := readJSON(t, filepath.Join(dir, "run.json"))
	require.NotNil(t, rec["finished"])
	require.Equal(t, 1.0, at(t, rec, "results", "best", "epoch"))
	require.NotContains(t, rec["results"], "test")
}

// TestFullDevice writes to a file system of a few hundred kilobytes, mounted where nobody else sees it.
func TestFullDevice(t *testing.T) {
	scan := scanFile(t)
	dir := t.TempDir()
	unshare := []string{"unshare", "-rm"}
	mount := "mount -t tmpfs -o size=400k tmpfs " + dir
	if out, err := exec.Command(unshare[0], append(unshare[1:], "sh", "-c", mount)...).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no small file system to be had: %v %s", err, out)
	}
	for name, args := range map[string][]string{
		"train":    quick(scan, filepath.Join(dir, "run")),
		"simulate": {"simulate", "--output_file", filepath.Join(dir, "s.npz"), "--n_images", "100", "--nphotons", "1e9"},
	} {
		t.Run(name, func(t *testing.T) {
			script := mount + ` && "$@"; code=$?; find ` + dir + ` -type f; exit $code`
			cmd := exec.Command(unshare[0], append(append(unshare[1:], "sh", "-c", script, "sh", os.Args[0]), args...)...)
			cmd.Env = append(os.Environ(), beMain+"=1")
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			require.Error(t, cmd.Run())
			require.Equal(t, exitFailed, cmd.ProcessState.ExitCode(), "%s", &stderr)
			require.Contains(t, stderr.String(), "no space left on device")
			require.Contains(t, stderr.String(), "ptycho: cannot write "+dir)
			left := strings.ReplaceAll(stdout.String(), filepath.Join(dir, "run", "run.json")+"\n", "") // which fits, and says that nothing was finished
			require.Empty(t, left, "what could not be written whole is not there")
		})
	}
}

func TestInterruptedRefinement(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGINT")
	}
	scan, whole := scanFile(t), t.TempDir()
	flags := append([]string{"--iterations", "240", "--verbose", "--log_format", "json"}, everything...)
	must(t, refineFlags(scan, whole, flags...)...)
	resumed := append(slices.Clone(flags), "--resume", "--workers", "1")
	t.Run("SIGINT", func(t *testing.T) {
		dir := t.TempDir()
		p := start(t, nil, refineFlags(scan, dir, flags...)...)
		require.True(t, p.await(`"sweep":3,`), "%s", p.stderr)
		require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
		for p.stdout.Scan() {
		}
		require.Error(t, p.cmd.Wait())
		require.Equal(t, exitInterrupted, p.cmd.ProcessState.ExitCode(), "%s", p.stderr)
		require.Regexp(t, `^ptycho: interrupted after sweep \d+; go on with --resume\n$`, p.stderr.String())
		require.Equal(t, []string{"run.json", refine.StateFile}, files(t, dir))

		for more, want := range map[string]string{
			"--iterations 7":    "options.iterations: then 240, now 7",
			"--seed 4":          "options.seed: then 42, now 4",
			"--momentum 0.5":    "options.momentum: then 0.9, now 0.5",
			"--n_subsample 19":  "data: then 20 frames of 64×64",
			"--probe estimate":  "start: then ",
			"--affine":          "options.affine: then false, now true",
			"--fit_gain=false":  "options.fit_gain: then true, now false",
			"--loss poisson":    "options.loss: then amplitude, now poisson",
			"--batches compact": "options.batches: then sparse, now compact",
		} {
			args := slices.DeleteFunc(slices.Clone(resumed), func(a string) bool {
				return strings.HasPrefix(more, "--fit_gain") && a == "--fit_gain" || strings.HasPrefix(more, "--iterations") && (a == "--iterations" || a == "240")
			})
			o := ptycho(refineFlags(scan, dir, append(args, strings.Fields(more)...)...)...)
			requireFailure(t, o, exitFailed, filepath.Join(dir, refine.StateFile)+": the interrupted refinement had another scan, start or other options", want, "resume it with the same flags, or start anew without --resume")
			require.Equal(t, 1, strings.Count(o.stderr, "start anew"))
		}
		require.Equal(t, []string{"run.json", refine.StateFile}, files(t, dir), "a refinement that is refused leaves nothing")

		o := must(t, refineFlags(scan, dir, resumed...)...)
		require.Regexp(t, `resumed after sweep \d+`, o.stdout)
		requireSameResult(t, whole, dir)
		require.Equal(t, string(mustRead(t, filepath.Join(whole, sweepsFile))), string(mustRead(t, filepath.Join(dir, sweepsFile))))
		require.NotContains(t, files(t, dir), refine.StateFile)
		o = ptycho(refineFlags(scan, dir, resumed...)...)
		requireFailure(t, o, exitFailed, filepath.Join(dir, refine.StateFile)+": expected the state of an interrupted refinement, found none; start anew without --resume")
		requireSameResult(t, whole, dir)
	})
	t.Run("SIGKILL", func(t *testing.T) {
		dir := t.TempDir()
		for kill := range 3 { // one after the other, the last two resumed
			args := flags
			if kill > 0 {
				args = append(slices.Clone(flags), "--resume")
			}
			p := start(t, []string{manyStates + "=1"}, refineFlags(scan, dir, args...)...)
			for range 2 {
				require.True(t, p.await(`"sweep":`), "%s", p.stderr)
			}
			time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
			require.NoError(t, p.cmd.Process.Kill())
			for p.stdout.Scan() {
			}
			require.Error(t, p.cmd.Wait())
		}
		require.Contains(t, files(t, dir), refine.StateFile)
		must(t, refineFlags(scan, dir, resumed...)...)
		requireSameResult(t, whole, dir)
		require.Subset(t, files(t, whole), files(t, dir), "nothing half-written stays")
	})
}

// TestRefinementInterruptedInItsHalves keeps the refinement of the whole scan.
func TestRefinementInterruptedInItsHalves(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGINT")
	}
	scan, whole, dir := grainScan(t, 12, 10, 1e6), t.TempDir(), t.TempDir()
	flags := []string{"--iterations", "80", "--split", "--log_format", "json", "--workers", "1"}
	must(t, refineFlags(scan, whole, flags...)...)
	p := start(t, nil, refineFlags(scan, dir, flags...)...)
	require.True(t, p.await(`"against the known object"`), "%s", p.stderr)
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	for p.stdout.Scan() {
	}
	require.Error(t, p.cmd.Wait())
	require.Equal(t, exitInterrupted, p.cmd.ProcessState.ExitCode(), "%s", p.stderr)
	require.Contains(t, p.stderr.String(), "interrupted after sweep 80; go on with --resume")
	require.Contains(t, files(t, dir), refine.StateFile)
	require.Contains(t, files(t, dir), "reconstruction.npz", "which is there before the halves")
	must(t, refineFlags(scan, dir, append(flags, "--resume")...)...)
	requireSameResult(t, whole, dir)
	require.Equal(t, at(t, readJSON(t, filepath.Join(whole, metricsFile)), "half_sets"), at(t, readJSON(t, filepath.Join(dir, metricsFile)), "half_sets"))
}
