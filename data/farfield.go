package data

import (
	"math"

	"ptycho/fft"
)

// farField returns the intensity Σ_m |F(P_m · O_j)|² of frame j, N×N with the direct beam at [N/2, N/2].
// F is the unitary transform. O_j is the object around the position rounded to whole pixels, zero beyond
// its edges. Float64 throughout: it serves to judge data, not to reconstruct.
func farField(d *Dataset, j int) []float64 {
	n := d.N
	top, left := int(math.Round(d.Y[j]))-n/2, int(math.Round(d.X[j]))-n/2
	dst := make([]float64, n*n)
	psi := make([]complex128, n*n)
	plan := fft.NewDouble(n, n)
	for m := range d.Modes {
		for i := range psi {
			psi[i] = 0
			r, c := top+i/n, left+i%n
			if r >= 0 && c >= 0 && r < d.Object.Rows && c < d.Object.Cols {
				psi[i] = complex128(d.Probe[m*n*n+i]) * complex128(d.Object.Pix[r*d.Object.Cols+c])
			}
		}
		plan.AddPower(dst, psi)
	}
	return dst
}
