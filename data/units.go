package data

import "math"

// Amplitude holds moduli of diffracted waves, √intensity, frame after frame.
type Amplitude []float32

// Intensity holds photon counts, or a quantity proportional to them, frame after frame.
type Intensity []float32

// Intensity writes a² into dst, which must have the length of a and may share its memory, and returns it; a
// nil dst is allocated. It is the only place in the program where a measured amplitude becomes an intensity.
// The square is taken in float64, so that no integer or half-precision input can overflow.
func (a Amplitude) Intensity(dst Intensity) Intensity {
	if dst == nil {
		dst = make(Intensity, len(a))
	}
	if len(dst) != len(a) {
		panic("data: length mismatch")
	}
	for i, v := range a {
		dst[i] = float32(float64(v) * float64(v))
	}
	return dst
}

// Amplitude writes scale·√i into dst, which must have the length of i, and returns it; a nil dst is allocated.
func (i Intensity) Amplitude(dst Amplitude, scale float64) Amplitude {
	if dst == nil {
		dst = make(Amplitude, len(i))
	}
	if len(dst) != len(i) {
		panic("data: length mismatch")
	}
	for k, v := range i {
		dst[k] = float32(math.Sqrt(float64(v)) * scale)
	}
	return dst
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
