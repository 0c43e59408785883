package data

import (
	"fmt"
	"math"
)

// checkValues reports non-finite and negative elements of the frames and whether there are none.
func (l *loader) checkValues(v []float32, axes frameAxes) bool {
	var infinite, negative defect
	for i, x := range v {
		switch {
		case !finite(float64(x)):
			infinite.add(i)
		case x < 0:
			negative.add(i)
		}
	}
	where := func(d defect) string { return fmt.Sprintf("%d of %d, %s", d.count, len(v), axes.where(d.first)) }
	if infinite.count > 0 {
		l.problem(l.keys.frames, "finite values", "NaN or infinity: "+where(infinite), "mask or interpolate bad pixels")
	}
	if negative.count > 0 {
		l.problem(l.keys.frames, "counts or amplitudes, at least 0", "negative values: "+where(negative),
			"clip them, or subtract less background")
	}
	return infinite.count == 0 && negative.count == 0
}

// defect counts bad elements and remembers the first.
type defect struct{ count, first int }

func (d *defect) add(i int) {
	if d.count == 0 {
		d.first = i
	}
	d.count++
}

// where names the place of element i of an array with the given axes.
func (a frameAxes) where(i int) string {
	frame, pixel := i/(a.side*a.side), i%(a.side*a.side)
	if a.last {
		frame, pixel = i%a.n, i/a.n
	}
	return fmt.Sprintf("the first in frame %d at row %d, column %d", frame, pixel/a.side, pixel%a.side)
}

func (l *loader) checkCoords(key string, v []float64) {
	var bad defect
	for i, x := range v {
		if !finite(x) {
			bad.add(i)
		}
	}
	if bad.count > 0 {
		l.problem(key, "finite positions", fmt.Sprintf("%d NaN or infinite, the first at index %d", bad.count, bad.first),
			"remove those frames")
	}
}

// checkComplex reports non-finite elements and whether there are none.
func (l *loader) checkComplex(key string, v []complex64) bool {
	var bad defect
	for i, z := range v {
		if !finite(float64(real(z))) || !finite(float64(imag(z))) {
			bad.add(i)
		}
	}
	if bad.count > 0 {
		l.problem(key, "finite values", fmt.Sprintf("%d NaN or infinite, the first at index %d", bad.count, bad.first),
			"replace the bad values")
	}
	return bad.count == 0
}

// checkProbe reports a probe that is not finite or all zero, and whether it is neither.
func (l *loader) checkProbe(p []complex64) bool {
	if !l.checkComplex(l.keys.probe, p) {
		return false
	}
	for _, z := range p {
		if z != 0 {
			return true
		}
	}
	l.problem(l.keys.probe, "a probe that lights something", "only zeros", "store an estimate of the probe")
	return false
}

// checkPositions looks at the scan as a whole, once each coordinate on its own has passed.
func (l *loader) checkPositions() {
	x, y := l.ds.X, l.ds.Y
	if l.n == 0 {
		l.problem(l.keys.x, "at least one position", "none", "store the scan's positions")
	}
	if len(x) != len(y) || len(x) == 0 {
		return
	}
	seen := make(map[[2]float64]bool, len(x))
	for i := range x {
		seen[[2]float64{x[i], y[i]}] = true
	}
	switch repeated := len(x) - len(seen); {
	case len(seen) == 1 && len(x) > 1:
		l.problem(l.keys.x, "a scan", fmt.Sprintf("%d times the same position", len(x)), "store the positions in object pixels")
	case repeated > 0:
		l.note("%d of %d positions repeat another one exactly", repeated, len(x))
	}
	l.checkCoverage()
}

// checkCoverage compares the positions with the object.
func (l *loader) checkCoverage() {
	d := l.ds
	if d.Object == nil || d.N == 0 {
		return
	}
	var outside, partly defect
	for i := range d.X {
		c, r := math.Round(d.X[i]), math.Round(d.Y[i])
		half := float64(d.N / 2)
		rows, cols := float64(d.Object.Rows), float64(d.Object.Cols)
		switch {
		case c < 0 || r < 0 || c >= cols || r >= rows:
			outside.add(i)
		case c < half || r < half || c+half > cols || r+half > rows:
			partly.add(i)
		}
	}
	if outside.count > 0 {
		i := outside.first
		l.problem(l.keys.x, fmt.Sprintf("positions within the object of %d×%d pixels", d.Object.Rows, d.Object.Cols),
			fmt.Sprintf("%d outside, the first at index %d: x %g, y %g", outside.count, i, d.X[i], d.Y[i]),
			"check the unit (object pixels), origin and sign of the positions, or remove "+l.keys.object)
	}
	if partly.count > 0 {
		l.note("%d of %d frames reach beyond the object's edge", partly.count, len(d.X))
	}
}

// checkEnergy looks for empty frames.
func (l *loader) checkEnergy() {
	d := l.ds
	if d.Frames == nil || d.Len() == 0 {
		return
	}
	const tolerated = 0.1
	var empty defect
	for i := range d.Len() {
		if d.Frame(i).Sum() == 0 {
			empty.add(i)
		}
	}
	found := fmt.Sprintf("%d of %d frames are empty, the first at index %d", empty.count, d.Len(), empty.first)
	switch {
	case float64(empty.count) > tolerated*float64(d.Len()):
		l.problem(l.keys.frames, "light in the frames", found, "remove the empty frames and their positions")
	case empty.count > 0:
		l.note("%s", found)
	}
}
