package simulate

import (
	"math"

	"ptycho/fft"
	"ptycho/internal/rng"
)

// grf makes amplitude and phase from two independent Gaussian random fields.
func grf(n int, seed uint64) (amplitude, phase plane) {
	amplitude = randomField(n, seed, 0).scale(minAmplitude, maxAmplitude-minAmplitude)
	phase = randomField(n, seed, 1).scale(-maxPhase, 2*maxPhase)
	return amplitude, phase
}

// randomField returns a Gaussian random field of power spectrum k^-0.4, made at half the resolution,
// interpolated linearly, blurred by one pixel (PtychoPINN, ptycho/datagen/grf.py) and squashed to (0, 1).
func randomField(n int, seed, index uint64) plane {
	m := (n/2 + 2 + 31) / 32 * 32 // what the interpolation needs, rounded up to a length of small factors
	white := noise(rng.New(seed, "object grf", index), m)
	field := make([]complex128, m*m)
	for i, v := range white.pix {
		field[i] = complex(v, 0)
	}
	plan := fft.NewDouble(m, m)
	plan.Forward(field)
	field[0] = 0
	for i := 1; i < len(field); i++ {
		k := math.Hypot(frequency(i/m, m), frequency(i%m, m))
		field[i] *= complex(math.Pow(k, -0.2), 0) // amplitude, the root of the power
	}
	plan.Inverse(field)
	for i, v := range field {
		white.pix[i] = real(v)
	}
	return white.double(n).blur(1).squash()
}

// double returns the first n×n samples of p interpolated linearly to twice the resolution, n ≤ 2·p.n - 2.
func (p plane) double(n int) plane {
	q := newPlane(n)
	for r := range n {
		for c := range n {
			a := p.pix[r/2*p.n+c/2:]
			b := p.pix[(r/2+r%2)*p.n+c/2:]
			q.pix[r*n+c] = (a[0] + a[c%2] + b[0] + b[c%2]) / 4
		}
	}
	return q
}

// frequency returns the signed frequency of element i of a transform of length n, in cycles a sample.
func frequency(i, n int) float64 {
	return math.Remainder(float64(i)/float64(n), 1)
}
