package physics

import (
	"fmt"

	"ptycho/autodiff"
	"ptycho/internal/kernel"
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

// ScratchLen implements autodiff.Scratcher.
func (p *polar) ScratchLen() int { return 5 * p.pixels }

// Keeps implements autodiff.Keeper.
func (p *polar) Keeps() (inputs, output bool) { return true, false }

// Forward implements autodiff.Op.
func (p *polar) Forward(x *autodiff.Context) {
	a, phi := x.Scratch(2 * p.pixels)[:p.pixels], x.Scratch(2 * p.pixels)[p.pixels:]
	for i := range p.batch * p.c {
		p.channel(a, x.In(0), i)
		p.channel(phi, x.In(1), i)
		re, im := planes(x.Out(), i, p.pixels)
		kernel.Sincos(im, re, phi)
		kernel.Mul(re, re, a)
		kernel.Mul(im, im, a)
	}
}

// Backward implements autodiff.Op: with G the gradient of the field, ∂a = Re(G·e^{−iφ}) and
// ∂φ = Im(G·conj O) = a·Im(G·e^{−iφ}).
func (p *polar) Backward(x *autodiff.Context) {
	ga, gphi := x.GradIn(0), x.GradIn(1)
	s, n := x.Scratch(p.ScratchLen()), p.pixels
	sin, cos, in, sum := s[:n], s[n:2*n], s[2*n:3*n], s[3*n:]
	for i := range p.batch * p.c {
		p.channel(in, x.In(1), i)
		kernel.Sincos(sin, cos, in)
		gre, gim := planes(x.GradOut(), i, n)
		clear(sum)
		kernel.AddConjMul(sum[:n], sum[n:], cos, sin, gre, gim)
		if ga != nil {
			p.addChannel(ga, sum[:n], i)
		}
		if gphi != nil {
			p.channel(in, x.In(0), i)
			kernel.Mul(sum[n:], sum[n:], in)
			p.addChannel(gphi, sum[n:], i)
		}
	}
}

// channel copies channel i%C of sample i/C of a channels-last image.
func (p *polar) channel(dst, image []float32, i int) {
	image = image[i/p.c*p.pixels*p.c:][:p.pixels*p.c]
	for k, at := 0, i%p.c; at < len(image); k, at = k+1, at+p.c {
		dst[k] = image[at]
	}
}

// addChannel is the transpose of channel.
func (p *polar) addChannel(image, src []float32, i int) {
	image = image[i/p.c*p.pixels*p.c:][:p.pixels*p.c]
	for k, at := 0, i%p.c; at < len(image); k, at = k+1, at+p.c {
		image[at] += src[k]
	}
}
