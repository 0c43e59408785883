package train

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"ptycho/autodiff"
	"ptycho/ckpt"
	"ptycho/internal/atomicfile"
	"ptycho/model"
)

// runFiles are the files of a run directory, the state first and what depends on it after it.
var runFiles = [...]string{StateFile, model.BestFile, model.LastFile, HistoryFile}

// lockFile is there while a process trains in the run directory, or after it was killed.
const lockFile = ".ptycho-lock"

// Keys of a checkpoint's metadata.
const (
	bestEpoch = "best_epoch"
	bestLoss  = "best_loss"
)

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

// begin restores the state of a run that is resumed, or replaces that of an older run, whose weights stay until
// there are new ones.
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
	if t.OnStart != nil {
		if err := t.OnStart(s); err != nil {
			return s, err
		}
	}
	t.fresh = t.cur.fresh()
	if !s.Resumed {
		t.warnOfOlder()
		return s, t.saveState()
	}
	if t.fresh {
		return s, nil
	}
	return s, t.saveWeights(model.LastFile) // which a killed save may have left those of a later epoch
}

// warnOfOlder says when a new run will replace another one.
func (t *Trainer) warnOfOlder() {
	for _, name := range []string{model.BestFile, model.LastFile} {
		if _, err := os.Stat(t.path(name)); err == nil {
			t.warn(fmt.Sprintf("%s holds an older run, which this one replaces: its weights stay until the first epoch is done or interrupted; "+
				"--resume would have gone on with it", t.Dir))
			return
		}
	}
}

// clear removes what an older run left, so that no weights of it lie beside new ones.
func (t *Trainer) clear() error {
	for _, name := range runFiles[1:] {
		err := os.Remove(t.path(name))
		switch {
		case err == nil || errors.Is(err, os.ErrNotExist):
		case name == HistoryFile:
			t.warn(fmt.Sprintf("the table of an older run stays for now: %v", err))
		default:
			return fmt.Errorf("cannot write %s: %w", t.path(name), err)
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
	err := t.saveWeights(model.LastFile)
	t.saveHistory()
	if err := errors.Join(err, t.saveState()); err != nil {
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

// saveWeights writes a checkpoint; the first one of a run takes the place of an older run's.
func (t *Trainer) saveWeights(name string) error {
	if t.fresh {
		if err := t.clear(); err != nil {
			return err
		}
		t.fresh = false
	}
	return t.Net.Save(t.path(name), map[string]string{
		"epochs":  strconv.Itoa(t.cur.Epoch),
		"steps":   strconv.Itoa(t.adam.Step),
		bestLoss:  t.cur.bestLoss(),
		bestEpoch: strconv.Itoa(t.cur.BestEpoch),
	})
}

// verify reads both checkpoints back and compares the best with the run's best epoch and the last with the
// weights in memory, bit for bit: a checkpoint that cannot be loaded is not a success.
func (t *Trainer) verify() error {
	_, meta, err := model.Load(t.path(model.BestFile))
	if err != nil {
		return fmt.Errorf("reading the checkpoint back: %w", err)
	}
	if !t.isBest(meta) {
		return t.notBest(meta)
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

// checkBest refuses to resume a run beside best weights that are neither its own nor of an epoch to come, which a
// process has saved that was killed before it had saved the state.
func (t *Trainer) checkBest() error {
	f, err := ckpt.Read(t.path(model.BestFile))
	if errors.Is(err, os.ErrNotExist) {
		if t.cur.BestEpoch == 0 {
			return nil
		}
		return fmt.Errorf("the best weights of the run to resume are missing: %w; put them back, or start anew without --resume", err)
	}
	if err != nil {
		return err
	}
	epoch, err := strconv.Atoi(f.Meta[bestEpoch])
	again := err == nil && t.cur.Epoch < epoch && epoch <= t.Config.Epochs
	if again || t.isBest(f.Meta) {
		return nil
	}
	return t.notBest(f.Meta)
}

// isBest reports whether the metadata of a checkpoint are those of the best weights so far.
func (t *Trainer) isBest(meta map[string]string) bool {
	return meta[bestEpoch] == strconv.Itoa(t.cur.BestEpoch) && meta[bestLoss] == t.cur.bestLoss()
}

// notBest says what else the file of the best weights holds.
func (t *Trainer) notBest(meta map[string]string) error {
	remedy := "put the right ones back"
	if epoch, err := strconv.Atoi(meta[bestEpoch]); err == nil && epoch > t.cur.Epoch {
		remedy = fmt.Sprintf("the run was killed when it saved that epoch: resume it with --nepochs %d or more, and no less --patience than then", epoch)
	}
	return fmt.Errorf("%s: expected the weights of epoch %d with loss %s, the best so far, found those of epoch %s with loss %s; %s, or start anew without --resume",
		t.path(model.BestFile), t.cur.BestEpoch, t.cur.bestLoss(), meta[bestEpoch], meta[bestLoss], remedy)
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
