package refine

import (
	"ptycho/autodiff"
	"ptycho/internal/kernel"
)

// amplitudeFit is the loss Σ(√λ̃ − √k)² of the counts k (input 1) under λ̃ = λ + epsilon (input 0), a sum over the pixels
// with k ≥ 0. It finds in one pass what the record of a sweep needs besides, and the gradient.
type amplitudeFit struct {
	epsilon           float32
	grad              []float32 // by λ
	square, abs, root float64   // Σ(√λ̃ − √k)², Σ|√λ̃ − √k|, Σ√k
}

// look fills in the figures.
func (a *amplitudeFit) look(lambda, k []float32) {
	a.square, a.abs, a.root = kernel.AmplitudeFit(a.grad, lambda, k, a.epsilon)
}

// Keeps implements autodiff.Keeper.
func (a *amplitudeFit) Keeps() (inputs, output bool) { return false, false }

// Forward implements autodiff.Loss.
func (a *amplitudeFit) Forward(c *autodiff.Context) float64 {
	a.look(c.In(0), c.In(1))
	return a.square
}

// Backward implements autodiff.Loss.
func (a *amplitudeFit) Backward(c *autodiff.Context, scale float64) {
	if g := c.GradIn(0); g != nil {
		kernel.AddRows(g, len(g), a.grad, len(g), 1, len(g), float32(scale))
	}
}
