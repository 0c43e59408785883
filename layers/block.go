package layers

import (
	"fmt"

	"ptycho/autodiff"
)

// DoubleConv is two 3×3 convolutions with ReLU, the block of which encoder and decoder are made.
type DoubleConv struct{ Conv1, Conv2 *Conv2D }

// NewDoubleConv adds name.conv1 (in → out channels) and name.conv2 (out → out) to p.
func NewDoubleConv(p *autodiff.Params, seed uint64, name string, in, out int) *DoubleConv {
	return &DoubleConv{
		Conv1: NewConv2D(p, seed, name+".conv1", in, out, 3, true),
		Conv2: NewConv2D(p, seed, name+".conv2", out, out, 3, true),
	}
}

// Apply records the block on x, [B,H,W,In].
func (d *DoubleConv) Apply(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
	return d.Conv2.Apply(t, d.Conv1.Apply(t, x))
}

// Stack is a sequence of blocks, each followed by a change of scale.
type Stack struct {
	Blocks []*DoubleConv
	Scale  func(*autodiff.Tape, autodiff.Value) autodiff.Value // MaxPool or Upsample
}

// NewStack adds the blocks name.0, name.1, … with the given numbers of output channels to p.
func NewStack(p *autodiff.Params, seed uint64, name string, in int, filters []int, scale func(*autodiff.Tape, autodiff.Value) autodiff.Value) *Stack {
	s := &Stack{Scale: scale}
	for i, f := range filters {
		s.Blocks = append(s.Blocks, NewDoubleConv(p, seed, fmt.Sprintf("%s.%d", name, i), in, f))
		in = f
	}
	return s
}

// Apply records all blocks on x.
func (s *Stack) Apply(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
	for _, b := range s.Blocks {
		x = s.Scale(t, b.Apply(t, x))
	}
	return x
}
