package data

import "math"

// Amplitude holds moduli of diffracted waves, √intensity, frame after frame.
type Amplitude []float32

// Intensity holds photon counts, or a quantity proportional to them, frame after frame.
type Intensity []float32

// Intensity returns a², the only place in the program where a measured amplitude becomes an intensity.
// The square is taken in float64, so that no integer or half-precision input can overflow.
func (a Amplitude) Intensity() Intensity {
	dst := make(Intensity, len(a))
	for i, v := range a {
		dst[i] = float32(float64(v) * float64(v))
	}
	return dst
}

// Amplitude writes √i into dst, which must have the length of i, and returns it; a nil dst is allocated.
func (i Intensity) Amplitude(dst Amplitude) Amplitude {
	if dst == nil {
		dst = make(Amplitude, len(i))
	}
	if len(dst) != len(i) {
		panic("data: length mismatch")
	}
	for k, v := range i {
		dst[k] = float32(math.Sqrt(float64(v)))
	}
	return dst
}
