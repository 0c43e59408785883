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
		{name: "record", change: func(tr *Trainer) { tr.OnStart = func(Start) error { return os.ErrPermission } }, state: true},
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
	require.Len(t, warnings, 3, "when the run directory is cleared, and after each epoch")
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
