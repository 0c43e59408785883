package refine

import (
	"math"

	"ptycho/internal/kernel"
)

// heldPixels are the pixels of a frame that the fit does not see: a grid with another offset in every frame.
type heldPixels struct {
	at     []int32
	counts []float32
	lambda []float32
}

// strideFor returns the distance of held-out pixels: the odd number next to the reciprocal of their part, so that they
// wander over the columns from row to row.
func strideFor(part float64) int {
	if part <= 0 {
		return 0
	}
	return int(math.Round(1/part)) | 1
}

// hide takes the held-out pixels of frame number i out of its counts.
func (h *heldPixels) hide(counts []float32, seed uint64, i, stride int) {
	h.at, h.counts = h.at[:0], h.counts[:0]
	for p := int(mix(seed+uint64(i)*0x9e3779b97f4a7c15) % uint64(stride)); p < len(counts); p += stride {
		if counts[p] >= 0 {
			h.at, h.counts = append(h.at, int32(p)), append(h.counts, counts[p])
			counts[p] = -1
		}
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
