package physics

import (
	"math"

	"ptycho/autodiff"
)

// TotalVariation is Σ(Δx² + Δy²) over the real and imaginary planes of complex images [n,2,H,W] (input 0),
// per image.
type TotalVariation struct{ Images, H, W int }

// Keeps implements autodiff.Keeper.
func (v *TotalVariation) Keeps() (inputs, output bool) { return true, false }

// pairs calls f with the indices of all horizontal and vertical neighbours.
func (v *TotalVariation) pairs(f func(i, j int)) {
	for p := range v.Images * 2 {
		for y := range v.H {
			for x := range v.W {
				i := (p*v.H+y)*v.W + x
				if x+1 < v.W {
					f(i, i+1)
				}
				if y+1 < v.H {
					f(i, i+v.W)
				}
			}
		}
	}
}

// Forward implements autodiff.Loss.
func (v *TotalVariation) Forward(c *autodiff.Context) float64 {
	x, s := c.In(0), 0.0
	v.pairs(func(i, j int) { d := float64(x[j]) - float64(x[i]); s += d * d })
	return s / float64(v.Images)
}

// Backward implements autodiff.Loss.
func (v *TotalVariation) Backward(c *autodiff.Context, scale float64) {
	g := c.GradIn(0)
	if g == nil {
		return
	}
	x := c.In(0)
	w := float32(2 * scale / float64(v.Images))
	v.pairs(func(i, j int) {
		d := w * (x[j] - x[i])
		g[j] += d
		g[i] -= d
	})
}

// MeanAbsolute is mean|a − b| of two tensors of equal size: the real-space loss for an amplitude or a phase
// whose truth is known.
type MeanAbsolute struct{}

// Keeps implements autodiff.Keeper.
func (MeanAbsolute) Keeps() (inputs, output bool) { return true, false }

// Forward implements autodiff.Loss.
func (MeanAbsolute) Forward(c *autodiff.Context) float64 {
	a, b := c.In(0), c.In(1)
	s := 0.0
	for i, v := range a {
		s += math.Abs(float64(v) - float64(b[i]))
	}
	return s / float64(len(a))
}

// Backward implements autodiff.Loss; the gradient flows to a only.
func (MeanAbsolute) Backward(c *autodiff.Context, scale float64) {
	g := c.GradIn(0)
	if g == nil {
		return
	}
	a, b := c.In(0), c.In(1)
	w := float32(scale / float64(len(a)))
	for i, v := range a {
		switch {
		case v > b[i]:
			g[i] += w
		case v < b[i]:
			g[i] -= w
		}
	}
}
