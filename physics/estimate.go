package physics

import (
	"fmt"
	"math"
	"math/cmplx"

	"ptycho/fft"
)

// ProbeFromAperture returns a probe [n,n] centred on [n/2,n/2] for a scan of which nothing but the mean frame is
// known, [n,n] in photons with the direct beam at [n/2,n/2]. Averaged over many positions, an object scatters little
// out of the far field of the probe, whose modulus thus is the root of the mean frame within its bright disk or
// annulus. Its phase is taken to be that of a defocus, defocus·(q/R)² at the distance q from the centre of an
// aperture of radius R (ApertureOf), in rad; the sign is the side of the focus. The power Σ|P|² is that of the frame.
//
// The mean frame does not tell the defocus, which changes the phase only. It is a matter of trial reconstructions;
// the probe that it makes has a radius of |defocus|·n/(π·R) pixels, of which n/2 is the most that fits.
func ProbeFromAperture(mean []float64, n int, defocus float64) ([]complex64, error) {
	if n < 1 || len(mean) != n*n {
		return nil, fmt.Errorf("mean frame of %d values, expected %d×%d", len(mean), n, n)
	}
	a := findAperture(mean, n)
	if a.radius == 0 || math.IsNaN(defocus) || math.IsInf(defocus, 0) {
		return nil, fmt.Errorf("no probe can be made from an aperture of radius %g and a defocus of %g rad", a.radius, defocus)
	}
	total := 0.0
	far := make([]complex128, n*n)
	for i, v := range mean {
		total += max(v, 0)
		if a.open[i] {
			q := math.Hypot(float64(i/n)-a.cy, float64(i%n)-a.cx) / a.radius
			far[i] = cmplx.Rect(math.Sqrt(max(v, 0)), defocus*q*q)
		}
	}
	scaleWave(far, math.Sqrt(total/powerOf(far)))
	wave := make([]complex128, n*n)
	fft.Unshift(wave, far, n, n)
	fft.NewDouble(n, n).Inverse(wave)
	fft.Shift(far, wave, n, n)
	probe := make([]complex64, n*n)
	for i, z := range far {
		probe[i] = complex64(z)
	}
	return probe, nil
}
