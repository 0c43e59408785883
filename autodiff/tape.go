package autodiff

import "fmt"

// Value is a handle to a tensor on a Tape.
type Value struct{ id int }

// Op is one differentiable operation, a plain value that holds shapes and tables but no activations.
type Op interface {
	// Forward overwrites c.Out() with the result for the inputs c.In(i).
	Forward(c *Context)
	// Backward adds the vector–Jacobian product of c.GradOut() into every c.GradIn(i) that is not nil.
	// It may overwrite c.GradOut().
	Backward(c *Context)
}

// Loss is a scalar function of tensors, the end of a tape.
type Loss interface {
	// Forward returns the loss.
	Forward(c *Context) float64
	// Backward adds scale times the gradient of the loss into every c.GradIn(i) that is not nil.
	Backward(c *Context, scale float64)
}

// Scratcher is an op that needs scratch memory; all ops of a tape share one block.
type Scratcher interface {
	ScratchLen() int // float32 values
}

// Keeper is an op whose Backward does not read all of its inputs and its output, whose memory can then
// be used again. An op that is not a Keeper keeps everything.
type Keeper interface {
	Keeps() (inputs, output bool)
}

// Term is a loss on a tape and its value in the last forward pass.
type Term struct {
	Name   string
	Weight float64
	Value  float64
}

// Tape records ops once and replays them. A Tape is used by one goroutine at a time; several tapes may
// share one Params as long as nobody writes to it meanwhile.
type Tape struct {
	params   *Params
	training bool
	workers  int
	compiled bool
	ready    bool // a Forward has run that Backward can go back through
	nodes    []node
	steps    []step // in the order of recording
	terms    []Term
	grad     []float32 // flat parameter gradient of the current backward pass
	scratch  []float32
	arena    []float32
	ctx      Context
}

// node is one tensor: an input, a parameter or the result of a step.
type node struct {
	shape   Shape
	data    []float32
	grad    []float32
	param   *Param
	needs   bool // a gradient is wanted
	keep    bool // readable after Forward
	input   bool
	touched bool // the gradient has been cleared in this backward pass
}

// step is an op (out ≥ 0) or a loss (out < 0, term ≥ 0).
type step struct {
	op      Op
	loss    Loss
	in      []int
	out     int
	term    int
	needs   bool
	scratch int
}

// NewTape returns an empty tape over params. A training tape supports Backward; one that is not uses
// much less memory.
func NewTape(params *Params, training bool) *Tape {
	return &Tape{params: params, training: training, workers: 1}
}

// Training reports whether the tape supports Backward.
func (t *Tape) Training() bool { return t.training }

// Share lets the ops that are recorded from now on, as far as they can, compute parts of one result on n cores, which
// does not change it. It serves few samples that are wanted soon; many are faster on tapes of their own.
func (t *Tape) Share(n int) { t.workers = max(n, 1) }

// Workers returns on how many cores an op may compute its result.
func (t *Tape) Workers() int { return t.workers }

func (t *Tape) add(n node) Value {
	if t.compiled {
		panic("autodiff: recording on a compiled tape")
	}
	t.nodes = append(t.nodes, n)
	return Value{len(t.nodes) - 1}
}

// Input adds a tensor that the caller fills through Data before every Forward. It gets a gradient only
// if needsGrad is set.
func (t *Tape) Input(shape Shape, needsGrad bool) Value {
	return t.add(node{shape: shape, input: true, keep: true, needs: needsGrad && t.training})
}

// Param adds a parameter; its gradient is added to the flat gradient given to Backward.
func (t *Tape) Param(p Param) Value {
	return t.add(node{shape: p.Shape, param: &p, needs: t.training})
}

// Frozen adds a parameter that is not differentiated.
func (t *Tape) Frozen(p Param) Value { return t.add(node{shape: p.Shape, param: &p}) }

// Apply records op on the inputs and returns its result, of the given shape.
func (t *Tape) Apply(op Op, shape Shape, in ...Value) Value {
	s := step{op: op, in: ids(in), term: -1}
	for _, i := range s.in {
		s.needs = s.needs || t.nodes[i].needs
	}
	if sc, ok := op.(Scratcher); ok {
		s.scratch = sc.ScratchLen()
	}
	v := t.add(node{shape: shape, needs: s.needs})
	s.out = v.id
	t.steps = append(t.steps, s)
	return v
}

// AddLoss adds weight·loss(in…) to what Forward returns and Backward differentiates.
func (t *Tape) AddLoss(name string, weight float64, loss Loss, in ...Value) {
	if t.compiled {
		panic("autodiff: recording on a compiled tape")
	}
	s := step{loss: loss, in: ids(in), out: -1, term: len(t.terms), needs: t.training && weight != 0}
	if sc, ok := loss.(Scratcher); ok {
		s.scratch = sc.ScratchLen()
	}
	t.steps = append(t.steps, s)
	t.terms = append(t.terms, Term{Name: name, Weight: weight})
}

// Keep makes v readable after Forward until the next one. Inputs always are.
func (t *Tape) Keep(v Value) { t.nodes[v.id].keep = true }

func ids(vs []Value) []int {
	r := make([]int, len(vs))
	for i, v := range vs {
		r[i] = v.id
	}
	return r
}

// Shape returns the shape of v.
func (t *Tape) Shape(v Value) Shape { return t.nodes[v.id].shape }

// Data returns the elements of v: of an input, to be filled; of a kept value, after Forward.
func (t *Tape) Data(v Value) []float32 {
	n := &t.nodes[v.id]
	if !t.compiled || !n.keep {
		panic("autodiff: Data of a value that is not kept or before Compile")
	}
	return n.data
}

// Grad returns the gradient of an input that was made with needsGrad, after Backward.
func (t *Tape) Grad(v Value) []float32 {
	n := &t.nodes[v.id]
	if !t.compiled || !n.input || !n.needs {
		panic("autodiff: Grad of a value that has none")
	}
	return n.grad
}

// Terms returns the losses with their values of the last Forward. The slice is the tape's own.
func (t *Tape) Terms() []Term { return t.terms }

// Memory returns the bytes that Compile reserved for activations, gradients and scratch.
func (t *Tape) Memory() int { return 4 * (len(t.arena) + len(t.scratch)) }

// Forward replays the tape and returns the weighted sum of its losses. It panics when the tape is not
// compiled.
func (t *Tape) Forward() float64 {
	if !t.compiled {
		panic("autodiff: Forward before Compile")
	}
	t.ready = t.training
	total := 0.0
	for i := range t.steps {
		s := &t.steps[i]
		t.ctx = Context{tape: t, step: s}
		if s.loss == nil {
			s.op.Forward(&t.ctx)
			continue
		}
		v := s.loss.Forward(&t.ctx)
		t.terms[s.term].Value = v
		total += t.terms[s.term].Weight * v
	}
	return total
}

// Backward adds scale times the gradient of the last Forward's result to grad, which has the layout of
// Params.Data. It uses up the activations, so that every Backward needs a Forward before it; it panics without
// one, and on a tape that was not made for training.
func (t *Tape) Backward(scale float64, grad []float32) {
	if !t.ready {
		panic("autodiff: Backward without a Forward before it on a training tape")
	}
	if len(grad) != len(t.params.Data) {
		panic(fmt.Sprintf("autodiff: gradient of length %d for %d parameters", len(grad), len(t.params.Data)))
	}
	t.grad, t.ready = grad, false
	for i := range t.nodes {
		t.nodes[i].touched = false
	}
	for i := len(t.steps) - 1; i >= 0; i-- {
		s := &t.steps[i]
		if !s.needs {
			continue
		}
		t.ctx = Context{tape: t, step: s}
		if s.loss != nil {
			s.loss.Backward(&t.ctx, scale*t.terms[s.term].Weight)
			continue
		}
		s.op.Backward(&t.ctx)
	}
	for i := range t.nodes {
		if n := &t.nodes[i]; n.input && n.needs && !n.touched {
			clear(n.grad)
		}
	}
	t.grad = nil
}

// Context gives an op its tensors.
type Context struct {
	tape *Tape
	step *step
}

// Inputs returns the number of inputs.
func (c *Context) Inputs() int { return len(c.step.in) }

// In returns the i-th input.
func (c *Context) In(i int) []float32 {
	n := &c.tape.nodes[c.step.in[i]]
	if n.param != nil {
		return c.tape.params.View(*n.param)
	}
	return n.data
}

// Out returns the output: to be written in Forward, to be read in Backward.
func (c *Context) Out() []float32 { return c.tape.nodes[c.step.out].data }

// GradOut returns the gradient of the loss with respect to the output.
func (c *Context) GradOut() []float32 { return c.tape.gradOf(c.step.out) }

// GradIn returns where to add the gradient with respect to the i-th input, nil if it is not wanted.
func (c *Context) GradIn(i int) []float32 {
	id := c.step.in[i]
	n := &c.tape.nodes[id]
	switch {
	case !n.needs:
		return nil
	case n.param != nil:
		return c.tape.grad[n.param.Offset:][:n.param.Shape.Size()]
	}
	return c.tape.gradOf(id)
}

// gradOf returns a node's gradient, cleared when it is asked for the first time in a backward pass: just
// before it is written, while it will stay in the cache.
func (t *Tape) gradOf(id int) []float32 {
	n := &t.nodes[id]
	if !n.touched {
		clear(n.grad)
		n.touched = true
	}
	return n.grad
}

// Scratch returns the first n values of the shared scratch memory, with undefined content.
func (c *Context) Scratch(n int) []float32 { return c.tape.scratch[:n] }
