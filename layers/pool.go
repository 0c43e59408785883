package layers

import (
	"fmt"

	"ptycho/autodiff"
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

// window returns the start of the four inputs of output pixel (y, x) of image b.
func (p *maxPool) window(b, y, x int) [4]int {
	i := ((b*p.h+2*y)*p.w + 2*x) * p.c
	return [4]int{i, i + p.c, i + p.w*p.c, i + p.w*p.c + p.c}
}

// Forward implements autodiff.Op.
func (p *maxPool) Forward(c *autodiff.Context) {
	src, dst := c.In(0), c.Out()
	for b := range p.b {
		for y := range p.h / 2 {
			for x := range p.w / 2 {
				k := p.window(b, y, x)
				d := dst[((b*(p.h/2)+y)*(p.w/2)+x)*p.c:][:p.c]
				s0, s1, s2, s3 := src[k[0]:][:p.c], src[k[1]:][:p.c], src[k[2]:][:p.c], src[k[3]:][:p.c]
				for i := range d {
					d[i] = max(s0[i], s1[i], s2[i], s3[i])
				}
			}
		}
	}
}

// Backward implements autodiff.Op.
func (p *maxPool) Backward(c *autodiff.Context) {
	g := c.GradIn(0)
	if g == nil {
		return
	}
	src, dst, gy := c.In(0), c.Out(), c.GradOut()
	for b := range p.b {
		for y := range p.h / 2 {
			for x := range p.w / 2 {
				k := p.window(b, y, x)
				o := ((b*(p.h/2)+y)*(p.w/2) + x) * p.c
				d, gd := dst[o:][:p.c], gy[o:][:p.c]
				s0, s1, s2 := src[k[0]:][:p.c], src[k[1]:][:p.c], src[k[2]:][:p.c]
				for i, v := range d {
					from := k[3]
					switch v {
					case s0[i]:
						from = k[0]
					case s1[i]:
						from = k[1]
					case s2[i]:
						from = k[2]
					}
					g[from+i] += gd[i]
				}
			}
		}
	}
}
