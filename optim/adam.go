// Package optim updates flat parameter vectors: Adam, learning-rate schedules and gradient clipping.
package optim

import (
	"fmt"
	"math"

	"ptycho/internal/kernel"
)

// Adam is the optimiser of Kingma & Ba (2015). The zero value is not usable: make one with NewAdam.
type Adam struct {
	Beta1, Beta2, Epsilon float64

	M, V []float32 // first and second moments, in the layout of the parameters
	Step int       // number of updates done
}

// NewAdam returns an optimiser of n parameters with β₁ = 0.9, β₂ = 0.999 and ε = 1e-7.
func NewAdam(n int) *Adam {
	return &Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-7, M: make([]float32, n), V: make([]float32, n)}
}

// Update does one step p ← p − rate·m̂/(√v̂ + ε) in place, for the gradient scale·grad. The bias corrections are taken
// in float64. It panics when the lengths differ.
func (a *Adam) Update(p, grad []float32, scale, rate float64) {
	if len(p) != len(a.M) || len(grad) != len(a.M) {
		panic(fmt.Sprintf("optim: %d parameters and %d gradients for moments of %d", len(p), len(grad), len(a.M)))
	}
	a.Step++
	c1 := 1 - math.Pow(a.Beta1, float64(a.Step))
	c2 := 1 - math.Pow(a.Beta2, float64(a.Step))
	kernel.Adam(p, a.M, a.V, grad, kernel.AdamStep{
		Scale: float32(scale),
		Beta1: float32(a.Beta1), Rest1: float32(1 - a.Beta1),
		Beta2: float32(a.Beta2), Rest2: float32(1 - a.Beta2),
		Alpha: float32(rate / c1), Root: float32(1 / math.Sqrt(c2)), Epsilon: float32(a.Epsilon),
	})
}
