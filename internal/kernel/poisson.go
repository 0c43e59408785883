package kernel

import "math"

// PoissonExcess returns by how much the Poisson negative log-likelihoods of the counts k under λ̃ = λ + eps > 0 exceed
// their smallest values: Σ(λ̃ − k − k·ln(λ̃/k)) ≥ 0, in float64 and accurate also where λ̃ is close to k. A negative k
// was not measured and adds nothing. It panics when the lengths differ.
func PoissonExcess(lambda, k []float32, eps float64) float64 {
	equalLen("PoissonExcess", len(lambda), len(k))
	f, sum := elem().poissonExcess, 0.0
	for lo := 0; lo < len(lambda); lo += chunk {
		hi := min(lo+chunk, len(lambda))
		sum += f(lambda[lo:hi], k[lo:hi], eps)
	}
	return sum
}

// PoissonGrad adds w·(1 − k/(λ+eps)), w times the derivative of PoissonExcess, to dlambda where k ≥ 0. It panics when
// the lengths differ.
func PoissonGrad(dlambda, lambda, k []float32, w, eps float32) {
	equalLen("PoissonGrad", len(dlambda), len(lambda), len(k))
	elem().poissonGrad(dlambda, lambda, k, w, eps)
}

func poissonExcessGeneric(lambda, k []float32, eps float64) float64 {
	s := 0.0
	for i, v := range lambda {
		l, x := float64(v)+eps, float64(k[i])
		switch {
		case x < 0:
		case x == 0:
			s += l
		default:
			s += x * logExcess(l, x)
		}
	}
	return s
}

// logExcess returns d − ln(1+d) ≥ 0 for 1 + d = l/x, which for small d is d²/2.
func logExcess(l, x float64) float64 {
	d := (l - x) / x
	if math.Abs(d) < 0.5 {
		return d - math.Log1p(d)
	}
	return d - math.Log(l/x)
}

func poissonGradGeneric(dlambda, lambda, k []float32, w, eps float32) {
	for i, v := range k {
		if v < 0 {
			continue
		}
		dlambda[i] += w * (1 - v/(lambda[i]+eps))
	}
}
