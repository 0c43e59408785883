// Package optim updates flat parameter vectors: Adam, learning-rate schedules and gradient clipping.
package optim

import (
	"fmt"
	"math"
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

// Update does one step p ← p − rate·m̂/(√v̂ + ε) in place. The bias corrections are taken in float64.
func (a *Adam) Update(p, grad []float32, rate float64) {
	if len(p) != len(a.M) || len(grad) != len(a.M) {
		panic(fmt.Sprintf("optim: %d parameters and %d gradients for moments of %d", len(p), len(grad), len(a.M)))
	}
	a.Step++
	c1 := 1 - math.Pow(a.Beta1, float64(a.Step))
	c2 := 1 - math.Pow(a.Beta2, float64(a.Step))
	b1, b2 := float32(a.Beta1), float32(a.Beta2)
	d1, d2 := float32(1-a.Beta1), float32(1-a.Beta2)
	alpha, root, eps := float32(rate/c1), float32(1/math.Sqrt(c2)), float32(a.Epsilon)
	m, v := a.M[:len(p)], a.V[:len(p)]
	for i, g := range grad[:len(p)] {
		m[i] = b1*m[i] + d1*g
		v[i] = b2*v[i] + d2*g*g
		p[i] -= alpha * m[i] / (float32(math.Sqrt(float64(v[i])))*root + eps)
	}
}
