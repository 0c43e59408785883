package testutil

import "math"

// Uniform returns n numbers in [0,1) from the counter-based SplitMix64 generator (G. L. Steele, D. Lea and
// C. H. Flood, OOPSLA 2014). The generators of the golden values draw the same numbers.
func Uniform(seed uint64, n int) []float64 {
	u := make([]float64, n)
	for i := range u {
		z := seed + uint64(i+1)*0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		u[i] = float64(z>>11) * 0x1p-53
	}
	return u
}

// Signed returns n numbers in [-1,1), 2·Uniform−1 rounded to float32.
func Signed(seed uint64, n int) []float32 {
	v := make([]float32, n)
	for i, u := range Uniform(seed, n) {
		v[i] = float32(2*u - 1)
	}
	return v
}

// NetworkParam returns tensor number t of the golden network with that seed: for the shape [O,I,kh,kw] of a
// weight a Glorot-uniform draw in that order, for the shape [O] of a bias 0.1·(2u−1).
func NetworkParam(seed, t int, shape []int) []float32 {
	size, limit := shape[0], 0.1
	if len(shape) == 4 {
		taps := shape[2] * shape[3]
		size *= shape[1] * taps
		limit = math.Sqrt(6 / float64(taps*(shape[0]+shape[1])))
	}
	v := make([]float32, size)
	for i, u := range Uniform(uint64(seed+t), size) {
		v[i] = float32((2*u - 1) * limit)
	}
	return v
}
