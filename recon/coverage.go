package recon

import "math"

// wellCovered is the part of the best coverage from which a pixel counts as measured.
const wellCovered = 1e-3

// Measured tells for every pixel of the object whether its coverage is good enough to look at it.
func (r *Reconstruction) Measured() []bool {
	top := float32(0)
	for _, v := range r.Coverage {
		top = max(top, v)
	}
	mask := make([]bool, len(r.Coverage))
	for i, v := range r.Coverage {
		mask[i] = v > wellCovered*top
	}
	return mask
}

// Range returns the covered fraction of the canvas and the smallest and largest amplitude there.
func (r *Reconstruction) Range() (covered, low, high float64) {
	n := 0
	low = math.Inf(1)
	for i, v := range r.Object.Pix {
		if r.Coverage[i] > 0 {
			a := math.Hypot(float64(real(v)), float64(imag(v)))
			low, high = min(low, a), max(high, a)
			n++
		}
	}
	return float64(n) / float64(len(r.Object.Pix)), low, high
}
