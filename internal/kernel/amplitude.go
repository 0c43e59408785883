package kernel

import "math"

// AmplitudeError returns Σ(√λ̃ − √k)² of the counts k ≥ 0 under λ̃ = λ + eps ≥ 0, in float64 and accurate also where λ̃
// is close to k. A negative k was not measured and adds nothing. It panics when the lengths differ.
func AmplitudeError(lambda, k []float32, eps float64) float64 {
	equalLen("AmplitudeError", len(lambda), len(k))
	f, sum := elem().amplitudeError, 0.0
	for lo := 0; lo < len(lambda); lo += chunk {
		hi := min(lo+chunk, len(lambda))
		sum += f(lambda[lo:hi], k[lo:hi], eps)
	}
	return sum
}

// AmplitudeGrad adds w·(1 − √(k/λ̃)) with λ̃ = λ + eps > 0, w times the derivative of AmplitudeError, to dlambda where
// k ≥ 0. It panics when the lengths differ.
func AmplitudeGrad(dlambda, lambda, k []float32, w, eps float32) {
	equalLen("AmplitudeGrad", len(dlambda), len(lambda), len(k))
	elem().amplitudeGrad(dlambda, lambda, k, w, eps)
}

// AbsError returns Σ|√λ − √k| and Σ√k of the counts k ≥ 0 under λ ≥ 0, in float64: their quotient is the R-factor. A
// negative k was not measured and adds nothing. It panics when the lengths differ.
func AbsError(lambda, k []float32) (sumAbs, sumRoot float64) {
	equalLen("AbsError", len(lambda), len(k))
	f := elem().absError
	for lo := 0; lo < len(lambda); lo += chunk {
		hi := min(lo+chunk, len(lambda))
		d, r := f(lambda[lo:hi], k[lo:hi])
		sumAbs, sumRoot = sumAbs+d, sumRoot+r
	}
	return sumAbs, sumRoot
}

// AmplitudeFit writes 1 − √(k/λ̃) with λ̃ = λ + eps > 0, the derivative of Σ(√λ̃ − √k)², to grad and returns that sum,
// Σ|√λ̃ − √k| and Σ√k: all that a fit of the counts k ≥ 0 wants to know, in one pass. The summands have the precision of
// float32, relative to themselves. A negative k was not measured: it adds nothing, and its grad is zero. It panics when the
// lengths differ.
func AmplitudeFit(grad, lambda, k []float32, eps float32) (square, abs, root float64) {
	equalLen("AmplitudeFit", len(grad), len(lambda), len(k))
	f := elem().amplitudeFit
	for lo := 0; lo < len(lambda); lo += chunk {
		hi := min(lo+chunk, len(lambda))
		s, a, r := f(grad[lo:hi], lambda[lo:hi], k[lo:hi], eps)
		square, abs, root = square+s, abs+a, root+r
	}
	return square, abs, root
}

// smallestNormal is the smallest normal float64.
const smallestNormal = 0x1p-1022

// amplitudeErrorGeneric uses (√λ̃ − √k)² = (λ̃ − k)² / (λ̃ + k + 2√(λ̃k)), in which nothing cancels but exact numbers.
func amplitudeErrorGeneric(lambda, k []float32, eps float64) float64 {
	s := 0.0
	for i, v := range k {
		if v < 0 {
			continue
		}
		l, x := float64(lambda[i])+eps, float64(v)
		s += (l - x) * (l - x) / max(l+x+2*math.Sqrt(l*x), smallestNormal)
	}
	return s
}

func amplitudeGradGeneric(dlambda, lambda, k []float32, w, eps float32) {
	for i, v := range k {
		if v < 0 {
			continue
		}
		dlambda[i] += w * (1 - float32(math.Sqrt(float64(v/(lambda[i]+eps)))))
	}
}

func absErrorGeneric(lambda, k []float32) (sumAbs, sumRoot float64) {
	for i, v := range k {
		if v < 0 {
			continue
		}
		r := math.Sqrt(float64(v))
		sumAbs += math.Abs(math.Sqrt(float64(lambda[i])) - r)
		sumRoot += r
	}
	return sumAbs, sumRoot
}

// amplitudeFitGeneric uses 1 − √(k/λ̃) = (λ̃ − k)/((√λ̃ + √k)·√λ̃), in which nothing cancels but exact numbers.
func amplitudeFitGeneric(grad, lambda, k []float32, eps float32) (square, abs, root float64) {
	const smallestNormal = 0x1p-126
	for i, v := range k {
		if v < 0 {
			grad[i] = 0
			continue
		}
		l := lambda[i] + eps
		m, r := float32(math.Sqrt(float64(l))), float32(math.Sqrt(float64(v)))
		grad[i] = (l - v) / max((m+r)*m, smallestNormal)
		d := grad[i] * m
		square += float64(d) * float64(d)
		abs += math.Abs(float64(d))
		root += float64(r)
	}
	return square, abs, root
}
