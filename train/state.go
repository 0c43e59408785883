package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"ptycho/ckpt"
	"ptycho/internal/identity"
	"ptycho/model"
)

// StateFile holds what a run needs to go on as if it had never stopped.
const StateFile = "checkpoints/state.safetensors"

const (
	stateFormat  = "ptycho-training-state"
	stateVersion = "2"
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

// fresh reports whether nothing has been trained yet.
func (c *cursor) fresh() bool { return c.Epoch == 0 && c.Batch == 0 }

// bestLoss returns the best loss as a checkpoint has it, empty before there is one.
func (c *cursor) bestLoss() string {
	if math.IsInf(c.Best, 0) {
		return ""
	}
	return strconv.FormatFloat(c.Best, 'g', -1, 64)
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

// identity is what a run may not change when it is resumed: the model, the data and how batches are drawn
// and learnt from.
func (t *Trainer) identity() (string, error) {
	c := t.Config
	c.Patience = 0
	if c.Schedule.Name != "cosine" { // whose curve ends with the run
		c.Epochs = 0
	}
	b, err := json.Marshal(struct {
		Model model.Config `json:"model"`
		Train Config       `json:"train"`
		Data  string       `json:"data"`
	}{t.Net.Config, c, t.fingerprint})
	return string(b), err
}

func (t *Trainer) saveState() error {
	id, err := t.identity()
	if err != nil {
		return err
	}
	flat := func(name string, v []float32) ckpt.Tensor {
		return ckpt.Tensor{Name: name, Shape: []int{len(v)}, Data: v}
	}
	n := moments(t.adam.Step, len(t.adam.M))
	return ckpt.Write(t.path(StateFile), &ckpt.File{
		Meta: map[string]string{
			"format": stateFormat, "format_version": stateVersion, "identity": id,
			"adam_step": strconv.Itoa(t.adam.Step),
			"cursor":    formatFloats(t.cur.values()),
			"schedule":  formatFloats(t.schedule.State()),
		},
		Tensors: []ckpt.Tensor{
			flat("parameters", t.Net.Params.Data), flat("adam.m", t.adam.M[:n]), flat("adam.v", t.adam.V[:n]),
			{Name: "history", Shape: []int{len(t.history), timeless}, F64: t.history.values()},
		},
	})
}

// moments returns how many of n moments of Adam a state holds: none before the first step, which leaves them at zero.
func moments(step, n int) int {
	if step == 0 {
		return 0
	}
	return n
}

// restore takes back the state in the run directory and reports whether there is one.
func (t *Trainer) restore() (bool, error) {
	path := t.path(StateFile)
	f, err := ckpt.Read(path)
	if errors.Is(err, os.ErrNotExist) {
		for _, name := range []string{model.BestFile, model.LastFile} {
			if _, err := os.Stat(t.path(name)); err == nil {
				return false, fmt.Errorf("%s: expected the state of a run to resume, found none, but %s, which a new run would replace; "+
					"put the state back, start anew without --resume, or choose another --output_dir", path, t.path(name))
			}
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := t.setState(f); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	if !t.cur.fresh() {
		if err := t.checkBest(); err != nil {
			return false, err
		}
	}
	t.restoreTimes()
	return true, nil
}

// restoreTimes takes from the table of epochs what the state does not hold, as it differs between equal runs.
func (t *Trainer) restoreTimes() {
	h, err := ReadHistory(t.Dir)
	if err == nil && len(h) < len(t.history) {
		err = fmt.Errorf("%s: expected %d epochs, found %d", t.path(HistoryFile), len(t.history), len(h))
	}
	if err != nil && len(t.history) > 0 {
		t.warn(fmt.Sprintf("%v; it is written anew, without the times of the epochs so far", err))
		t.saveHistory()
		return
	}
	for i := range t.history {
		t.history[i].Seconds, t.history[i].PatternsPerSecond = h[i].Seconds, h[i].PatternsPerSecond
	}
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
		return fmt.Errorf("the interrupted run had another model, other data or other settings (%s); resume it with the same flags, or start anew without --resume", identity.Differences(then, id))
	}
	cur, err := parseFloats(f.Meta["cursor"])
	if err != nil {
		return fmt.Errorf("cursor: %w", err)
	}
	if err := t.cur.set(cur); err != nil {
		return err
	}
	if t.adam.Step, err = strconv.Atoi(f.Meta["adam_step"]); err != nil {
		return fmt.Errorf("adam_step: %w", err)
	}
	n := len(t.Net.Params.Data)
	shape := []int{moments(t.adam.Step, n)}
	if err := f.Want([]ckpt.Spec{
		{Name: "parameters", Shape: []int{n}},
		{Name: "adam.m", Shape: shape},
		{Name: "adam.v", Shape: shape},
		{Name: "history", Shape: []int{t.cur.Epoch, timeless}, DType: ckpt.F64},
	}); err != nil {
		return err
	}
	copy(t.Net.Params.Data, f.Tensor("parameters").Data)
	t.Net.Params.Updated()
	copy(t.adam.M, f.Tensor("adam.m").Data)
	copy(t.adam.V, f.Tensor("adam.v").Data)
	t.history = historyOf(f.Tensor("history").F64)
	state, err := parseFloats(f.Meta["schedule"])
	if err != nil {
		return fmt.Errorf("schedule: %w", err)
	}
	return t.schedule.Restore(state)
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
