package kernel

import "math"

// AdamStep holds the numbers of one step of Adam.
type AdamStep struct {
	Scale        float32 // of the gradient
	Beta1, Rest1 float32 // β₁ and 1 − β₁
	Beta2, Rest2 float32 // β₂ and 1 − β₂
	Alpha        float32 // rate / (1 − β₁ᵗ)
	Root         float32 // 1 / √(1 − β₂ᵗ)
	Epsilon      float32
}

// Adam does one step p ← p − α·m/(√v·root + ε) with m ← β₁·m + (1−β₁)·g and v ← β₂·v + (1−β₂)·g², g being the
// gradient scaled. The slices have equal lengths, else it panics.
func Adam(p, m, v, grad []float32, s AdamStep) {
	equalLen("Adam", len(p), len(m), len(v), len(grad))
	f := elem().adam
	chunks(len(p), func(lo, hi int) {
		f(p[lo:hi], m[lo:hi], v[lo:hi], grad[lo:hi],
			s.Scale, s.Beta1, s.Rest1, s.Beta2, s.Rest2, s.Alpha, s.Root, s.Epsilon)
	})
}

// SumSquares returns Σx², summed in float64 in an order that depends only on the length.
func SumSquares(x []float32) float64 {
	f, sum := elem().sumSquares, 0.0
	for lo := 0; lo < len(x); lo += chunk {
		sum += f(x[lo:min(lo+chunk, len(x))])
	}
	return sum
}

func adamGeneric(p, m, v, grad []float32, scale, beta1, rest1, beta2, rest2, alpha, root, eps float32) {
	m, v = m[:len(p)], v[:len(p)]
	for i, g := range grad[:len(p)] {
		g *= scale
		m[i] = beta1*m[i] + rest1*g
		v[i] = beta2*v[i] + rest2*g*g
		p[i] -= alpha * m[i] / (float32(math.Sqrt(float64(v[i])))*root + eps)
	}
}

func sumSquaresGeneric(x []float32) float64 {
	s := 0.0
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	return s
}
