package physics

import (
	"fmt"

	"ptycho/autodiff"
	"ptycho/internal/kernel"
)

// Expose records the expected photon counts λ_i = g_i·I_i + b of a detector for the intensities I [n,N,N] of n
// frames: the gains g [n] are how much brighter than the average the beam was in each frame, the background b
// [N,N], in photons, is the same in all of them. The result is [n,N,N].
func Expose(t *autodiff.Tape, intensity, gain, background autodiff.Value) autodiff.Value {
	s := t.Shape(intensity)
	if len(s) != 3 || !t.Shape(gain).Equal(s[:1]) || !t.Shape(background).Equal(s[1:]) {
		panic(fmt.Sprintf("physics: intensities %v with gains %v and background %v", s, t.Shape(gain), t.Shape(background)))
	}
	return t.Apply(&expose{frames: s[0], pixels: s[1] * s[2]}, s, intensity, gain, background)
}

type expose struct{ frames, pixels int }

// Keeps implements autodiff.Keeper.
func (e *expose) Keeps() (inputs, output bool) { return true, false }

// frame returns frame i of v.
func (e *expose) frame(v []float32, i int) []float32 { return v[i*e.pixels:][:e.pixels:e.pixels] }

// add adds w·src to dst, one frame.
func (e *expose) add(dst, src []float32, w float32) {
	kernel.AddRows(dst, e.pixels, src, e.pixels, 1, e.pixels, w)
}

// Forward implements autodiff.Op.
func (e *expose) Forward(c *autodiff.Context) {
	for i, g := range c.In(1) {
		out := e.frame(c.Out(), i)
		copy(out, c.In(2))
		e.add(out, e.frame(c.In(0), i), g)
	}
}

// Backward implements autodiff.Op: G_I = g_i·∂λ_i, G_g = Σ_pixels I_i·∂λ_i, G_b = Σ_i ∂λ_i.
func (e *expose) Backward(c *autodiff.Context) {
	gintensity, ggain, gbackground := c.GradIn(0), c.GradIn(1), c.GradIn(2)
	for i, g := range c.In(1) {
		dlambda := e.frame(c.GradOut(), i)
		if gintensity != nil {
			e.add(e.frame(gintensity, i), dlambda, g)
		}
		if ggain != nil {
			ggain[i] += float32(dot(e.frame(c.In(0), i), dlambda))
		}
		if gbackground != nil {
			e.add(gbackground, dlambda, 1)
		}
	}
}

// dot returns Σ a·b, summed in float64.
func dot(a, b []float32) float64 {
	s := 0.0
	for i, v := range a {
		s += float64(v) * float64(b[i])
	}
	return s
}
