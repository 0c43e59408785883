package refine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"

	"ptycho/ckpt"
	"ptycho/internal/identity"
	"ptycho/internal/littleendian"
)

// checkpoint is a state of the unknowns.
type checkpoint struct {
	sweep    int
	score    float64
	object   [2][]float32
	velocity [2][]float32
	params   []float32
	moving   []float32 // velocity of the probe
	gain     []float64
	y, x     []float64
}

// empty tells whether nothing has been kept.
func (c *checkpoint) empty() bool { return c.params == nil }

// keep copies the present state into c.
func (e *Engine) keep(c *checkpoint, score float64) {
	c.copy(&checkpoint{e.done, score, e.object, e.velocity, e.params.Data, e.probeVelocity, e.gain, e.y, e.x})
}

// copy copies d into c.
func (c *checkpoint) copy(d *checkpoint) {
	c.sweep, c.score = d.sweep, d.score
	for k := range d.object {
		c.object[k] = append(c.object[k][:0], d.object[k]...)
		c.velocity[k] = append(c.velocity[k][:0], d.velocity[k]...)
	}
	c.params, c.moving = append(c.params[:0], d.params...), append(c.moving[:0], d.moving...)
	c.gain, c.y, c.x = append(c.gain[:0], d.gain...), append(c.y[:0], d.y...), append(c.x[:0], d.x...)
}

// restore goes back to a state.
func (e *Engine) restore(c *checkpoint) {
	e.done = c.sweep
	for k := range e.object {
		copy(e.object[k], c.object[k])
		copy(e.velocity[k], c.velocity[k])
	}
	copy(e.params.Data, c.params)
	copy(e.probeVelocity, c.moving)
	copy(e.gain, c.gain)
	copy(e.y, c.y)
	copy(e.x, c.x)
	for i := range e.strips {
		e.strips[i].reset()
	}
	clear(e.grad)
	clear(e.objectPower)
}

// rest takes the momentum out of the present state.
func (e *Engine) rest() {
	for k := range e.velocity {
		clear(e.velocity[k])
	}
	clear(e.probeVelocity)
}

// StateFile is the name of the state in an output directory, from which an interrupted refinement goes on.
const StateFile = "state.safetensors"

const (
	stateFormat  = "ptycho-refinement-state"
	stateVersion = "2"
	sweepFields  = 6
)

// identity is what a refinement may not change when it is resumed: how it goes on, the frames and the start.
func (e *Engine) identity() (string, error) {
	b, err := json.Marshal(struct {
		Options Options `json:"options"`
		Data    string  `json:"data"`
		Start   string  `json:"start"`
	}{e.opt, fmt.Sprintf("%d frames of %d×%d with %x photons", e.frames.Len(), e.n, e.n, e.counts), e.startSum})
	return string(b), err
}

// sum identifies the start.
func (e *Engine) sum() string {
	h := sha256.New()
	for _, v := range [][]float32{e.object[0], e.object[1], e.params.Data} {
		h.Write(littleendian.Bytes(v))
	}
	h.Write(littleendian.Bytes(e.y0))
	h.Write(littleendian.Bytes(e.x0))
	return hex.EncodeToString(h.Sum(nil))
}

// SaveState writes what Resume needs to go on as if nothing had happened.
func (e *Engine) SaveState(path string) error {
	id, err := e.identity()
	if err != nil {
		return err
	}
	var now checkpoint
	e.keep(&now, 0)
	f := &ckpt.File{Meta: map[string]string{
		"format": stateFormat, "format_version": stateVersion, "identity": id, "slow": exact(e.slow), "entry": exact(e.entry),
	}}
	now.save(f, "now")
	for name, c := range e.kept() {
		if !c.empty() {
			c.save(f, name)
		}
	}
	history := []float64{}
	for _, s := range e.history {
		history = append(history, float64(s.Number), s.Loss, s.Error, s.R, s.Held, s.Step)
	}
	f.Tensors = append(f.Tensors, ckpt.Tensor{Name: "history", Shape: []int{len(e.history), sweepFields}, F64: history})
	return ckpt.Write(path, f)
}

// kept yields the states that go into a file besides the present one.
func (e *Engine) kept() iter.Seq2[string, *checkpoint] {
	return func(yield func(string, *checkpoint) bool) {
		_ = yield("good", &e.good) && yield("best", &e.best)
	}
}

// exact writes a number so that it can be read back with the same bits.
func exact(v float64) string { return strconv.FormatFloat(v, 'x', -1, 64) }

// fields calls f for everything in a checkpoint that is not empty.
func (c *checkpoint) fields(call func(name string, single *[]float32, double *[]float64)) {
	f := func(name string, single *[]float32, double *[]float64) {
		if single != nil || len(*double) > 0 {
			call(name, single, double)
		}
	}
	f("object.re", &c.object[0], nil)
	f("object.im", &c.object[1], nil)
	f("velocity.re", &c.velocity[0], nil)
	f("velocity.im", &c.velocity[1], nil)
	f("parameters", &c.params, nil)
	f("probe.velocity", &c.moving, nil)
	f("gain", nil, &c.gain)
	f("y", nil, &c.y)
	f("x", nil, &c.x)
}

func (c *checkpoint) save(f *ckpt.File, name string) {
	f.Meta[name+".sweep"], f.Meta[name+".score"] = strconv.Itoa(c.sweep), exact(c.score)
	c.fields(func(field string, single *[]float32, double *[]float64) {
		t := ckpt.Tensor{Name: name + "." + field}
		if single != nil {
			t.Data, t.Shape = *single, []int{len(*single)}
		} else {
			t.F64, t.Shape = *double, []int{len(*double)}
		}
		f.Tensors = append(f.Tensors, t)
	})
}

// specs lists what a file must hold of a checkpoint like c.
func (c *checkpoint) specs(name string) (specs []ckpt.Spec) {
	c.fields(func(field string, single *[]float32, double *[]float64) {
		s := ckpt.Spec{Name: name + "." + field}
		if single != nil {
			s.Shape = []int{len(*single)}
		} else {
			s.Shape, s.DType = []int{len(*double)}, ckpt.F64
		}
		specs = append(specs, s)
	})
	return specs
}

func (c *checkpoint) load(f *ckpt.File, name string) (err error) {
	if c.sweep, err = strconv.Atoi(f.Meta[name+".sweep"]); err != nil {
		return fmt.Errorf("%s.sweep: %w", name, err)
	}
	if c.score, err = strconv.ParseFloat(f.Meta[name+".score"], 64); err != nil {
		return fmt.Errorf("%s.score: %w", name, err)
	}
	c.fields(func(field string, single *[]float32, double *[]float64) {
		t := f.Tensor(name + "." + field)
		if single != nil {
			*single = t.Data
		} else {
			*double = t.F64
		}
	})
	return nil
}

// Resume goes back to the state in a file, which a refinement of the same frames from the same start with the same
// options has written.
func (e *Engine) Resume(path string) error {
	f, err := ckpt.Read(path)
	if err != nil {
		return err
	}
	if err := e.setState(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (e *Engine) setState(f *ckpt.File) error {
	if f.Meta["format"] != stateFormat || f.Meta["format_version"] != stateVersion {
		return fmt.Errorf("expected a %s of version %s, found %q of version %q", stateFormat, stateVersion, f.Meta["format"], f.Meta["format_version"])
	}
	id, err := e.identity()
	if err != nil {
		return err
	}
	if then := f.Meta["identity"]; then != id {
		return fmt.Errorf("the interrupted refinement had another scan, start or other options (%s); resume it with the same flags", identity.Differences(then, id))
	}
	var now checkpoint
	e.keep(&now, 0)
	specs := now.specs("now")
	others := map[string]*checkpoint{}
	for name := range e.kept() {
		others[name] = &checkpoint{}
		if _, has := f.Meta[name+".sweep"]; has {
			others[name].copy(&now)
			specs = append(specs, now.specs(name)...)
		}
	}
	h := f.Tensor("history")
	if h == nil || len(h.Shape) != 2 || h.Shape[1] != sweepFields {
		return fmt.Errorf("expected the history of the sweeps, %d figures each", sweepFields)
	}
	specs = append(specs, ckpt.Spec{Name: "history", Shape: h.Shape, DType: ckpt.F64})
	if err := f.Want(specs); err != nil {
		return err
	}
	slow, err := strconv.ParseFloat(f.Meta["slow"], 64)
	if err != nil {
		return fmt.Errorf("slow: %w", err)
	}
	entry, err := strconv.ParseFloat(f.Meta["entry"], 64)
	if err != nil {
		return fmt.Errorf("entry: %w", err)
	}
	if err := now.load(f, "now"); err != nil {
		return err
	}
	for name, c := range others {
		if c.empty() {
			continue
		}
		if err := c.load(f, name); err != nil {
			return err
		}
	}
	e.good, e.best = *others["good"], *others["best"]
	e.slow, e.entry = slow, entry
	e.restore(&now)
	e.keep(&e.last, 0)
	e.history = e.history[:0]
	for v := h.F64; len(v) > 0; v = v[sweepFields:] {
		e.history = append(e.history, Sweep{Number: int(v[0]), Loss: v[1], Error: v[2], R: v[3], Held: v[4], Step: v[5]})
	}
	return nil
}
