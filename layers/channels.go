package layers

import (
	"fmt"

	"ptycho/autodiff"
	"ptycho/internal/kernel"
)

// Channels records the channels [from, to) of x, the last axis. It panics when they are out of range.
func Channels(t *autodiff.Tape, x autodiff.Value, from, to int) autodiff.Value {
	s := t.Shape(x)
	of := s[len(s)-1]
	if from < 0 || to > of || from >= to {
		panic(fmt.Sprintf("layers: channels %d to %d of %v", from, to, s))
	}
	out := append(append(autodiff.Shape{}, s[:len(s)-1]...), to-from)
	return t.Apply(channels{from, to - from, of}, out, x)
}

type channels struct{ from, count, of int }

// Keeps implements autodiff.Keeper.
func (channels) Keeps() (inputs, output bool) { return false, false }

// Forward implements autodiff.Op.
func (k channels) Forward(c *autodiff.Context) {
	x, y := c.In(0), c.Out()
	for i := 0; i < len(y)/k.count; i++ {
		copy(y[i*k.count:][:k.count], x[i*k.of+k.from:])
	}
}

// Backward implements autodiff.Op.
func (k channels) Backward(c *autodiff.Context) {
	if gx := c.GradIn(0); gx != nil {
		gy := c.GradOut()
		kernel.AddRows(gx[k.from:], k.of, gy, k.count, len(gy)/k.count, k.count, 1)
	}
}
