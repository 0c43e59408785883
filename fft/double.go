package fft

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Double transforms h×w images in float64, of any size: for simulation, judging data and measuring
// results, where accuracy counts more than speed. It is not safe for concurrent use.
type Double struct {
	h, w     int
	row, col *fourier.CmplxFFT
	line     []complex128
}

// NewDouble returns a plan for h×w images. It panics unless both are positive.
func NewDouble(h, w int) *Double {
	if h < 1 || w < 1 {
		panic(fmt.Sprintf("fft: image of %d×%d", h, w))
	}
	return &Double{h: h, w: w, row: fourier.NewCmplxFFT(w), col: fourier.NewCmplxFFT(h), line: make([]complex128, h)}
}

// Forward replaces v, row-major, by its unitary Fourier transform, DC at [0,0].
func (d *Double) Forward(v []complex128) { d.transform(v, (*fourier.CmplxFFT).Coefficients) }

// Inverse undoes Forward.
func (d *Double) Inverse(v []complex128) { d.transform(v, (*fourier.CmplxFFT).Sequence) }

// AddPower adds |F(field)|², F the unitary transform, to dst, row-major with DC at [h/2,w/2]: the intensity of
// a wave in the far field. It overwrites field.
func (d *Double) AddPower(dst []float64, field []complex128) {
	d.Forward(field)
	if len(dst) != len(field) {
		panic(fmt.Sprintf("fft: power of %d values, expected %d", len(dst), len(field)))
	}
	for r := range d.h {
		row := dst[(r+d.h/2)%d.h*d.w:][:d.w]
		for c, z := range field[r*d.w : (r+1)*d.w] {
			row[(c+d.w/2)%d.w] += real(z)*real(z) + imag(z)*imag(z)
		}
	}
}

func (d *Double) transform(v []complex128, f func(p *fourier.CmplxFFT, dst, src []complex128) []complex128) {
	if len(v) != d.h*d.w {
		panic(fmt.Sprintf("fft: %d values for an image of %d×%d", len(v), d.h, d.w))
	}
	for r := range d.h {
		f(d.row, v[r*d.w:(r+1)*d.w], v[r*d.w:(r+1)*d.w])
	}
	norm := complex(1/math.Sqrt(float64(d.h*d.w)), 0)
	for c := range d.w {
		for r := range d.h {
			d.line[r] = v[r*d.w+c]
		}
		f(d.col, d.line, d.line)
		for r, z := range d.line {
			v[r*d.w+c] = z * norm
		}
	}
}
