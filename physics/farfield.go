package physics

import (
	"fmt"

	"ptycho/autodiff"
	"ptycho/fft"
	"ptycho/internal/kernel"
)

// FarField records the waves on the detector ψ̂_m = F(P_m·O), F the unitary Fourier transform, for objects
// [n,2,N,N] and a probe [modes,2,N,N]. The result is [n·modes,2,N,N]: mode m of object i is image i·modes+m.
func FarField(t *autodiff.Tape, plan *fft.Plan, object, probe autodiff.Value) autodiff.Value {
	so, sp := t.Shape(object), t.Shape(probe)
	if len(so) != 4 || len(sp) != 4 || so[1] != 2 || !so[1:].Equal(sp[1:]) {
		panic(fmt.Sprintf("physics: objects %v under probe %v", so, sp))
	}
	op := &farField{plan: plan, objects: so[0], modes: sp[0], pixels: so[2] * so[3]}
	return t.Apply(op, autodiff.Shape{so[0] * sp[0], 2, so[2], so[3]}, object, probe)
}

type farField struct {
	plan                   *fft.Plan
	objects, modes, pixels int
}

// ScratchLen implements autodiff.Scratcher.
func (f *farField) ScratchLen() int { return f.plan.WorkLen() }

// Keeps implements autodiff.Keeper.
func (f *farField) Keeps() (inputs, output bool) { return true, false }

// planes returns the real and imaginary plane of image i.
func planes(v []float32, i, pixels int) (re, im []float32) {
	return v[2*i*pixels:][:pixels:pixels], v[(2*i+1)*pixels:][:pixels:pixels]
}

// Forward implements autodiff.Op.
func (f *farField) Forward(c *autodiff.Context) {
	object, probe, out := c.In(0), c.In(1), c.Out()
	work := c.Scratch(f.plan.WorkLen())
	for i := range f.objects {
		or, oi := planes(object, i, f.pixels)
		for m := range f.modes {
			pr, pi := planes(probe, m, f.pixels)
			re, im := planes(out, i*f.modes+m, f.pixels)
			kernel.MulComplex(re, im, or, oi, pr, pi)
			f.plan.Forward(re, im, work)
		}
	}
}

// Backward implements autodiff.Op: G_ψ = F⁻¹G_ψ̂, G_O = Σ_m conj(P_m)·G_ψ, G_P = Σ conj(O)·G_ψ.
func (f *farField) Backward(c *autodiff.Context) {
	object, probe, g := c.In(0), c.In(1), c.GradOut()
	gobj, gprobe := c.GradIn(0), c.GradIn(1)
	work := c.Scratch(f.plan.WorkLen())
	for i := range f.objects {
		for m := range f.modes {
			re, im := planes(g, i*f.modes+m, f.pixels)
			f.plan.Inverse(re, im, work)
			if gobj != nil {
				pr, pi := planes(probe, m, f.pixels)
				gr, gi := planes(gobj, i, f.pixels)
				kernel.AddConjMul(gr, gi, pr, pi, re, im)
			}
			if gprobe != nil {
				or, oi := planes(object, i, f.pixels)
				gr, gi := planes(gprobe, m, f.pixels)
				kernel.AddConjMul(gr, gi, or, oi, re, im)
			}
		}
	}
}

// Detect records the expected photon counts λ = S²·Σ_m |ψ̂_m|² of the waves [n·modes,2,N,N] on the detector;
// the result is [n,N,N]. It is the only place where a predicted wave becomes an intensity.
func Detect(t *autodiff.Tape, waves autodiff.Value, modes int, scale float64) autodiff.Value {
	s := t.Shape(waves)
	if len(s) != 4 || s[1] != 2 || modes < 1 || s[0]%modes != 0 {
		panic(fmt.Sprintf("physics: %d modes in waves %v", modes, s))
	}
	op := &detect{frames: s[0] / modes, modes: modes, pixels: s[2] * s[3], s2: float32(scale * scale)}
	return t.Apply(op, autodiff.Shape{op.frames, s[2], s[3]}, waves)
}

type detect struct {
	frames, modes, pixels int
	s2                    float32
}

// Keeps implements autodiff.Keeper.
func (d *detect) Keeps() (inputs, output bool) { return true, false }

// Forward implements autodiff.Op.
func (d *detect) Forward(c *autodiff.Context) {
	waves, out := c.In(0), c.Out()
	clear(out)
	for i := range d.frames * d.modes {
		re, im := planes(waves, i, d.pixels)
		kernel.AddNorm(out[i/d.modes*d.pixels:][:d.pixels], re, im, d.s2)
	}
}

// Backward implements autodiff.Op: G_ψ̂ = 2·S²·∂λ·ψ̂.
func (d *detect) Backward(c *autodiff.Context) {
	gw := c.GradIn(0)
	if gw == nil {
		return
	}
	waves, g := c.In(0), c.GradOut()
	for i := range d.frames * d.modes {
		re, im := planes(waves, i, d.pixels)
		gr, gi := planes(gw, i, d.pixels)
		dlambda := g[i/d.modes*d.pixels:][:d.pixels]
		kernel.AddMul(gr, dlambda, re, 2*d.s2)
		kernel.AddMul(gi, dlambda, im, 2*d.s2)
	}
}
