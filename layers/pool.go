package layers

import (
	"fmt"

	"ptycho/autodiff"
	"ptycho/internal/kernel"
)

// MaxPool records a 2×2 maximum pooling with stride 2 of x, [B,H,W,C]; an odd last row or column is
// dropped. Of equal values the first in row-major order gets the gradient.
func MaxPool(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
	s := t.Shape(x)
	if len(s) != 4 || s[1] < 2 || s[2] < 2 {
		panic(fmt.Sprintf("layers: max pooling of %v", s))
	}
	return t.Apply(&maxPool{s[0], s[1], s[2], s[3]}, autodiff.Shape{s[0], s[1] / 2, s[2] / 2, s[3]}, x)
}

type maxPool struct{ b, h, w, c int }

// rows calls f for every output row: its start, its length and the starts of the two input rows under it.
func (p *maxPool) rows(f func(out, n, top, bottom int)) {
	n, row := p.w/2*p.c, p.w*p.c
	for b := range p.b {
		for y := range p.h / 2 {
			top := (b*p.h + 2*y) * row
			f((b*(p.h/2)+y)*n, n, top, top+row)
		}
	}
}

// Forward implements autodiff.Op.
func (p *maxPool) Forward(c *autodiff.Context) {
	src, dst := c.In(0), c.Out()
	p.rows(func(out, n, top, bottom int) {
		kernel.MaxPool(dst[out:][:n], src[top:][:2*n], src[bottom:][:2*n], p.c)
	})
}

// Backward implements autodiff.Op.
func (p *maxPool) Backward(c *autodiff.Context) {
	g := c.GradIn(0)
	if g == nil {
		return
	}
	src, dst, gy := c.In(0), c.Out(), c.GradOut()
	p.rows(func(out, n, top, bottom int) {
		kernel.MaxPoolGrad(g[top:][:2*n], g[bottom:][:2*n], src[top:][:2*n], src[bottom:][:2*n], dst[out:][:n], gy[out:][:n], p.c)
	})
}
