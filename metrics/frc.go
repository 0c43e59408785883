package metrics

import (
	"fmt"
	"math"
)

// FRCOptions says how FRC treats the images.
type FRCOptions struct {
	Taper int // pixels over which the borders are led to the mean, as by Tapered; 0 for periodic images
}

// Curve is a Fourier ring correlation. Ring i, one bin of the smaller side wide, has the index i in all slices;
// ring 0 is the mean of the images alone.
type Curve struct {
	Freq []float64 // middle of the ring, cycles/pixel, from 0 to at most 0.5
	Corr []float64 // correlation in the ring, from −1 to 1
	N    []float64 // independent samples in the ring, at least 1
}

// FRC returns the Fourier ring correlation of two images of the same object that were aligned to each other
// and whose noise is independent (Saxton and Baumeister, J. Microsc. 127 (1982) 127; van Heel, Ultramicroscopy
// 21 (1987) 95),
//
//	Corr_i = Re Σ A·B* / √(Σ|A|²·Σ|B|²),
//
// A and B being the Fourier transforms, over the frequencies f with |f|·min(Rows, Cols) between i−½ and i+½, |f|
// in cycles/pixel also when the images are not square. Where an image has nothing in a ring, the correlation is 0.
// The transform of a complex image has no symmetry, so that all pixels of a ring count in N. A taper w correlates
// neighbours, also those of different rings; N counts (Σw²)² / (pixels·Σw⁴) of the pixels then, a lower bound.
//
// The error says that the sizes differ, that a side is below MinSide, which image has a pixel that is not finite or
// nothing but zeros, or that the taper is longer than half a side.
func FRC(a, b Image, opt FRCOptions) (Curve, error) {
	if err := correlatable(a, b, opt); err != nil {
		return Curve{}, err
	}
	w := Taper(a.Rows, a.Cols, opt.Taper)
	fa := transform(a.faded(w))
	fb := transform(b.faded(w))
	bins := min(a.Rows, a.Cols)
	rings := make([]ring, bins/2+1)
	for i, v := range fa.Pix {
		if k := ringOf(i, a.Rows, a.Cols); k < len(rings) {
			rings[k].add(v, fb.Pix[i])
		}
	}
	share := independent(w)
	var c Curve
	for i, r := range rings {
		c.Freq = append(c.Freq, float64(i)/float64(bins))
		c.Corr = append(c.Corr, r.correlation())
		c.N = append(c.N, math.Max(1, share*r.n))
	}
	return c, nil
}

// ringOf returns the ring to which pixel i of a transform, frequency zero at [0, 0], belongs.
func ringOf(i, rows, cols int) int {
	bins := float64(min(rows, cols))
	y := float64(signed(i/cols, rows)) * bins / float64(rows)
	x := float64(signed(i%cols, cols)) * bins / float64(cols)
	return int(math.Floor(math.Hypot(y, x) + 0.5))
}

// ring holds the sums over one ring.
type ring struct{ n, ab, aa, bb float64 }

func (r *ring) add(a, b complex128) {
	r.n++
	r.ab += real(a)*real(b) + imag(a)*imag(b)
	r.aa += real(a)*real(a) + imag(a)*imag(a)
	r.bb += real(b)*real(b) + imag(b)*imag(b)
}

func (r *ring) correlation() float64 {
	if r.aa == 0 || r.bb == 0 {
		return 0
	}
	return r.ab / (math.Sqrt(r.aa) * math.Sqrt(r.bb))
}

// independent returns the share of all Fourier coefficients of white noise under the window w that are independent:
// their Σ|·|² varies like that of so many.
func independent(w []float64) float64 {
	var w2, w4 float64
	for _, v := range w {
		w2, w4 = w2+v*v, w4+v*v*v*v
	}
	return w2 * w2 / (float64(len(w)) * w4)
}

// correlatable says what keeps two images from being correlated ring by ring.
func correlatable(a, b Image, opt FRCOptions) error {
	if err := alike(a, b); err != nil {
		return err
	}
	side := min(a.Rows, a.Cols)
	if side < MinSide {
		return fmt.Errorf("metrics: expected images of at least %d×%d pixels, found %d×%d; compare a larger area",
			MinSide, MinSide, a.Rows, a.Cols)
	}
	if opt.Taper < 0 || 2*opt.Taper > side {
		return fmt.Errorf("metrics: expected a taper of 0 to %d pixels for images of %d×%d, found %d; taper less or compare a larger area",
			side/2, a.Rows, a.Cols, opt.Taper)
	}
	if err := usable("first image", a); err != nil {
		return err
	}
	return usable("second image", b)
}
