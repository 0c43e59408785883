package refine

import "ptycho/internal/kernel"

// heldPixels are the pixels of a frame that the fit does not see: a lattice with another offset in every frame.
type heldPixels struct {
	at     []int32
	counts []float32
	lambda []float32
}

// golden is the golden ratio less one, in units of 2⁻⁶⁴.
const golden = 0x9e3779b97f4a7c15

// leastHeld returns the least part of the pixels of n×n frames that can be held out: four of a frame on average, which
// leaves at least one in each, as the offsets of its rows are at most 2/n apart.
func leastHeld(n int) float64 { return 4 / float64(n*n) }

// hide takes a part of the pixels of frame number i, of n×n pixels, out of its counts. The pixel at row r and column c is
// one of them where the fraction of (offset + r·golden + c·part) is less than part: from row to row they wander over the
// columns evenly.
func (h *heldPixels) hide(counts []float32, n int, seed uint64, i int, part float64) {
	h.at, h.counts = h.at[:0], h.counts[:0]
	step := uint64(part * (1 << 64))
	first := mix(seed + uint64(i)*golden)
	for row := 0; row < len(counts); row += n {
		at, c := first, uint64(0)
		if at >= step {
			c = ^at/step + 1 // steps to the next overflow
			at += c * step
		}
		for c < uint64(n) {
			if p := row + int(c); counts[p] >= 0 {
				h.at, h.counts = append(h.at, int32(p)), append(h.counts, counts[p])
				counts[p] = -1
			}
			next := ^at/step + 1
			c += next
			at += next * step
		}
		first += golden
	}
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// loss returns how badly the held-out pixels are explained.
func (h *heldPixels) loss(lambda []float32, loss string, epsilon float64) float64 {
	h.lambda = h.lambda[:0]
	for _, p := range h.at {
		h.lambda = append(h.lambda, lambda[p])
	}
	if loss == Poisson {
		return kernel.PoissonExcess(h.lambda, h.counts, epsilon)
	}
	return kernel.AmplitudeError(h.lambda, h.counts, epsilon)
}
