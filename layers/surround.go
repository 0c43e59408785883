package layers

import (
	"fmt"

	"ptycho/autodiff"
	"ptycho/internal/kernel"
)

// Surround records an image [B,N,N,C] that is inner, [B,N/2,N/2,C], in its central half and outer,
// [B,N,N,C], around it. Without outer (zero Value and ok false) the surroundings are zero.
func Surround(t *autodiff.Tape, inner autodiff.Value, outer autodiff.Value, ok bool) autodiff.Value {
	s := t.Shape(inner)
	if len(s) != 4 || s[1] != s[2] || s[1]%2 != 0 {
		panic(fmt.Sprintf("layers: surrounding %v", s))
	}
	shape := autodiff.Shape{s[0], 2 * s[1], 2 * s[2], s[3]}
	op := &surround{batch: s[0], n: 2 * s[1], c: s[3]}
	if !ok {
		return t.Apply(op, shape, inner)
	}
	if !t.Shape(outer).Equal(shape) {
		panic(fmt.Sprintf("layers: surrounding %v with %v", s, t.Shape(outer)))
	}
	return t.Apply(op, shape, inner, outer)
}

type surround struct{ batch, n, c int }

// Keeps implements autodiff.Keeper.
func (s *surround) Keeps() (inputs, output bool) { return false, false }

// rows calls f for every row of the central half: its start in the whole and in the inner image.
func (s *surround) rows(f func(whole, inner, length int)) {
	q, h := s.n/4, s.n/2
	for b := range s.batch {
		for y := range h {
			f(((b*s.n+q+y)*s.n+q)*s.c, (b*h+y)*h*s.c, h*s.c)
		}
	}
}

// Forward implements autodiff.Op.
func (s *surround) Forward(c *autodiff.Context) {
	y, inner := c.Out(), c.In(0)
	if c.Inputs() == 2 {
		copy(y, c.In(1))
	} else {
		clear(y)
	}
	s.rows(func(whole, in, n int) { copy(y[whole:][:n], inner[in:]) })
}

// Backward implements autodiff.Op.
func (s *surround) Backward(c *autodiff.Context) {
	gy := c.GradOut()
	if gi := c.GradIn(0); gi != nil {
		s.rows(func(whole, in, n int) { kernel.Add(gi[in:][:n], gi[in:][:n], gy[whole:][:n]) })
	}
	if c.Inputs() < 2 {
		return
	}
	if g := c.GradIn(1); g != nil {
		s.rows(func(whole, _, n int) { clear(gy[whole:][:n]) })
		kernel.Add(g, g, gy)
	}
}
