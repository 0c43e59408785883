package render

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
)

// Figure is a real image of Rows × Cols pixels, row-major with row 0 at the top, and how to draw it.
type Figure struct {
	Title      string
	Rows, Cols int
	Row, Col   int // what the axes call the first row and the first column, for a part of a larger image
	Values     []float64
	Mask       []bool   // false where nothing was measured, drawn gray; nil means measured everywhere
	VMin, VMax *float64 // ends of the colour bar; nil takes the 1 % or 99 % quantile of the measured values
	Map        Colormap
	Label      string // what the colour bar shows, with unit
}

// Amplitude returns a figure of |pix| in gray, pix being rows × cols. mask may be nil.
func Amplitude(title string, rows, cols int, pix []complex64, mask []bool) Figure {
	f := Figure{Title: title, Rows: rows, Cols: cols, Mask: mask, Label: "amplitude"}
	f.Values = make([]float64, len(pix))
	for i, v := range pix {
		f.Values[i] = cmplx.Abs(complex128(v))
	}
	return f
}

// Phase returns a figure of the phase of pix, rows × cols, in radians. mask may be nil. Phases that fill
// more than half the circle are drawn from −π to π in the cyclic Twilight, others in Viridis.
func Phase(title string, rows, cols int, pix []complex64, mask []bool) Figure {
	f := Figure{Title: title, Rows: rows, Cols: cols, Mask: mask, Map: Viridis, Label: "phase (rad)"}
	f.Values = make([]float64, len(pix))
	for i, v := range pix {
		f.Values[i] = cmplx.Phase(complex128(v))
	}
	if lo, hi := f.quantiles(); hi-lo > math.Pi {
		lo, hi = -math.Pi, math.Pi
		f.Map, f.VMin, f.VMax = Twilight, &lo, &hi
	}
	return f
}

// ShareScale gives others the colour map of f and the ends of its colour bar, so that equal colours mean
// equal values in all of them.
func (f *Figure) ShareScale(others ...*Figure) {
	lo, hi := f.limits()
	for _, o := range others {
		vmin, vmax := lo, hi
		o.Map, o.VMin, o.VMax = f.Map, &vmin, &vmax
	}
}

// validate says what keeps f from being drawn.
func (f *Figure) validate() error {
	bad := func(format string, a ...any) error {
		return fmt.Errorf("render: figure %q: %s", f.Title, fmt.Sprintf(format, a...))
	}
	if f.Rows < 1 || f.Cols < 1 || f.Rows > len(f.Values) || len(f.Values) != f.Rows*f.Cols {
		return bad("expected Rows × Cols values, found %d for %d×%d", len(f.Values), f.Rows, f.Cols)
	}
	if f.Mask != nil && len(f.Mask) != len(f.Values) {
		return bad("expected a mask of %d pixels, found %d", len(f.Values), len(f.Mask))
	}
	if f.Map < Gray || f.Map > Twilight {
		return bad("expected a colour map of this package, found %v", f.Map)
	}
	for _, v := range []*float64{f.VMin, f.VMax} {
		if v != nil && !finite(*v) {
			return bad("expected finite ends of the colour bar, found %g; leave them out", *v)
		}
	}
	if f.VMin != nil && f.VMax != nil && !(*f.VMin < *f.VMax) {
		return bad("expected the lower end of the colour bar below the upper, found %g and %g; swap them", *f.VMin, *f.VMax)
	}
	return nil
}

func (f *Figure) measured(i int) bool { return f.Mask == nil || f.Mask[i] }

// quantiles returns the 1 % and 99 % quantiles of the measured, finite values, 0 and 0 when there are none.
func (f *Figure) quantiles() (lo, hi float64) {
	var v []float64
	for i, x := range f.Values {
		if f.measured(i) && finite(x) {
			v = append(v, x)
		}
	}
	if len(v) == 0 {
		return 0, 0
	}
	slices.Sort(v)
	last := float64(len(v) - 1)
	return v[int(math.Round(0.01*last))], v[int(math.Round(0.99*last))]
}

// limits returns the ends of the colour bar, lo < hi. A constant image lies in the middle of them.
func (f *Figure) limits() (lo, hi float64) {
	lo, hi = f.quantiles()
	if f.VMin != nil {
		lo = *f.VMin
	}
	if f.VMax != nil {
		hi = *f.VMax
	}
	top := max(math.Abs(lo), math.Abs(hi))
	if hi-lo > max(1e-9*top, 1/huge) {
		return lo, hi
	}
	pad := 0.1 * top
	if top <= 1/huge {
		pad = 1
	}
	switch {
	case f.VMin != nil:
		return lo, lo + pad
	case f.VMax != nil:
		return hi - pad, hi
	}
	return lo - pad, hi + pad
}

// huge is where values count as infinite, so that differences of them do not overflow.
const huge = 1e300

func finite(x float64) bool { return math.Abs(x) <= huge }
