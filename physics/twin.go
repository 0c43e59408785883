package physics

import (
	"math"
	"math/cmplx"
)

// TwinAsymmetry returns min_α ‖P(r) - e^{iα}·conj P(-r)‖ / ‖P‖ of the first n×n mode of a probe, between 0
// and √2. At 0 an object and its twin conj O(-r) give the same frames, and nothing but overlap can tell
// them apart; below 0.05 this is a risk. It is 0 for a dark probe.
func TwinAsymmetry(probe []complex64, n int) float64 {
	var dot complex128
	var e float64
	for r := range n {
		for c := range n {
			p := complex128(probe[r*n+c])
			q := complex128(probe[(2*(n/2)-r+n)%n*n+(2*(n/2)-c+n)%n])
			dot += p * q
			e += real(p)*real(p) + imag(p)*imag(p)
		}
	}
	if e == 0 {
		return 0
	}
	return math.Sqrt(max(0, 2-2*cmplx.Abs(dot)/e))
}
