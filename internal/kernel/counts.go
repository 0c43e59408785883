package kernel

import "math"

// FromUint16 writes the counts src to dst, and −1, a pixel that was not measured, where src has the mark 0xFFFF. It
// panics when the lengths differ.
func FromUint16(dst []float32, src []uint16) {
	equalLen("FromUint16", len(dst), len(src))
	f, n := elem().fromUint16, len(src)&^(wholeVectors-1)
	chunks(n, func(lo, hi int) { f(dst[lo:hi], src[lo:hi]) })
	fromUint16Generic(dst[n:], src[n:])
}

// wholeVectors is a number of elements that fills whole vectors of every set.
const wholeVectors = 16

func fromUint16Generic(dst []float32, src []uint16) {
	for i, v := range src {
		if v == math.MaxUint16 {
			dst[i] = -1
		} else {
			dst[i] = float32(v)
		}
	}
}
