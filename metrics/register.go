package metrics

import (
	"fmt"
	"math"
	"math/cmplx"

	"ptycho/fft"
)

// Register returns the shift, in pixels along the columns (dy) and along the rows (dx), that brings moving onto
// fixed: moving.Shifted(dy, dx) lies on fixed, up to a complex factor. It is the place of the largest modulus of
// the cross-correlation
//
//	c(s) = Σ_f F(f)·M(f)*·exp(2πi f·s)
//
// of the complex images (Guizar-Sicairos, Thurman and Fienup, Opt. Lett. 33 (2008) 156): first on the pixels,
// then, by matrix products, on grids around the largest value that are ten times finer each, down to
// precision, in pixels, 0 < precision ≤ 1, beyond which it panics. The images are taken as periodic; others
// want Tapered first, and the pixel values must not differ by a phase plane. The error says that the sizes
// differ, or which image has a pixel that is not finite or no structure.
func Register(moving, fixed Image, precision float64) (dy, dx float64, err error) {
	if !(precision > 0 && precision <= 1) {
		panic(fmt.Sprintf("metrics: registration to %g pixels", precision))
	}
	if err := registrable(moving, fixed); err != nil {
		return 0, 0, err
	}
	cross := crossSpectrum(moving, fixed)
	dy, dx = coarseShift(cross)
	for step := 1.0; step > precision; {
		reach := step
		step = math.Max(step/10, precision)
		dy, dx = finerShift(cross, dy, dx, step, int(math.Ceil(reach/step-1e-9)))
	}
	return dy, dx, nil
}

// crossSpectrum returns F·M*, scaled so that no product overflows.
func crossSpectrum(moving, fixed Image) Image {
	m := transform(moving.scaled(complex(1/norm(moving), 0)))
	f := transform(fixed.scaled(complex(1/norm(fixed), 0)))
	for i, v := range m.Pix {
		f.Pix[i] *= cmplx.Conj(v)
	}
	return f
}

// coarseShift returns the whole number of pixels at which the correlation is largest.
func coarseShift(cross Image) (dy, dx float64) {
	c := cross.scaled(1)
	fft.NewDouble(c.Rows, c.Cols).Inverse(c.Pix)
	peak := brightest(c)
	return float64(signed(peak/c.Cols, c.Rows)), float64(signed(peak%c.Cols, c.Cols))
}

// finerShift returns the point of largest correlation among (2n+1)² points, step apart, around (dy, dx).
func finerShift(cross Image, dy, dx, step float64, n int) (y, x float64) {
	c := correlation(cross, dy, dx, step, n)
	peak, side := brightest(c), 2*n+1
	return dy + float64(peak/side-n)*step, dx + float64(peak%side-n)*step
}

// correlation returns c at (2n+1)² points, step apart, around (dy, dx): the Fourier sum as two matrix products.
func correlation(cross Image, dy, dx, step float64, n int) Image {
	side := 2*n + 1
	out := Image{Rows: side, Cols: side, Pix: make([]complex128, side*side)}
	across := make([][]complex128, side)
	for j := range across {
		across[j] = phasors(cross.Cols, dx+float64(j-n)*step)
	}
	row := make([]complex128, cross.Cols)
	for i := range side {
		clear(row)
		for r, e := range phasors(cross.Rows, dy+float64(i-n)*step) {
			for c, v := range cross.Pix[r*cross.Cols : (r+1)*cross.Cols] {
				row[c] += e * v
			}
		}
		for j, p := range across {
			for c, v := range row {
				out.Pix[i*side+j] += v * p[c]
			}
		}
	}
	return out
}

// brightest returns the index of the first pixel of largest modulus.
func brightest(m Image) int {
	peak, top := 0, -1.0
	for i, v := range m.Pix {
		if a := real(v)*real(v) + imag(v)*imag(v); a > top {
			peak, top = i, a
		}
	}
	return peak
}

// registrable says what keeps two images from being registered.
func registrable(moving, fixed Image) error {
	if err := alike(moving, fixed); err != nil {
		return err
	}
	for _, m := range []struct {
		name string
		Image
	}{{"moving image", moving}, {"fixed image", fixed}} {
		if err := usable(m.name, m.Image); err != nil {
			return err
		}
		if flat(m.Image) {
			return fmt.Errorf("metrics: expected structure in the %s, found a constant, which lies on everything; compare another area", m.name)
		}
	}
	return nil
}

// alike says that two images differ in size.
func alike(a, b Image) error {
	a.check()
	b.check()
	if a.Rows != b.Rows || a.Cols != b.Cols {
		return fmt.Errorf("metrics: expected two images of one size, found %d×%d and %d×%d pixels; crop both to the area they share",
			a.Rows, a.Cols, b.Rows, b.Cols)
	}
	return nil
}

// flat reports whether m is a constant, to rounding.
func flat(m Image) bool {
	mean := sum(m) / complex(float64(len(m.Pix)), 0)
	rest := m.scaled(1)
	for i := range rest.Pix {
		rest.Pix[i] -= mean
	}
	return norm(rest) <= 1e-12*norm(m)
}
