package metrics

import (
	"fmt"

	"ptycho/internal/kernel"
)

// Fit accumulates how well expected counts λ explain measured counts k, over the pixels that were measured,
// k ≥ 0. The zero value is an empty fit.
type Fit struct {
	Epsilon float64 // added to λ in the Poisson excess, as in the loss; above 0 unless all λ are

	pixels          int
	counts, roots   float64 // Σk, Σ√k
	squares, moduli float64 // Σ(√k−√λ)², Σ|√k−√λ|
	excess          float64
}

// Add adds the pixels of a frame, expected counts lambda ≥ 0 and measured counts k; those with k < 0 were not
// measured and do not count. It panics when the lengths differ.
func (f *Fit) Add(lambda, k []float32) {
	if len(lambda) != len(k) {
		panic(fmt.Sprintf("metrics: %d expected counts and %d measured ones", len(lambda), len(k)))
	}
	for _, v := range k {
		if v >= 0 {
			f.pixels++
			f.counts += float64(v)
		}
	}
	moduli, roots := kernel.AbsError(lambda, k)
	f.moduli += moduli
	f.roots += roots
	f.squares += kernel.AmplitudeError(lambda, k, 0)
	f.excess += kernel.PoissonExcess(lambda, k, f.Epsilon)
}

// Plus returns the fit to the pixels of f and of g. Sums of rounded numbers depend on the order: the same
// parts in the same order give the same bits. It panics when the values of Epsilon differ.
func (f Fit) Plus(g Fit) Fit {
	if f.Epsilon != g.Epsilon {
		panic(fmt.Sprintf("metrics: fits with epsilon %g and %g", f.Epsilon, g.Epsilon))
	}
	f.pixels += g.pixels
	f.counts += g.counts
	f.roots += g.roots
	f.squares += g.squares
	f.moduli += g.moduli
	f.excess += g.excess
	return f
}

// Pixels returns how many measured pixels were added.
func (f Fit) Pixels() int { return f.pixels }

// Counts returns the photons in them, Σk.
func (f Fit) Counts() float64 { return f.counts }

// Error returns Σ(√k−√λ)² / Σk, the squared relative error of the moduli (Fienup, Appl. Opt. 21
// (1982) 2758), 0 when there are no counts.
func (f Fit) Error() float64 { return ratio(f.squares, f.counts) }

// R returns Σ|√k−√λ| / Σ√k, the R-factor of crystallography on moduli, 0 when there are no counts.
func (f Fit) R() float64 { return ratio(f.moduli, f.roots) }

// PoissonExcess returns Σ(λ̃ − k − k·ln(λ̃/k)) / pixels, λ̃ = λ + Epsilon: by how much the negative log-likelihood of
// the counts exceeds the smallest possible one, in nats per measured pixel. True λ of many photons a pixel leave
// ½; it is 0 when there are no pixels.
func (f Fit) PoissonExcess() float64 { return ratio(f.excess, float64(f.pixels)) }

// ratio returns a/b, or 0 for b = 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
