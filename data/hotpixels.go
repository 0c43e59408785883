package data

import "math"

const (
	hotFrames = 16 // below that many frames a bright speckle can look like a hot pixel
	hotRatio  = 8  // to the neighbours
	hotSigma  = 5
)

// hot returns the pixels that count far more than the pixels around them, and the same in all frames, as no
// diffraction does. The direct beam does both: next to it only a pixel that is steadier than photons can be is hot, and the
// very centre never is.
func (t *tally) hot() []bool {
	hot := make([]bool, len(t.sum))
	if t.frames < hotFrames {
		return hot
	}
	var around []float64
	sum := func(q int) float64 { return t.sum[q] }
	for p := range hot {
		if t.excluded[p] || t.dark(p) {
			continue
		}
		around = t.neighbours(around[:0], p, sum)
		// One count more than there is keeps single photons in the dark from being bright.
		usual := median(around) + 1
		if t.sum[p] > hotRatio*usual && t.sum[p]-usual > hotSigma*math.Sqrt(usual) {
			hot[p] = t.steady(p, around)
		}
	}
	return hot
}

// steady tells whether the counts of a pixel vary no more than those of a hot one.
func (t *tally) steady(p int, buf []float64) bool {
	const poisson, stuck, share = 2, 0.5, 0.25
	photons := 1 / math.Sqrt(t.mean(p)) // variation of a constant flux
	v := t.variation(p)
	switch distance := math.Hypot(float64(p/t.n-t.n/2), float64(p%t.n-t.n/2)); {
	case distance <= max(2, float64(t.n)/32):
		return false
	case distance <= float64(t.n)/8:
		return v < stuck*photons
	}
	return v < poisson*photons || v < share*median(t.neighbours(buf[:0], p, t.variation))
}
