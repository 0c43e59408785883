package simulate

import (
	"math"

	"ptycho/fft"
)

// farField is a plan for intensities of n×n fields in the far field. It is not safe for concurrent use.
type farField struct {
	n    int
	plan *fft.Double
}

func newFarField(n int) *farField {
	return &farField{n: n, plan: fft.NewDouble(n, n)}
}

// add adds |F(psi)|² to dst, F the unitary transform, with the direct beam at [n/2, n/2]. It overwrites psi.
func (f *farField) add(dst []float64, psi []complex128) {
	n := f.n
	f.plan.Forward(psi)
	for r := range n {
		row := dst[(r+n/2)%n*n:][:n]
		for c, v := range psi[r*n : (r+1)*n] {
			row[(c+n/2)%n] += real(v)*real(v) + imag(v)*imag(v)
		}
	}
}

// frequency returns the signed frequency of element i of a transform of length n, in cycles a sample.
func frequency(i, n int) float64 {
	return math.Remainder(float64(i)/float64(n), 1)
}
