package layers

import (
	"fmt"

	"ptycho/autodiff"
)

// Upsample records a nearest-neighbour enlargement of x, [B,H,W,C], to [B,2H,2W,C].
func Upsample(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
	s := t.Shape(x)
	if len(s) != 4 {
		panic(fmt.Sprintf("layers: upsampling of %v", s))
	}
	return t.Apply(&upsample{s[0] * s[1], s[2], s[3]}, autodiff.Shape{s[0], 2 * s[1], 2 * s[2], s[3]}, x)
}

type upsample struct{ rows, w, c int }

// Keeps implements autodiff.Keeper.
func (u *upsample) Keeps() (inputs, output bool) { return false, false }

// Forward implements autodiff.Op.
func (u *upsample) Forward(c *autodiff.Context) {
	src, dst := c.In(0), c.Out()
	row := 2 * u.w * u.c
	for r := range u.rows {
		d := dst[2*r*row:][:2*row]
		for x := range u.w {
			s := src[(r*u.w+x)*u.c:][:u.c]
			copy(d[2*x*u.c:], s)
			copy(d[(2*x+1)*u.c:], s)
		}
		copy(d[row:], d[:row])
	}
}

// Backward implements autodiff.Op.
func (u *upsample) Backward(c *autodiff.Context) {
	g := c.GradIn(0)
	if g == nil {
		return
	}
	gy := c.GradOut()
	row := 2 * u.w * u.c
	for r := range u.rows {
		d := gy[2*r*row:][:2*row]
		for x := range u.w {
			s := g[(r*u.w+x)*u.c:][:u.c]
			a, b := d[2*x*u.c:][:u.c], d[(2*x+1)*u.c:][:u.c]
			e, f := d[row+2*x*u.c:][:u.c], d[row+(2*x+1)*u.c:][:u.c]
			for i := range s {
				s[i] += a[i] + b[i] + e[i] + f[i]
			}
		}
	}
}
