package physics

import "math/cmplx"

// This file holds what is done to single waves in float64, where they are few and sums must be accurate.

// splitModes returns the modes of a probe, planes [modes,2,n,n].
func splitModes(v []float32, modes, n int) [][]complex128 {
	out := make([][]complex128, modes)
	for m := range out {
		re, im := planes(v, m, n*n)
		out[m] = make([]complex128, n*n)
		for i := range out[m] {
			out[m][i] = complex(float64(re[i]), float64(im[i]))
		}
	}
	return out
}

// putMode writes mode m of a probe, v [modes,2,n,n].
func putMode(v []float32, m int, mode []complex128) {
	re, im := planes(v, m, len(mode))
	for i, z := range mode {
		re[i], im[i] = float32(real(z)), float32(imag(z))
	}
}

// inner returns Σ conj(a)·b.
func inner(a, b []complex128) complex128 {
	var s complex128
	for i, z := range a {
		s += cmplx.Conj(z) * b[i]
	}
	return s
}

// powerOf returns Σ|a|².
func powerOf(a []complex128) float64 { return real(inner(a, a)) }

// addScaled adds w·src to dst.
func addScaled(dst, src []complex128, w complex128) {
	for i, z := range src {
		dst[i] += w * z
	}
}

// scaleWave multiplies a by s.
func scaleWave(a []complex128, s float64) {
	for i := range a {
		a[i] *= complex(s, 0)
	}
}

// remove takes from a what it holds of the orthogonal waves in basis.
func remove(a []complex128, basis [][]complex128) {
	for _, b := range basis {
		if p := powerOf(b); p > 0 {
			addScaled(a, b, -inner(b, a)/complex(p, 0))
		}
	}
}
