package metrics

import "math"

// Threshold is the correlation from which on a ring of n independent samples counts as resolved.
type Threshold func(n float64) float64

// Level returns a threshold that is the same for every n, as ½ or 1/7.
func Level(v float64) Threshold { return func(float64) float64 { return v } }

// HalfBit is where both images together hold half a bit of information per sample, a signal-to-noise ratio of
// √2 − 1 in power, half of that in each of them: (0.2071 + 1.9102/√n) / (1.2071 + 0.9102/√n) (van Heel and Schatz, J.
// Struct. Biol. 151 (2005) 250).
func HalfBit(n float64) float64 { return bits((math.Sqrt2-1)/2, n) }

// OneBit is where both images together hold one bit of information per sample, a signal-to-noise ratio of 1 in
// power, half of that in each of them: (0.5 + 2.4142/√n) / (1.5 + 1.4142/√n) (van Heel and Schatz 2005).
func OneBit(n float64) float64 { return bits(0.5, n) }

// bits returns the correlation expected of n samples with the signal-to-noise ratio snr in each image, with the
// products of signal and noise at one standard deviation (van Heel and Schatz 2005).
func bits(snr, n float64) float64 {
	root := 1 / math.Sqrt(n)
	mixed := snr + 2*math.Sqrt(snr)*root
	return (mixed + root) / (mixed + 1)
}

// Threshold returns the threshold at each ring.
func (c Curve) Threshold(t Threshold) []float64 {
	out := make([]float64, len(c.N))
	for i, n := range c.N {
		out[i] = t(n)
	}
	return out
}

// Crossing returns the frequency, in cycles/pixel, at which the curve first falls below the threshold, linearly
// interpolated between rings; the resolution is its full period, 1/frequency pixels. Ring 0 does not count. The
// frequency is 0 when already ring 1 is below: nothing is resolved. It is not ok when the curve stays above: then
// the resolution is limited by the pixel, and there is no number for it.
func (c Curve) Crossing(t Threshold) (frequency float64, ok bool) {
	limit := c.Threshold(t)
	for i := 1; i < len(limit); i++ {
		below := limit[i] - c.Corr[i]
		if !(below > 0) {
			continue
		}
		if i == 1 {
			return 0, true
		}
		above := c.Corr[i-1] - limit[i-1]
		return c.Freq[i-1] + (c.Freq[i]-c.Freq[i-1])*above/(above+below), true
	}
	return 0, false
}
