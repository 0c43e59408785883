package layers

import (
	"fmt"

	"ptycho/autodiff"
	"ptycho/internal/kernel"
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
	src, dst, n := c.In(0), c.Out(), u.w*u.c
	for r := range u.rows {
		kernel.Upsample(dst[4*r*n:][:2*n], dst[(4*r+2)*n:][:2*n], src[r*n:][:n], u.c)
	}
}

// Backward implements autodiff.Op.
func (u *upsample) Backward(c *autodiff.Context) {
	g := c.GradIn(0)
	if g == nil {
		return
	}
	gy, n := c.GradOut(), u.w*u.c
	for r := range u.rows {
		kernel.UpsampleGrad(g[r*n:][:n], gy[4*r*n:][:2*n], gy[(4*r+2)*n:][:2*n], u.c)
	}
}
