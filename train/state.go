package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ptycho/ckpt"
	"ptycho/model"
)

// StateFile holds what a run needs to go on as if it had never stopped.
const StateFile = "checkpoints/state.safetensors"

const (
	stateFormat  = "ptycho-training-state"
	stateVersion = "1"
)

// cursor is where a run stands. Random numbers need no state: their streams are named by epoch.
type cursor struct {
	Epoch int // epochs done
	Batch int // batches done in the current epoch

	// sums over the current epoch
	Loss, Excess, GradNorm float64
	Samples                int

	Best      float64 // best validation loss so far
	BestEpoch int     // and its epoch, counted from 1
	Stale     int     // epochs since
}

func (c *cursor) nextEpoch() {
	c.Epoch++
	c.Batch, c.Loss, c.Excess, c.GradNorm, c.Samples = 0, 0, 0, 0, 0
}

// values returns the cursor as numbers that survive a file exactly.
func (c *cursor) values() []float64 {
	return []float64{
		float64(c.Epoch), float64(c.Batch), c.Loss, c.Excess, c.GradNorm, float64(c.Samples),
		c.Best, float64(c.BestEpoch), float64(c.Stale),
	}
}

func (c *cursor) set(v []float64) error {
	if len(v) != len(c.values()) {
		return fmt.Errorf("cursor of %d values, expected %d", len(v), len(c.values()))
	}
	*c = cursor{
		Epoch: int(v[0]), Batch: int(v[1]), Loss: v[2], Excess: v[3], GradNorm: v[4], Samples: int(v[5]),
		Best: v[6], BestEpoch: int(v[7]), Stale: int(v[8]),
	}
	return nil
}

// identity is what a run may not change when it is resumed: the model, the data and how batches are drawn.
func (t *Trainer) identity() (string, error) {
	c := t.Config
	c.Epochs, c.Patience = 0, 0
	b, err := json.Marshal(struct {
		Model model.Config `json:"model"`
		Train Config       `json:"train"`
		Data  string       `json:"data"`
	}{t.Net.Config, c, t.fingerprint})
	return string(b), err
}

// path returns where in the run directory the named file is.
func (t *Trainer) path(name string) string { return filepath.Join(t.Dir, filepath.FromSlash(name)) }

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
	if err := t.history.Write(t.path(HistoryFile)); err != nil {
		return err
	}
	return t.saveState()
}

// interrupt saves the run in the middle of an epoch.
func (t *Trainer) interrupt() error {
	return errors.Join(ErrInterrupted, t.saveWeights(model.LastFile), t.history.Write(t.path(HistoryFile)), t.saveState())
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

func (t *Trainer) saveState() error {
	id, err := t.identity()
	if err != nil {
		return err
	}
	flat := func(name string, v []float32) ckpt.Tensor {
		return ckpt.Tensor{Name: name, Shape: []int{len(v)}, Data: v}
	}
	return ckpt.Write(t.path(StateFile), &ckpt.File{
		Meta: map[string]string{
			"format": stateFormat, "format_version": stateVersion, "identity": id,
			"adam_step": strconv.Itoa(t.adam.Step),
			"cursor":    formatFloats(t.cur.values()),
			"schedule":  formatFloats(t.schedule.State()),
		},
		Tensors: []ckpt.Tensor{flat("parameters", t.Net.Params.Data), flat("adam.m", t.adam.M), flat("adam.v", t.adam.V)},
	})
}

// restore takes back the state in the run directory. Without one the run starts anew.
func (t *Trainer) restore() error {
	path := t.path(StateFile)
	f, err := ckpt.Read(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.setState(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	h, err := ReadHistory(t.Dir)
	if err != nil && t.cur.Epoch > 0 {
		return err
	}
	if len(h) < t.cur.Epoch {
		return fmt.Errorf("%s: expected %d epochs, as in the training state, found %d; start anew without --resume", t.path(HistoryFile), t.cur.Epoch, len(h))
	}
	t.history = h[:t.cur.Epoch]
	return nil
}

func (t *Trainer) setState(f *ckpt.File) error {
	if f.Meta["format"] != stateFormat || f.Meta["format_version"] != stateVersion {
		return fmt.Errorf("expected a %s of version %s, found %q of version %q", stateFormat, stateVersion, f.Meta["format"], f.Meta["format_version"])
	}
	id, err := t.identity()
	if err != nil {
		return err
	}
	if then := f.Meta["identity"]; then != id {
		return fmt.Errorf("the interrupted run had another model, other data or other settings (%s); resume it with the same flags, or start anew without --resume", differences(then, id))
	}
	n := len(t.Net.Params.Data)
	shape := []int{n}
	if err := f.Want([]ckpt.Spec{{Name: "parameters", Shape: shape}, {Name: "adam.m", Shape: shape}, {Name: "adam.v", Shape: shape}}); err != nil {
		return err
	}
	copy(t.Net.Params.Data, f.Tensor("parameters").Data)
	copy(t.adam.M, f.Tensor("adam.m").Data)
	copy(t.adam.V, f.Tensor("adam.v").Data)
	if t.adam.Step, err = strconv.Atoi(f.Meta["adam_step"]); err != nil {
		return fmt.Errorf("adam_step: %w", err)
	}
	cur, err := parseFloats(f.Meta["cursor"])
	if err != nil {
		return fmt.Errorf("cursor: %w", err)
	}
	if err := t.cur.set(cur); err != nil {
		return err
	}
	state, err := parseFloats(f.Meta["schedule"])
	if err != nil {
		return fmt.Errorf("schedule: %w", err)
	}
	return t.schedule.Restore(state)
}

// differences lists the fields in which two identities differ.
func differences(then, now string) string {
	a, b := map[string]any{}, map[string]any{}
	if flatten(a, then) != nil || flatten(b, now) != nil {
		return "it cannot be read"
	}
	var list []string
	for k, v := range b {
		if a[k] != v {
			list = append(list, fmt.Sprintf("%s: then %v, now %v", k, a[k], v))
		}
	}
	if list == nil {
		return "by another version of the program"
	}
	slices.Sort(list)
	return strings.Join(list, "; ")
}

// flatten puts the numbers and strings of nested JSON objects into dst, named like model.loss.nll_weight.
func flatten(dst map[string]any, text string) error {
	var top map[string]any
	if err := json.Unmarshal([]byte(text), &top); err != nil {
		return err
	}
	var walk func(prefix string, m map[string]any)
	walk = func(prefix string, m map[string]any) {
		for k, v := range m {
			if sub, ok := v.(map[string]any); ok {
				walk(prefix+k+".", sub)
			} else {
				dst[prefix+k] = v
			}
		}
	}
	walk("", top)
	return nil
}

// formatFloats writes numbers so that parseFloats returns the same bits.
func formatFloats(v []float64) string {
	s := make([]string, len(v))
	for i, x := range v {
		s[i] = strconv.FormatFloat(x, 'x', -1, 64)
	}
	return strings.Join(s, " ")
}

func parseFloats(s string) ([]float64, error) {
	fields := strings.Fields(s)
	v := make([]float64, len(fields))
	var err error
	for i, f := range fields {
		if v[i], err = strconv.ParseFloat(f, 64); err != nil {
			return nil, err
		}
	}
	return v, nil
}
