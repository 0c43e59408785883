package data

import (
	"fmt"
	"math"
)

// defect counts bad elements and remembers the first.
type defect struct{ count, first int }

func (d *defect) add(i int) {
	if d.count == 0 {
		d.first = i
	}
	d.count++
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
	bad.addInfinite(v, 0)
	return l.checkFinite(key, bad)
}

// addInfinite adds the elements of v that are not finite, v[0] being number from.
func (d *defect) addInfinite(v []complex64, from int) {
	for i, z := range v {
		if !finite(float64(real(z))) || !finite(float64(imag(z))) {
			d.add(from + i)
		}
	}
}

func (l *loader) checkFinite(key string, bad defect) bool {
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
	if outside.count > 0 && l.opt.CoordScale != 0 && l.opt.CoordScale != 1 {
		l.leaveObjectOut(fmt.Sprintf("%d of the scaled positions lie outside of it", outside.count))
		return
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

// checkEnergy reports empty frames.
func (l *loader) checkEnergy(empty defect) {
	const tolerated = 0.1
	found := fmt.Sprintf("%d of %d frames are empty, the first at index %d", empty.count, l.ds.Len(), empty.first)
	switch {
	case float64(empty.count) > tolerated*float64(l.ds.Len()):
		l.problem(l.keys.frames, "light in the frames", found, "remove the empty frames and their positions")
	case empty.count > 0:
		l.note("%s", found)
	}
}
