package simulate

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// farField is a plan for intensities of n×n fields in the far field. It is not safe for concurrent use.
type farField struct {
	n   int
	fft *fourier.CmplxFFT
	col []complex128
}

func newFarField(n int) *farField {
	return &farField{n: n, fft: fourier.NewCmplxFFT(n), col: make([]complex128, n)}
}

// add adds |F(psi)|² to dst, F the unitary transform, with the direct beam at [n/2, n/2]. It overwrites psi.
func (f *farField) add(dst []float64, psi []complex128) {
	n := f.n
	fft2(f.fft, psi, f.col, (*fourier.CmplxFFT).Coefficients)
	norm := 1 / float64(n*n)
	for r := range n {
		row := dst[(r+n/2)%n*n:][:n]
		for c, v := range psi[r*n : (r+1)*n] {
			row[(c+n/2)%n] += norm * (real(v)*real(v) + imag(v)*imag(v))
		}
	}
}

// fft2 transforms the square field a in place with the unnormalised one-dimensional transform given.
func fft2(p *fourier.CmplxFFT, a, col []complex128, transform func(p *fourier.CmplxFFT, dst, seq []complex128) []complex128) {
	n := p.Len()
	for r := range n {
		transform(p, a[r*n:(r+1)*n], a[r*n:(r+1)*n])
	}
	for c := range n {
		for r := range n {
			col[r] = a[r*n+c]
		}
		transform(p, col, col)
		for r := range n {
			a[r*n+c] = col[r]
		}
	}
}

// frequency returns the signed frequency of element i of a transform of length n, in cycles a sample.
func frequency(i, n int) float64 {
	return math.Remainder(float64(i)/float64(n), 1)
}
