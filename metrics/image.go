package metrics

import (
	"fmt"
	"math"
	"math/cmplx"
)

// Image is a complex image of Rows × Cols pixels, row-major.
type Image struct {
	Rows, Cols int
	Pix        []complex128
}

// NewImage returns an image of the given size that uses pix. It panics when pix has another length.
func NewImage(rows, cols int, pix []complex128) Image {
	m := Image{Rows: rows, Cols: cols, Pix: pix}
	m.check()
	return m
}

// FromComplex64 returns an image of the given size with a copy of pix, which is what files hold.
func FromComplex64(rows, cols int, pix []complex64) Image {
	wide := make([]complex128, len(pix))
	for i, v := range pix {
		wide[i] = complex128(v)
	}
	return NewImage(rows, cols, wide)
}

// Crop returns a copy of rows r0 … r1-1 and columns c0 … c1-1. It panics when they are not all in m.
func (m Image) Crop(r0, r1, c0, c1 int) Image {
	m.check()
	if r0 < 0 || r1 < r0 || r1 > m.Rows || c0 < 0 || c1 < c0 || c1 > m.Cols {
		panic(fmt.Sprintf("metrics: crop [%d:%d, %d:%d] of a %d×%d image", r0, r1, c0, c1, m.Rows, m.Cols))
	}
	out := Image{Rows: r1 - r0, Cols: c1 - c0, Pix: make([]complex128, 0, (r1-r0)*(c1-c0))}
	for r := r0; r < r1; r++ {
		out.Pix = append(out.Pix, m.Pix[r*m.Cols+c0:r*m.Cols+c1]...)
	}
	return out
}

// Abs returns the amplitude of m.
func (m Image) Abs() []float64 {
	a := make([]float64, len(m.Pix))
	for i, v := range m.Pix {
		a[i] = cmplx.Abs(v)
	}
	return a
}

func (m Image) check() {
	if m.Rows < 0 || m.Cols < 0 || m.Rows*m.Cols != len(m.Pix) {
		panic(fmt.Sprintf("metrics: %d pixels for a %d×%d image", len(m.Pix), m.Rows, m.Cols))
	}
}

// checkPair panics unless both images have the same size.
func checkPair(a, b Image) {
	a.check()
	b.check()
	if a.Rows != b.Rows || a.Cols != b.Cols {
		panic(fmt.Sprintf("metrics: a %d×%d image and a %d×%d one", a.Rows, a.Cols, b.Rows, b.Cols))
	}
}

// Spread returns std|O| / mean|O|, the contrast of the amplitude: near zero for an image that has collapsed
// to a constant, zero for one that is zero everywhere.
func Spread(m Image) float64 {
	a := m.Abs()
	mean := mean(a)
	if mean == 0 {
		return 0
	}
	var s float64
	for _, v := range a {
		s += (v - mean) * (v - mean)
	}
	return math.Sqrt(s/float64(len(a))) / mean
}
