package train

import (
	"context"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/model"
)

// occupy puts a directory that is not empty where a file belongs, which nobody can remove or replace.
func occupy(t testing.TB, path string) {
	require.NoError(t, os.RemoveAll(path))
	require.NoError(t, os.MkdirAll(filepath.Join(path, "x"), 0o755))
}

func TestFailedStartsKeepTheRunBefore(t *testing.T) {
	older := t.TempDir()
	run(t, older, nil)
	want := content(t, older)
	for _, tt := range []struct {
		name    string
		change  func(*Trainer)
		state   bool // may be that of the new run
		without string
	}{
		{name: "configuration", change: func(tr *Trainer) { tr.Config.Epochs = 0 }},
		{name: "nothing to train on", change: func(tr *Trainer) { tr.Config.ValFraction = 0.99 }},
		{name: "state", change: func(tr *Trainer) { occupy(t, tr.path(StateFile)) }, without: StateFile},
		{name: "record", change: func(tr *Trainer) { tr.OnStart = func(Start) error { return os.ErrPermission } }},
		{name: "weights", change: func(tr *Trainer) { occupy(t, tr.path(model.BestFile)) }, state: true, without: model.BestFile},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(older)))
			tr, err := tiny(dir, 1)
			require.NoError(t, err)
			tr.Config.Seed = 9
			tt.change(tr)
			_, err = tr.Run(context.Background())
			require.Error(t, err)
			got := content(t, dir)
			for name, sum := range want {
				if name != tt.without && (name != StateFile || !tt.state) {
					require.Equal(t, sum, got[name], name)
				}
			}
			require.Subset(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)))
		})
	}
}

// A new run in a used directory says so, and the older weights are there until none of them is left beside new ones.
func TestANewRunReplacesAnOlderOneAtItsFirstSave(t *testing.T) {
	older := t.TempDir()
	run(t, older, nil)
	want := content(t, older)
	for _, interrupt := range []bool{false, true} {
		dir := t.TempDir()
		require.NoError(t, os.CopyFS(dir, os.DirFS(older)))
		tr, err := tiny(dir, 1)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var warnings []string
		batches := 0
		tr.Config.Seed, tr.Config.Epochs = 9, 1
		tr.OnWarn = func(text string) { warnings = append(warnings, text) }
		tr.OnBatch = func(Progress) {
			got := content(t, dir)
			for _, name := range runFiles[1:] {
				require.Equal(t, want[name], got[name], name)
			}
			require.Contains(t, tr.lastWeights(), "no weights have been saved yet")
			if batches++; interrupt {
				cancel()
			}
		}
		_, err = tr.Run(ctx)
		require.Len(t, warnings, 1)
		require.Contains(t, warnings[0], dir+" holds an older run")
		require.Contains(t, warnings[0], "--resume")
		got := content(t, dir)
		if interrupt {
			require.ErrorIs(t, err, ErrInterrupted)
			require.Equal(t, 1, batches)
			require.NotContains(t, got, model.BestFile, "no best weights of the older run beside new ones")
		} else {
			require.NoError(t, err)
			require.NotEqual(t, want[model.BestFile], got[model.BestFile])
		}
		require.NotEqual(t, want[model.LastFile], got[model.LastFile])
		run(t, dir, func(tr *Trainer) {
			tr.Resume, tr.Config.Seed = true, 9
			tr.OnWarn = func(text string) { require.Fail(t, text) }
		})
	}
}

// A process that is killed in its first epoch leaves its state beside the weights of the older run.
func TestResumeInTheFirstEpochBesideAnOlderRun(t *testing.T) {
	want, dir := t.TempDir(), t.TempDir()
	run(t, dir, func(tr *Trainer) { tr.Config.Epochs = 3 })
	tr, err := tiny(dir, 1)
	require.NoError(t, err)
	tr.Config.Seed = 9
	require.NoError(t, tr.prepare())
	_, err = tr.begin()
	tr.pool.Close()
	require.NoError(t, err)
	change := func(tr *Trainer) { tr.Config.Seed, tr.Config.Epochs = 9, 1 }
	run(t, want, change)
	res := run(t, dir, func(tr *Trainer) { change(tr); tr.Resume = true })
	require.True(t, res.Start.Resumed)
	requireSame(t, want, dir)
}

// A process that is killed while it saves leaves the weights of an epoch that the state does not know of.
func TestResumeAfterAKillBetweenWeightsAndState(t *testing.T) {
	falling := func(tr *Trainer) { tr.Config.ValFraction = 0 } // as the loss that is trained on does
	dirs := map[int]string{2: t.TempDir(), 3: t.TempDir()}
	for epochs, dir := range dirs {
		res := run(t, dir, func(tr *Trainer) { falling(tr); tr.Config.Epochs = epochs })
		require.Equal(t, epochs, res.Best.Epoch, "the test needs a last epoch that is the best")
	}
	ahead := func(names ...string) string {
		dir := t.TempDir()
		require.NoError(t, os.CopyFS(dir, os.DirFS(dirs[2])))
		for _, name := range names {
			b, err := os.ReadFile(filepath.Join(dirs[3], filepath.FromSlash(name)))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), b, 0o644))
		}
		return dir
	}
	dir := ahead(model.BestFile, model.LastFile)
	before := content(t, dir)
	tr, err := tiny(dir, 1)
	require.NoError(t, err)
	falling(tr)
	tr.Resume = true
	_, err = tr.Run(context.Background())
	for _, want := range []string{model.BestFile, "expected the weights of epoch 2", "found those of epoch 3", "resume it with --nepochs 3 or more"} {
		require.ErrorContains(t, err, filepath.FromSlash(want))
	}
	require.Equal(t, before, content(t, dir), "nothing is touched")
	run(t, dir, func(tr *Trainer) { falling(tr); tr.Resume, tr.Config.Epochs = true, 3 })
	requireSame(t, dirs[3], dir)

	dir = ahead(model.LastFile)
	run(t, dir, func(tr *Trainer) { falling(tr); tr.Resume = true })
	requireSame(t, dirs[2], dir)
}

func TestResumeRefusesTheBestWeightsOfAnotherRun(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	run(t, dir, nil)
	run(t, other, func(tr *Trainer) { tr.Config.Seed = 9 })
	b, err := os.ReadFile(filepath.Join(other, filepath.FromSlash(model.BestFile)))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.FromSlash(model.BestFile)), b, 0o644))
	tr, err := tiny(dir, 1)
	require.NoError(t, err)
	tr.Resume, tr.Config.Epochs = true, 3
	_, err = tr.Run(context.Background())
	require.ErrorContains(t, err, "put the right ones back, or start anew without --resume")
}

func TestRunReportsWhatItCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	tr, err := tiny(filepath.Join(file, "run"), 1)
	require.NoError(t, err)
	_, err = tr.Run(context.Background())
	require.ErrorContains(t, err, file)

	for _, name := range []string{model.BestFile, model.LastFile, StateFile} {
		tr, err = tiny(t.TempDir(), 1)
		require.NoError(t, err)
		tr.OnStart = func(Start) error { return nil }
		tr.OnBatch = func(p Progress) {
			if p.Epoch == 1 && p.Batch == 1 {
				occupy(t, tr.path(name))
			}
		}
		_, err = tr.Run(context.Background())
		require.ErrorContains(t, err, "cannot write "+tr.path(name))
	}
}

// An interrupted run that could not be saved does not say that it can be resumed.
func TestInterruptThatCannotBeSaved(t *testing.T) {
	tr, err := tiny(t.TempDir(), 1)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	tr.OnBatch = func(Progress) { occupy(t, tr.path(StateFile)); cancel() }
	_, err = tr.Run(ctx)
	require.ErrorContains(t, err, "interrupted and cannot be saved: cannot write "+tr.path(StateFile))
	require.False(t, errors.Is(err, ErrInterrupted))
}

func TestTableThatCannotBeWrittenDoesNotStopTheTraining(t *testing.T) {
	dir := t.TempDir()
	occupy(t, filepath.Join(dir, HistoryFile))
	var warnings []string
	res := run(t, dir, func(tr *Trainer) { tr.OnWarn = func(text string) { warnings = append(warnings, text) } })
	require.Equal(t, 2, res.Last.Epoch)
	require.Len(t, warnings, 3, "when the older run is cleared away, and after each epoch")
	require.Contains(t, warnings[0], "the table of an older run stays for now")
	require.Contains(t, warnings[1], "cannot write "+filepath.Join(dir, HistoryFile))
	require.Contains(t, warnings[1], "the training goes on")

	require.NoError(t, os.RemoveAll(filepath.Join(dir, HistoryFile)))
	run(t, dir, func(tr *Trainer) { tr.Resume, tr.Config.Epochs = true, 3 })
	h, err := ReadHistory(dir)
	require.NoError(t, err)
	require.Len(t, h, 3, "the epochs before come from the state")
	require.Equal(t, res.Last.TrainLoss, h[1].TrainLoss)
	require.True(t, math.IsNaN(h[1].Seconds))
	require.Positive(t, h[2].Seconds)
}

func TestOneTrainingADirectory(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, func(tr *Trainer) {
		tr.Config.Epochs = 1
		tr.OnBatch = func(Progress) {
			other, err := tiny(dir, 1)
			require.NoError(t, err)
			for _, other.Resume = range []bool{false, true} {
				_, err = other.Run(context.Background())
				require.ErrorContains(t, err, dir+": another process is training in this run directory; wait for its end, or choose another --output_dir")
			}
		}
	})
	require.NoFileExists(t, filepath.Join(dir, lockFile))
	run(t, dir, func(tr *Trainer) { tr.Resume = true })
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	require.NoError(t, os.WriteFile(path, nil, 0o644), "left by a process that was killed")
	for range 3 {
		unlock, err := lock(path)
		require.NoError(t, err)
		_, err = lock(path)
		require.ErrorIs(t, err, errLocked)
		unlock()
		require.NoFileExists(t, path)
	}
	_, err := lock(filepath.Join(path, "below"))
	require.ErrorContains(t, err, path)
}
