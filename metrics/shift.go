package metrics

import (
	"math"
	"math/cmplx"

	"ptycho/fft"
)

// Shifted returns m moved by dy pixels down and dx to the right, periodically: pixel [r, c] of the result is m at
// [r−dy, c−dx], interpolated by the Fourier series of m. An even side's highest frequency counts as negative.
func (m Image) Shifted(dy, dx float64) Image {
	m.check()
	if len(m.Pix) == 0 || (dy == 0 && dx == 0) {
		return m.scaled(1)
	}
	plan := fft.NewDouble(m.Rows, m.Cols)
	out := m.scaled(1)
	plan.Forward(out.Pix)
	down, across := phasors(m.Rows, -dy), phasors(m.Cols, -dx)
	for r, y := range down {
		for c, x := range across {
			out.Pix[r*m.Cols+c] *= y * x
		}
	}
	plan.Inverse(out.Pix)
	return out
}

// phasors returns exp(2πi f·s) for the n frequencies f of a side of n pixels.
func phasors(n int, s float64) []complex128 {
	p := make([]complex128, n)
	for k := range p {
		p[k] = cmplx.Rect(1, 2*math.Pi*float64(signed(k, n))*s/float64(n))
	}
	return p
}

// margin is how many pixels slid adds around an image, beside the shift: fewer let the ends of its Fourier series
// ring into the image.
const margin = 8

// slid returns m moved like Shifted, but continued by its mirror image, which fades to the mean, where Shifted has
// the opposite border.
func (m Image) slid(dy, dx float64) Image {
	if len(m.Pix) == 0 || (dy == 0 && dx == 0) {
		return m.scaled(1)
	}
	p := min(margin+int(math.Ceil(math.Max(math.Abs(dy), math.Abs(dx)))), m.Rows, m.Cols)
	return m.mirrored(p).Tapered(p).Shifted(dy, dx).Crop(p, p+m.Rows, p, p+m.Cols)
}

// mirrored returns m with p ≤ min(Rows, Cols) pixels of its mirror image around it.
func (m Image) mirrored(p int) Image {
	out := Image{Rows: m.Rows + 2*p, Cols: m.Cols + 2*p}
	for r := range out.Rows {
		row := mirror(r-p, m.Rows) * m.Cols
		for c := range out.Cols {
			out.Pix = append(out.Pix, m.Pix[row+mirror(c-p, m.Cols)])
		}
	}
	return out
}

// mirror returns the index in 0 … n−1 of which i is the mirror image at the nearer end, or i.
func mirror(i, n int) int {
	switch {
	case i < 0:
		return -1 - i
	case i >= n:
		return 2*n - 1 - i
	}
	return i
}
