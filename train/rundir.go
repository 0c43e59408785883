package train

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"ptycho/autodiff"
	"ptycho/internal/atomicfile"
	"ptycho/model"
)

// runFiles are the files of a run directory, the state first and what depends on it after it.
var runFiles = [...]string{StateFile, model.BestFile, model.LastFile, HistoryFile}

// lockFile is there while a process trains in the run directory, or after it was killed.
const lockFile = ".ptycho-lock"

// errLocked is returned by lock for a file that another process has locked.
var errLocked = errors.New("locked")

// path returns where in the run directory the named file is.
func (t *Trainer) path(name string) string { return filepath.Join(t.Dir, filepath.FromSlash(name)) }

// lockDir makes the run directory and keeps other processes out of it until unlock is called.
func (t *Trainer) lockDir() (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(t.path(model.BestFile)), 0o777); err != nil {
		return nil, err
	}
	unlock, err = lock(t.path(lockFile))
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("%s: another process is training in this run directory; wait for its end, or choose another --output_dir", t.Dir)
	}
	return unlock, err
}

// begin restores the state of a run that is resumed, or clears the run directory of an older run.
func (t *Trainer) begin() (Start, error) {
	for _, name := range runFiles {
		if err := atomicfile.Sweep(t.path(name)); err != nil {
			return Start{}, err
		}
	}
	var s Start
	var err error
	if t.Resume {
		if s.Resumed, err = t.restore(); err != nil {
			return s, err
		}
	}
	s.Epochs, s.Batches = t.cur.Epoch, t.cur.Batch
	// A run that cannot begin must not cost the older one its checkpoints: they go last.
	if !s.Resumed {
		if err := t.saveState(); err != nil {
			return s, err
		}
	}
	if t.OnStart != nil {
		if err := t.OnStart(s); err != nil {
			return s, err
		}
	}
	if s.Epochs == 0 && s.Batches == 0 {
		return s, t.clear()
	}
	return s, nil
}

// clear removes what an older run left.
func (t *Trainer) clear() error {
	for _, name := range runFiles[1:] {
		err := os.Remove(t.path(name))
		switch {
		case err == nil || errors.Is(err, os.ErrNotExist):
		case name == HistoryFile:
			t.warn(fmt.Sprintf("the table of an older run stays for now: %v", err))
		default:
			return err
		}
	}
	return nil
}

// save writes the weights, the history and, last of all, the state: a run that dies in between repeats the
// epoch and writes the same files.
func (t *Trainer) save(better bool) error {
	if better {
		if err := t.saveWeights(model.BestFile); err != nil {
			return err
		}
	}
	if err := t.saveWeights(model.LastFile); err != nil {
		return err
	}
	t.saveHistory()
	return t.saveState()
}

// interrupt saves the run in the middle of an epoch.
func (t *Trainer) interrupt() error {
	t.saveHistory()
	if err := errors.Join(t.saveWeights(model.LastFile), t.saveState()); err != nil {
		return fmt.Errorf("training was interrupted and cannot be saved: %w", err)
	}
	return ErrInterrupted
}

// saveHistory writes the table of epochs. The state holds what is needed of it, so that a table which somebody
// has open in a program that locks it is no reason to stop.
func (t *Trainer) saveHistory() {
	if err := t.history.Write(t.path(HistoryFile)); err != nil {
		t.warn(fmt.Sprintf("%v; the training goes on, and its checkpoints are whole", err))
	}
}

func (t *Trainer) saveWeights(name string) error {
	best := ""
	if !math.IsInf(t.cur.Best, 0) {
		best = strconv.FormatFloat(t.cur.Best, 'g', -1, 64)
	}
	return t.Net.Save(t.path(name), map[string]string{
		"epochs":     strconv.Itoa(t.cur.Epoch),
		"steps":      strconv.Itoa(t.adam.Step),
		"best_loss":  best,
		"best_epoch": strconv.Itoa(t.cur.BestEpoch),
	})
}

// verify reads both checkpoints back and compares the last with the weights in memory, bit for bit: a
// checkpoint that cannot be loaded is not a success.
func (t *Trainer) verify() error {
	if _, _, err := model.Load(t.path(model.BestFile)); err != nil {
		return fmt.Errorf("reading the checkpoint back: %w", err)
	}
	net, _, err := model.Load(t.path(model.LastFile))
	if err != nil {
		return fmt.Errorf("reading the checkpoint back: %w", err)
	}
	if !sameBits(net.Params, t.Net.Params) {
		return fmt.Errorf("%s does not hold the weights that were trained", t.path(model.LastFile))
	}
	return nil
}

func sameBits(a, b *autodiff.Params) bool {
	if len(a.Data) != len(b.Data) {
		return false
	}
	for i, v := range a.Data {
		if math.Float32bits(v) != math.Float32bits(b.Data[i]) {
			return false
		}
	}
	return true
}
