package kernel

// Complex vectors are held as two slices, of the real and of the imaginary parts. All slices of a call have equal
// lengths, else it panics.

// MulComplex computes re + i·im = a·b, which may take the place of a or b.
func MulComplex(re, im, ar, ai, br, bi []float32) {
	equalLen("MulComplex", len(re), len(im), len(ar), len(ai), len(br), len(bi))
	elem().mulComplex(re, im, ar, ai, br, bi)
}

// AddConjMul adds conj(a)·b to re + i·im.
func AddConjMul(re, im, ar, ai, br, bi []float32) {
	equalLen("AddConjMul", len(re), len(im), len(ar), len(ai), len(br), len(bi))
	elem().addConjMul(re, im, ar, ai, br, bi)
}

// AddNorm adds s·(re² + im²) to dst.
func AddNorm(dst, re, im []float32, s float32) {
	equalLen("AddNorm", len(dst), len(re), len(im))
	elem().addNorm(dst, re, im, s)
}

func mulComplexGeneric(re, im, ar, ai, br, bi []float32) {
	for i, a := range ar {
		b, c, d := ai[i], br[i], bi[i]
		re[i], im[i] = a*c-b*d, a*d+b*c
	}
}

func addConjMulGeneric(re, im, ar, ai, br, bi []float32) {
	for i, a := range ar {
		b, c, d := ai[i], br[i], bi[i]
		re[i] += a*c + b*d
		im[i] += a*d - b*c
	}
}

func addNormGeneric(dst, re, im []float32, s float32) {
	for i, a := range re {
		b := im[i]
		dst[i] += s * (a*a + b*b)
	}
}
