package physics

import (
	"fmt"
	"math"

	"ptycho/autodiff"
)

// Polar records the complex object a·exp(iφ) of an amplitude and a phase, both [B,N,N,C]. The result is
// [B·C,2,N,N]: channel c of sample b is image b·C+c.
func Polar(t *autodiff.Tape, amplitude, phase autodiff.Value) autodiff.Value {
	s := t.Shape(amplitude)
	if len(s) != 4 || !s.Equal(t.Shape(phase)) {
		panic(fmt.Sprintf("physics: amplitude %v and phase %v", s, t.Shape(phase)))
	}
	op := &polar{batch: s[0], pixels: s[1] * s[2], c: s[3]}
	return t.Apply(op, autodiff.Shape{s[0] * s[3], 2, s[1], s[2]}, amplitude, phase)
}

type polar struct{ batch, pixels, c int }

// Keeps implements autodiff.Keeper.
func (p *polar) Keeps() (inputs, output bool) { return true, true }

// Forward implements autodiff.Op.
func (p *polar) Forward(x *autodiff.Context) {
	a, phi, out := x.In(0), x.In(1), x.Out()
	for b := range p.batch {
		for c := range p.c {
			re := out[(b*p.c+c)*2*p.pixels:][:p.pixels]
			im := out[((b*p.c+c)*2+1)*p.pixels:][:p.pixels]
			for i := range re {
				k := (b*p.pixels+i)*p.c + c
				sin, cos := math.Sincos(float64(phi[k]))
				re[i], im[i] = float32(float64(a[k])*cos), float32(float64(a[k])*sin)
			}
		}
	}
}

// Backward implements autodiff.Op: with G the gradient of the field, ∂a = Re(G·e^{−iφ}) and
// ∂φ = Im(G·conj O) = G_im·O_re − G_re·O_im.
func (p *polar) Backward(x *autodiff.Context) {
	phi, out, g := x.In(1), x.Out(), x.GradOut()
	ga, gphi := x.GradIn(0), x.GradIn(1)
	for b := range p.batch {
		for c := range p.c {
			o := (b*p.c + c) * 2 * p.pixels
			re, im := out[o:][:p.pixels], out[o+p.pixels:][:p.pixels]
			gre, gim := g[o:][:p.pixels], g[o+p.pixels:][:p.pixels]
			for i := range re {
				k := (b*p.pixels+i)*p.c + c
				if ga != nil {
					sin, cos := math.Sincos(float64(phi[k]))
					ga[k] += float32(float64(gre[i])*cos + float64(gim[i])*sin)
				}
				if gphi != nil {
					gphi[k] += gim[i]*re[i] - gre[i]*im[i]
				}
			}
		}
	}
}
