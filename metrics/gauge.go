package metrics

import (
	"math"
	"math/cmplx"

	"ptycho/fft"
)

// Gauge returns the complex factor g that minimises Σ|g·rec − truth|², Σ rec*·truth / Σ|rec|², and zero
// when rec is zero everywhere. It panics when the sizes differ.
func Gauge(rec, truth Image) complex128 {
	checkPair(rec, truth)
	var num complex128
	var den float64
	for i, r := range rec.Pix {
		num += cmplx.Conj(r) * truth.Pix[i]
		den += real(r)*real(r) + imag(r)*imag(r)
	}
	if den == 0 {
		return 0
	}
	return num / complex(den, 0)
}

// scaled returns g·m.
func (m Image) scaled(g complex128) Image {
	out := Image{Rows: m.Rows, Cols: m.Cols, Pix: make([]complex128, len(m.Pix))}
	for i, v := range m.Pix {
		out.Pix[i] = g * v
	}
	return out
}

// tilted returns m·exp(i(y·row + x·col)), rows and columns counted from the middle, y and x in rad/pixel.
func (m Image) tilted(y, x float64) Image {
	out := Image{Rows: m.Rows, Cols: m.Cols, Pix: make([]complex128, len(m.Pix))}
	cols := make([]complex128, m.Cols)
	for c := range cols {
		cols[c] = cmplx.Rect(1, x*(float64(c)-float64(m.Cols-1)/2))
	}
	for r := range m.Rows {
		row := cmplx.Rect(1, y*(float64(r)-float64(m.Rows-1)/2))
		for c, e := range cols {
			i := r*m.Cols + c
			out.Pix[i] = m.Pix[i] * (row * e)
		}
	}
	return out
}

// RemovePlane takes the phase plane that rec has beyond truth out of rec, and then the remaining complex
// factor. The plane is rampY·row + rampX·col, in rad/pixel, and may run through many cycles: it starts at
// the largest Fourier component of rec*·truth and is refined by Gauss–Newton steps on the phase, weighted
// with |rec*·truth|. It panics when the sizes differ.
func RemovePlane(rec, truth Image) (rampY, rampX float64, gauged Image) {
	checkPair(rec, truth)
	cross := Image{Rows: rec.Rows, Cols: rec.Cols, Pix: make([]complex128, len(rec.Pix))}
	for i, r := range rec.Pix {
		cross.Pix[i] = cmplx.Conj(r) * truth.Pix[i]
	}
	y, x := coarsePlane(cross)
	for range 50 {
		dy, dx := planeStep(cross.tilted(-y, -x))
		y, x = y+dy, x+dx
		if math.Abs(dy)*float64(rec.Rows)+math.Abs(dx)*float64(rec.Cols) < 1e-12 {
			break
		}
	}
	gauged = rec.tilted(y, x)
	return -y, -x, gauged.scaled(Gauge(gauged, truth))
}

// coarsePlane returns the slopes of d's phase to a quarter of a cycle over the image: the peak of the
// discrete Fourier transform or a point half a bin beside it, whichever is larger.
func coarsePlane(d Image) (y, x float64) {
	if len(d.Pix) == 0 {
		return 0, 0
	}
	f := transform(d.padded(fast(d.Rows), fast(d.Cols)))
	peak := 0
	for i, v := range f.Pix {
		if cmplx.Abs(v) > cmplx.Abs(f.Pix[peak]) {
			peak = i
		}
	}
	binY, binX := 2*math.Pi/float64(f.Rows), 2*math.Pi/float64(f.Cols)
	y0 := binY * float64(signed(peak/f.Cols, f.Rows))
	x0 := binX * float64(signed(peak%f.Cols, f.Cols))
	best := -1.0
	for _, sy := range []float64{0, -0.5, 0.5} {
		for _, sx := range []float64{0, -0.5, 0.5} {
			if s := cmplx.Abs(sum(d.tilted(-y0-sy*binY, -x0-sx*binX))); s > best {
				best, y, x = s, y0+sy*binY, x0+sx*binX
			}
		}
	}
	return y, x
}

// fast returns the next length without prime factors above 5: a Fourier transform of a large prime length takes minutes.
func fast(n int) int {
	for ; ; n++ {
		m := n
		for _, p := range []int{2, 3, 5} {
			for m%p == 0 {
				m /= p
			}
		}
		if m == 1 {
			return n
		}
	}
}

// padded returns m in the corner of zeros, rows × cols.
func (m Image) padded(rows, cols int) Image {
	out := Image{Rows: rows, Cols: cols, Pix: make([]complex128, rows*cols)}
	for r := range m.Rows {
		copy(out.Pix[r*cols:], m.Pix[r*m.Cols:(r+1)*m.Cols])
	}
	return out
}

// signed returns the frequency of bin k of n, which is negative from the middle on.
func signed(k, n int) int {
	if 2*k >= n {
		return k - n
	}
	return k
}

// transform returns the two-dimensional Fourier transform of m.
func transform(m Image) Image {
	out := m.scaled(1)
	fft.NewDouble(m.Rows, m.Cols).Forward(out.Pix)
	return out
}

// planeStep returns the slopes, in rad/pixel, of the plane that fits the phase of d best in the sense of
// least squares with weights |d|, phases counted from that of Σd.
func planeStep(d Image) (y, x float64) {
	turn := cmplx.Rect(1, -cmplx.Phase(sum(d)))
	var w, wy, wx, wp float64 // moments up to the first
	var yy, yx, xx, yp, xp float64
	for i, v := range d.Pix {
		a, p := cmplx.Abs(v), cmplx.Phase(v*turn)
		r := float64(i/d.Cols) - float64(d.Rows-1)/2
		c := float64(i%d.Cols) - float64(d.Cols-1)/2
		w, wy, wx, wp = w+a, wy+a*r, wx+a*c, wp+a*p
		yy, yx, xx = yy+a*r*r, yx+a*r*c, xx+a*c*c
		yp, xp = yp+a*r*p, xp+a*c*p
	}
	if w == 0 {
		return 0, 0
	}
	yy, yx, xx = yy-wy*wy/w, yx-wy*wx/w, xx-wx*wx/w
	yp, xp = yp-wy*wp/w, xp-wx*wp/w
	// The ridge gives slope zero to a direction in which the image has no extent.
	ridge := 1e-12 * (yy + xx)
	if ridge <= 0 {
		return 0, 0
	}
	yy, xx = yy+ridge, xx+ridge
	det := yy*xx - yx*yx
	return (yp*xx - xp*yx) / det, (xp*yy - yp*yx) / det
}

func sum(m Image) complex128 {
	var s complex128
	for _, v := range m.Pix {
		s += v
	}
	return s
}
