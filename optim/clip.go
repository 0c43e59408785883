package optim

import "math"

// Norm returns the Euclidean norm of g, summed in float64.
func Norm(g []float32) float64 {
	s := 0.0
	for _, v := range g {
		s += float64(v) * float64(v)
	}
	return math.Sqrt(s)
}

// ClipNorm scales g in place so that its Euclidean norm is at most limit, and returns the norm it had. A
// limit that is not positive clips nothing.
func ClipNorm(g []float32, limit float64) float64 {
	norm := Norm(g)
	if limit > 0 && norm > limit {
		f := float32(limit / norm)
		for i := range g {
			g[i] *= f
		}
	}
	return norm
}
