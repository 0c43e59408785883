package physics

import (
	"math"

	"ptycho/autodiff"
	"ptycho/internal/kernel"
)

// PoissonNLL is the negative logarithm of the Poisson probability of the measured counts k (input 1) given
// the expected counts λ (input 0), a mean over pixels:
//
//	L = mean(λ̃ − k·ln λ̃ + ln Γ(k+1)) / Norm,   λ̃ = λ + Epsilon
//
// Nothing is dropped, so the value can be compared between doses. It is computed as an excess over the
// entropy floor, which does not cancel at high dose.
//
// A negative count is a pixel that was not measured: dead, saturated, in a gap or held out. It has no loss and
// no gradient; the mean is still over all pixels.
type PoissonNLL struct {
	Epsilon float64 // keeps λ = 0 finite
	Norm    float64 // usually the mean count, which makes gradients independent of the dose

	// Floor is the value at λ̃ = k without Norm, the mean over pixels: PoissonFloor of the same counts,
	// set by the caller before every forward pass.
	Floor float64
}

// PoissonEpsilon returns the floor of the expected counts for a data set of the given mean count.
func PoissonEpsilon(meanCount float64) float64 { return 1e-6*meanCount + 1e-8 }

// PoissonFloor returns the smallest possible Poisson negative log-likelihood of the counts k, a mean over
// pixels: mean(k − k·ln k + ln Γ(k+1)), in which pixels that were not measured count as zero.
func PoissonFloor(k []float32) float64 {
	s := 0.0
	for _, v := range k {
		if v > 0 {
			x := float64(v)
			g, _ := math.Lgamma(x + 1)
			s += x - x*math.Log(x) + g
		}
	}
	return s / float64(len(k))
}

// Keeps implements autodiff.Keeper.
func (p *PoissonNLL) Keeps() (inputs, output bool) { return true, false }

// Forward implements autodiff.Loss.
func (p *PoissonNLL) Forward(c *autodiff.Context) float64 {
	return (p.Floor + PoissonExcess(c.In(0), c.In(1), p.Epsilon)) / p.Norm
}

// PoissonExcess returns by how much the Poisson negative log-likelihood of the counts k under λ + epsilon
// exceeds its floor, a mean over pixels, in which those that were not measured count as zero:
// mean(λ̃ − k − k·ln(λ̃/k)) ≥ 0.
func PoissonExcess(lambda, k []float32, epsilon float64) float64 {
	return kernel.PoissonExcess(lambda, k, epsilon) / float64(len(lambda))
}

// Backward implements autodiff.Loss: ∂L/∂λ = (1 − k/λ̃) / (pixels·Norm).
func (p *PoissonNLL) Backward(c *autodiff.Context, scale float64) {
	g := c.GradIn(0)
	if g == nil {
		return
	}
	lambda, k := c.In(0), c.In(1)
	w, eps := float32(scale/(p.Norm*float64(len(lambda)))), float32(p.Epsilon)
	kernel.PoissonGrad(g, lambda, k, w, eps)
}

// AmplitudeLoss compares the moduli √(λ + Epsilon) and √k of expected (input 0) and measured (input 1)
// counts: mean|√λ̃ − √k| / Norm, or mean (√λ̃ − √k)² / Norm if Squared, the variance-stabilised Poisson
// likelihood. As in PoissonNLL, a pixel with k < 0 has no loss and no gradient, and the mean is over all pixels.
type AmplitudeLoss struct {
	Squared       bool
	Epsilon, Norm float64
}

// Keeps implements autodiff.Keeper.
func (a *AmplitudeLoss) Keeps() (inputs, output bool) { return true, false }

// Forward implements autodiff.Loss.
func (a *AmplitudeLoss) Forward(c *autodiff.Context) float64 {
	lambda, k := c.In(0), c.In(1)
	s := 0.0
	if a.Squared {
		s = kernel.AmplitudeError(lambda, k, a.Epsilon)
	} else {
		for i, v := range lambda {
			if k[i] < 0 {
				continue
			}
			s += math.Abs(math.Sqrt(float64(v)+a.Epsilon) - math.Sqrt(float64(k[i])))
		}
	}
	return s / (float64(len(lambda)) * a.Norm)
}

// Backward implements autodiff.Loss.
func (a *AmplitudeLoss) Backward(c *autodiff.Context, scale float64) {
	g := c.GradIn(0)
	if g == nil {
		return
	}
	lambda, k := c.In(0), c.In(1)
	w := scale / (a.Norm * float64(len(lambda)))
	if a.Squared {
		kernel.AmplitudeGrad(g, lambda, k, float32(w), float32(a.Epsilon))
		return
	}
	for i, v := range lambda {
		if k[i] < 0 {
			continue
		}
		m := math.Sqrt(float64(v) + a.Epsilon)
		switch d := m - math.Sqrt(float64(k[i])); {
		case d > 0:
			g[i] += float32(w / (2 * m))
		case d < 0:
			g[i] -= float32(w / (2 * m))
		}
	}
}
