package testutil

import (
	"testing"

	"ptycho/autodiff"
)

// linear is the loss Σ g·y of its input y, whose gradient is g.
type linear []float32

func (l linear) Forward(c *autodiff.Context) float64 { return Dot(c.In(0), l) }

func (l linear) Backward(c *autodiff.Context, scale float64) {
	g := c.GradIn(0)
	for i, v := range l {
		g[i] += float32(scale) * v
	}
}

// Op is a recorded operation y = op(in…) on a tape of its own, for tests.
type Op struct {
	Tape   *autodiff.Tape
	Params *autodiff.Params
	In     []autodiff.Value
	Out    autodiff.Value
	Grad   []float32 // of the parameters, after VJP
}

// NewOp records an operation on inputs with the given shapes and content, and the loss Σ g·y for an upstream
// gradient g. record may add parameters. It fails the test when g does not have the size of y.
func NewOp(t testing.TB, g []float32, in []autodiff.Tensor, record func(*autodiff.Params, *autodiff.Tape, []autodiff.Value) autodiff.Value) *Op {
	t.Helper()
	p := autodiff.NewParams()
	o := &Op{Tape: autodiff.NewTape(p, true), Params: p}
	for _, x := range in {
		o.In = append(o.In, o.Tape.Input(x.Shape, true))
	}
	o.Out = record(p, o.Tape, o.In)
	if n := o.Tape.Shape(o.Out).Size(); n != len(g) {
		t.Fatalf("an upstream gradient of %d elements for a result of %d", len(g), n)
	}
	o.Tape.Keep(o.Out)
	o.Tape.AddLoss("linear", 1, linear(g), o.Out)
	o.Tape.Compile()
	for i, x := range in {
		if n := copy(o.Tape.Data(o.In[i]), x.Data); n != x.Shape.Size() || n != len(x.Data) {
			t.Fatalf("input %d: %d elements for shape %v", i, len(x.Data), x.Shape)
		}
	}
	o.Grad = make([]float32, len(p.Data))
	return o
}

// Forward returns the result for the present inputs and parameters, and Σ g·y. The slice is the tape's own.
func (o *Op) Forward() (y []float32, loss float64) {
	o.Params.Updated()
	loss = o.Tape.Forward()
	return o.Tape.Data(o.Out), loss
}

// VJP runs forward and backward and returns the result and the gradients of Σ g·y with respect to the inputs;
// that with respect to the parameters is in Grad.
func (o *Op) VJP() (y []float32, grads [][]float32) {
	y, _ = o.Forward()
	clear(o.Grad)
	o.Tape.Backward(1, o.Grad)
	for _, v := range o.In {
		grads = append(grads, o.Tape.Grad(v))
	}
	return y, grads
}

// Check compares the gradients with respect to all inputs and parameters with finite differences, as GradCheck.
func (o *Op) Check(t testing.TB, h, rtol float64, what ...any) {
	t.Helper()
	_, grads := o.VJP()
	for i := range grads {
		grads[i] = append([]float32(nil), grads[i]...)
	}
	f := func() float64 {
		_, loss := o.Forward()
		return loss
	}
	for i, g := range grads {
		GradCheck(t, f, o.Tape.Data(o.In[i]), g, h, rtol, append(what, "input", i)...)
	}
	if len(o.Grad) > 0 {
		GradCheck(t, f, o.Params.Data, o.Grad, h, rtol, append(what, "parameters")...)
	}
}
