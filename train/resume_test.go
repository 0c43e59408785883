package train

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ptycho/ckpt"
	"ptycho/model"
	"ptycho/optim"
)

// childDir in the environment makes the test binary train in that directory, resuming what is there, and say
// after every batch that it is done.
const childDir = "PTYCHO_TEST_TRAIN_IN"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	t, err := tiny(dir, 1)
	if err == nil {
		t.Resume, t.OnBatch = true, func(Progress) { fmt.Println("batch") }
		t.Config.Epochs = 3
		_, err = t.Run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestEqualRunsGiveEqualBytes(t *testing.T) {
	for _, gridsize := range []int{1, 2} {
		want := ""
		for i, workers := range []int{1, 2, 4, 3} {
			if testing.Short() && (gridsize > 1 || i > 1) {
				break
			}
			tr, err := tiny(t.TempDir(), gridsize)
			require.NoError(t, err)
			tr.Config.Workers = workers
			if gridsize == 2 {
				tr.Config.Epochs = 1
			}
			_, err = tr.Run(context.Background())
			require.NoError(t, err)
			if i == 0 {
				want = tr.Dir
				continue
			}
			requireSame(t, want, tr.Dir)
		}
	}
}

func TestRunTwiceWithOneTrainer(t *testing.T) {
	long(t)
	tr, err := tiny(t.TempDir(), 1)
	require.NoError(t, err)
	first := append([]float32(nil), tr.Net.Params.Data...)
	_, err = tr.Run(context.Background())
	require.NoError(t, err)
	want := weights(t, tr.Dir)
	copy(tr.Net.Params.Data, first)
	_, err = tr.Run(context.Background())
	require.NoError(t, err)
	require.True(t, want[StateFile] == weights(t, tr.Dir)[StateFile], "a second run starts anew")
}

func TestInterruptedRunsGoOnWithTheSameBits(t *testing.T) {
	plateau := func(tr *Trainer) {
		tr.Config.Schedule = optim.ScheduleConfig{Name: "plateau", Factor: 0.5}
		tr.Config.LearningRate = 0.02
	}
	want := t.TempDir()
	run(t, want, plateau)
	cases := [][]int{{1, 1, 2, 1}, {3}, {0}, {1}, {2}, {5}}
	if testing.Short() {
		cases = cases[:2]
	}
	for _, at := range cases {
		t.Run(fmt.Sprint("after batches ", at), func(t *testing.T) {
			dir := t.TempDir()
			for i, batches := range at {
				tr, err := tiny(dir, 1)
				require.NoError(t, err)
				plateau(tr)
				ctx, cancel := context.WithCancel(context.Background())
				if batches == 0 {
					cancel()
				}
				tr.Resume, tr.Config.Workers = i > 0, 1+i%3
				done := 0
				tr.OnBatch = func(Progress) {
					if done++; done == batches {
						cancel()
					}
				}
				_, err = tr.Run(ctx)
				require.ErrorIs(t, err, ErrInterrupted)
				net, meta, err := model.Load(filepath.Join(dir, filepath.FromSlash(model.LastFile)))
				require.NoError(t, err, "the weights so far")
				require.Equal(t, tr.Net.Params.Data, net.Params.Data)
				require.Equal(t, fmt.Sprint(tr.adam.Step), meta["steps"])
			}
			res := run(t, dir, func(tr *Trainer) { plateau(tr); tr.Resume = true })
			require.Equal(t, "epochs", res.Stopped)
			requireSame(t, want, dir)
		})
	}
}

// An interrupt after the last batch of an epoch ends the validation, and is not lost until the next batch.
func TestInterruptedValidationGoesOnWithTheSameBits(t *testing.T) {
	want, dir := t.TempDir(), t.TempDir()
	run(t, want, nil)
	tr, err := tiny(dir, 1)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tr.OnBatch = func(p Progress) {
		if p.Epoch == 2 && p.Batch == p.Batches {
			cancel()
		}
	}
	_, err = tr.Run(ctx)
	require.ErrorIs(t, err, ErrInterrupted)
	res := run(t, dir, func(tr *Trainer) { tr.Resume = true })
	require.Equal(t, Start{Resumed: true, Epochs: 1, Batches: 3}, res.Start)
	require.Zero(t, res.Last.PatternsPerSecond, "nothing was left to train on")
	requireSame(t, want, dir)
}

func TestResumeWithMoreEpochsIsALongerRun(t *testing.T) {
	long(t)
	want, dir := t.TempDir(), t.TempDir()
	run(t, want, func(tr *Trainer) { tr.Config.Epochs = 3 })
	run(t, dir, func(tr *Trainer) { tr.Config.Epochs = 1 })
	res := run(t, dir, func(tr *Trainer) { tr.Config.Epochs, tr.Resume = 3, true })
	require.Equal(t, Start{Resumed: true, Epochs: 1}, res.Start)
	requireSame(t, want, dir)

	res = run(t, dir, func(tr *Trainer) { tr.Config.Epochs, tr.Resume = 3, true })
	require.Equal(t, Start{Resumed: true, Epochs: 3}, res.Start)
	require.Equal(t, 3, res.Last.Epoch)
	requireSame(t, want, dir)
}

func TestResumeWithoutAStateStartsAnew(t *testing.T) {
	long(t)
	want, dir := t.TempDir(), t.TempDir()
	run(t, want, nil)
	res := run(t, dir, func(tr *Trainer) { tr.Resume = true })
	require.Zero(t, res.Start)
	requireSame(t, want, dir)

	run(t, dir, nil)
	requireSame(t, want, dir)
}

// TestKilledRunsGoOnWithTheSameBits kills a training process again and again, in batches and while it saves.
func TestKilledRunsGoOnWithTheSameBits(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGKILL")
	}
	long(t)
	want, dir := t.TempDir(), t.TempDir()
	run(t, want, func(tr *Trainer) { tr.Config.Epochs = 3 })
	r := rand.New(rand.NewPCG(1, 2))
	kills, finished := 0, false
	for try := 0; !finished; try++ {
		batches, wait := 1+r.IntN(4), time.Duration(r.IntN(40))*time.Millisecond
		if try >= 8 {
			batches = 1000
		}
		if finished = child(t, dir, batches, wait); !finished {
			kills++
		}
	}
	require.GreaterOrEqual(t, kills, 3)
	requireSame(t, want, dir)
}

// child trains in dir in a process of its own and kills it some time after it has done a number of batches.
// It reports whether the training came to its end before.
func child(t testing.TB, dir string, batches int, wait time.Duration) bool {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	for n := 0; lines.Scan(); {
		if n++; n == batches {
			time.Sleep(wait)
			require.NoError(t, cmd.Process.Kill())
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && !exit.Exited() {
		return false
	}
	require.NoError(t, err, stderr.String())
	return true
}

func TestResumeRefusesAnotherRun(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, nil)
	before := weights(t, dir)
	for _, tt := range []struct {
		name   string
		change func(*Trainer)
		want   []string
	}{
		{"learning rate", func(tr *Trainer) { tr.Config.LearningRate = 2e-3 }, []string{"train.learning_rate: then 0.001, now 0.002"}},
		{"seed", func(tr *Trainer) { tr.Config.Seed = 7 }, []string{"train.seed: then 42, now 7"}},
		{"shards", func(tr *Trainer) { tr.Config.Shards = 2 }, []string{"train.shards: then 8, now 2"}},
		{"groups", func(tr *Trainer) { tr.Source.Groups = tr.Source.Groups[:12] }, []string{"data: then "}},
		{"frames", func(tr *Trainer) { tr.Source.Data.Frames[5]++ }, []string{"data: then "}},
		{"probe", func(tr *Trainer) { otherProbe(t, tr) }, []string{"data: then "}},
		{
			"model", func(tr *Trainer) { tr.Net.Config.Loss.NLL, tr.Net.Config.Loss.MAE = 0, 1 },
			[]string{"model.loss.mae_weight: then 0, now 1; model.loss.nll_weight: then 1, now 0"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr, err := tiny(dir, 1)
			require.NoError(t, err)
			tt.change(tr)
			tr.Resume, tr.Config.Epochs = true, 9
			_, err = tr.Run(context.Background())
			require.Error(t, err)
			for _, want := range append(tt.want, "state.safetensors", "resume it with the same flags, or start anew without --resume") {
				require.ErrorContains(t, err, want)
			}
			require.Equal(t, before, weights(t, dir), "nothing is touched")
		})
	}
}

// otherProbe gives the network another fixed probe of the same power, the complex conjugate.
func otherProbe(t testing.TB, tr *Trainer) {
	planes := slices.Clone(tr.Net.Probe())
	for i := range planes {
		if i/(side*side)%2 == 1 {
			planes[i] = -planes[i]
		}
	}
	net, err := model.New(tr.Net.Config, planes)
	require.NoError(t, err)
	tr.Net = net
	tr.Source, err = net.NewSource(tr.Source.Data, tr.Source.Groups)
	require.NoError(t, err)
}

// The curve of a cosine schedule ends with the run.
func TestResumeOfACosineKeepsTheEpochs(t *testing.T) {
	long(t)
	want, dir := t.TempDir(), t.TempDir()
	cosine := func(tr *Trainer) { tr.Config.Schedule = optim.ScheduleConfig{Name: "cosine", FloorFrac: 0.1} }
	run(t, want, cosine)
	ctx, cancel := context.WithCancel(context.Background())
	tr, err := tiny(dir, 1)
	require.NoError(t, err)
	cosine(tr)
	tr.OnEpoch = func(Epoch) { cancel() }
	_, err = tr.Run(ctx)
	require.ErrorIs(t, err, ErrInterrupted)

	tr, err = tiny(dir, 1)
	require.NoError(t, err)
	cosine(tr)
	tr.Resume, tr.Config.Epochs = true, 3
	_, err = tr.Run(context.Background())
	require.ErrorContains(t, err, "train.nepochs: then 2, now 3")
	run(t, dir, func(tr *Trainer) { cosine(tr); tr.Resume = true })
	requireSame(t, want, dir)
}

func TestResumeRefusesADamagedRun(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, nil)
	state := filepath.Join(dir, filepath.FromSlash(StateFile))
	meta := func(key, value string) func(t *testing.T) {
		return func(t *testing.T) {
			f, err := ckpt.Read(state)
			require.NoError(t, err)
			f.Meta[key] = value
			require.NoError(t, ckpt.Write(state, f))
		}
	}
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T)
		want   []string
	}{
		{"truncated state", func(t *testing.T) { require.NoError(t, os.Truncate(state, 1000)) }, []string{"state.safetensors", "expected", "found"}},
		{"no best weights", func(t *testing.T) {
			best := filepath.Join(dir, filepath.FromSlash(model.BestFile))
			require.NoError(t, os.Rename(best, best+".away"))
			t.Cleanup(func() { require.NoError(t, os.Rename(best+".away", best)) })
		}, []string{"best.safetensors", "the best weights of the run to resume are missing", "start anew without --resume"}},
		{"other format", meta("format", "ptycho-model"), []string{"expected a ptycho-training-state of version 2", `found "ptycho-model"`}},
		{"other version", meta("format_version", "1"), []string{`of version "1"`}},
		{"unreadable identity", meta("identity", "{"), []string{"it cannot be read"}},
		{"identity of another version", meta("identity", "{}"), []string{"now", "start anew"}},
		{"step", meta("adam_step", "many"), []string{"adam_step", "many"}},
		{"cursor", meta("cursor", "1 2 x"), []string{"cursor", `"x"`}},
		{"short cursor", meta("cursor", "1 2"), []string{"cursor of 2 values, expected 9"}},
		{"schedule", meta("schedule", "?"), []string{"schedule", `"?"`}},
		{"long schedule", meta("schedule", "1 2"), []string{"schedule state of 2 values, expected none"}},
		{"tensors", func(t *testing.T) {
			f, err := ckpt.Read(state)
			require.NoError(t, err)
			f.Tensors = f.Tensors[:2]
			require.NoError(t, ckpt.Write(state, f))
		}, []string{"adam.v", "missing"}},
		{"epochs", func(t *testing.T) {
			f, err := ckpt.Read(state)
			require.NoError(t, err)
			h := f.Tensor("history")
			h.Shape, h.F64 = []int{1, timeless}, h.F64[:timeless]
			require.NoError(t, ckpt.Write(state, f))
		}, []string{`"history" (expected F64 [2 6], found F64 [1 6])`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, err := os.ReadFile(state)
			require.NoError(t, err)
			defer func() { require.NoError(t, os.WriteFile(state, before, 0o644)) }()
			tt.damage(t)
			tr, err := tiny(dir, 1)
			require.NoError(t, err)
			tr.Resume = true
			_, err = tr.Run(context.Background())
			require.Error(t, err)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// The table is there to be looked at: a run goes on without it, and writes it anew.
func TestResumeWithADamagedHistory(t *testing.T) {
	whole := t.TempDir()
	run(t, whole, nil)
	want, err := ReadHistory(whole)
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(whole, HistoryFile))
	require.NoError(t, err)
	swap := func(from, to string) []byte {
		require.Contains(t, string(text), from)
		return []byte(strings.Replace(string(text), from, to, 1))
	}
	for _, tt := range []struct {
		name    string
		content []byte // nil removes it
		want    []string
	}{
		{"none", nil, []string{"history.csv"}},
		{"empty", []byte{}, []string{"history.csv: expected 2 epochs, found 0"}},
		{"foreign", []byte("a,b\n1,2\n"), []string{"history.csv", "wrong number of fields"}},
		{"words", swap("\n1,", "\none,"), []string{"history.csv: line 2", "one"}},
		{"wrong numbers", swap(",0.001,", ",1e-3x,"), []string{"history.csv: line 2", "1e-3x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(whole)))
			path := filepath.Join(dir, HistoryFile)
			if require.NoError(t, os.Remove(path)); tt.content != nil {
				require.NoError(t, os.WriteFile(path, tt.content, 0o644))
			}
			var warnings []string
			res := run(t, dir, func(tr *Trainer) {
				tr.Resume, tr.OnWarn = true, func(text string) { warnings = append(warnings, text) }
			})
			require.Len(t, warnings, 1)
			for _, w := range append(tt.want, "without the times of the epochs so far") {
				require.Contains(t, warnings[0], w)
			}
			require.Equal(t, want[1].TrainLoss, res.Last.TrainLoss)
			require.True(t, math.IsNaN(res.Last.Seconds))
			requireSame(t, whole, dir)
		})
	}
}

func TestResumeKeepsTheTimesOfEarlierEpochs(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, nil)
	want, err := ReadHistory(dir)
	require.NoError(t, err)
	res := run(t, dir, func(tr *Trainer) {
		tr.Resume, tr.OnWarn = true, func(text string) { require.Fail(t, text) }
	})
	require.Equal(t, want[1], res.Last)
	require.Positive(t, res.Last.Seconds)
}

func TestResumeWithoutAStateKeepsCheckpoints(t *testing.T) {
	for _, name := range []string{model.BestFile, model.LastFile} {
		dir := t.TempDir()
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte("weights"), 0o644))
		before := content(t, dir)
		tr, err := tiny(dir, 1)
		require.NoError(t, err)
		tr.Resume, tr.OnStart = true, func(Start) error { require.Fail(t, "it starts"); return nil }
		_, err = tr.Run(context.Background())
		for _, want := range []string{tr.path(StateFile), "found none, but " + path, "start anew without --resume"} {
			require.ErrorContains(t, err, want)
		}
		require.Equal(t, before, content(t, dir))
	}
}

// content returns the SHA-256 of the files below dir.
func content(t testing.TB, dir string) map[string]string {
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	}))
	return files
}

func TestResumeSweepsWhatAKilledProcessLeft(t *testing.T) {
	long(t)
	want, dir := t.TempDir(), t.TempDir()
	run(t, want, nil)
	run(t, dir, func(tr *Trainer) { tr.Config.Epochs = 1 })
	for _, name := range []string{".history.csv.123.ptycho-tmp", "checkpoints/.best.safetensors.9.ptycho-tmp", "checkpoints/.state.safetensors.77.ptycho-tmp", lockFile} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte("half"), 0o600))
	}
	run(t, dir, func(tr *Trainer) { tr.Resume = true })
	requireSame(t, want, dir)
}
