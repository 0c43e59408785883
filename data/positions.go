package data

import (
	"fmt"
	"math"
)

// readPositions reads the positions and what else has one element a frame.
func (l *loader) readPositions() {
	if l.tike {
		l.readScan()
		return
	}
	if !l.wantFrames && !l.npz.Has("xcoords") && !l.npz.Has("ycoords") {
		return
	}
	x, ok := l.readVector("xcoords", true)
	if ok {
		l.n = len(x)
		l.ds.X = x
	}
	if y, ok := l.readVector("ycoords", true); ok {
		l.checkCount("ycoords", len(y))
		l.ds.Y = y
	}
	l.ds.XStart = l.readOptional("xcoords_start")
	l.ds.YStart = l.readOptional("ycoords_start")
	if (l.ds.XStart == nil) != (l.ds.YStart == nil) {
		l.ds.XStart, l.ds.YStart = nil, nil
		l.note("only one of xcoords_start and ycoords_start is there: left out")
	}
	l.readScanIndex()
}

func (l *loader) readOptional(key string) []float64 {
	if !l.npz.Has(key) {
		return nil
	}
	v, ok := l.readVector(key, true)
	if ok {
		l.checkCount(key, len(v))
	}
	return v
}

func (l *loader) readScanIndex() {
	a, ok := l.read("scan_index", false)
	if !ok {
		return
	}
	v, ok := convert(l, a, Array.Int64s)
	if ok {
		l.checkCount("scan_index", len(v))
		l.ds.ScanIndex = v
	}
}

// readVector reads finite numbers along one axis; other axes must have length one.
func (l *loader) readVector(key string, required bool) ([]float64, bool) {
	a, ok := l.read(key, required)
	if !ok {
		return nil, false
	}
	if len(dropUnitAxes(a.Shape, 1)) > 1 {
		l.problem(key, "shape (n,)", fmt.Sprintf("shape %v", a.Shape), "store one number a frame")
		return nil, false
	}
	v, ok := convert(l, a, Array.Float64s)
	if ok {
		l.checkCoords(key, v)
	}
	return v, ok
}

func (l *loader) checkCount(key string, got int) {
	if l.n >= 0 && got != l.n {
		l.problem(key, fmt.Sprintf("%d elements, as many as %s has", l.n, l.keys.x), fmt.Sprint(got), "give one element a frame")
	}
}

// readScan reads tike's (row, column) pairs into Y and X as they are; centrePositions completes them.
func (l *loader) readScan() {
	a, ok := l.read("scan", true)
	if !ok {
		return
	}
	s := a.Shape
	for len(s) > 2 && s[0] == 1 {
		s = s[1:]
	}
	if len(s) != 2 || s[1] != 2 {
		l.problem("scan", "shape (n, 2) or (1, n, 2)", fmt.Sprintf("shape %v", a.Shape), "store one (row, column) a frame")
		return
	}
	v, ok := convert(l, a, Array.Float64s)
	if !ok {
		return
	}
	l.n = s[0]
	l.checkCoords("scan", v)
	l.ds.X, l.ds.Y = make([]float64, l.n), make([]float64, l.n)
	for i := range l.n {
		l.ds.Y[i], l.ds.X[i] = v[2*i], v[2*i+1]
	}
}

// centrePositions turns tike's top left corners of the unpadded patch into the centre N/2 of the padded one.
func (l *loader) centrePositions() {
	if !l.tike || l.ds.N == 0 {
		return
	}
	side := l.ds.N
	if h, err := l.npz.Header(l.keys.probe); err == nil {
		if _, s, ok := probeAxes(h.Shape); ok && s < side {
			side = s
		}
	}
	half := float64(l.ds.N/2 - padOffset(side, l.ds.N))
	for i := range l.ds.X {
		l.ds.X[i] += half
		l.ds.Y[i] += half
	}
}

// transformPositions applies the options' flips, swap and scale.
func (l *loader) transformPositions() {
	scale := l.opt.CoordScale
	if scale == 0 {
		scale = 1
	}
	sx, sy := scale, scale
	if l.opt.FlipX {
		sx = -sx
	}
	if l.opt.FlipY {
		sy = -sy
	}
	d := l.ds
	d.X, d.Y = scaled(d.X, sx), scaled(d.Y, sy)
	l.checkSpan("xcoords", d.X)
	l.checkSpan("ycoords", d.Y)
	d.XStart, d.YStart = scaled(d.XStart, sx), scaled(d.YStart, sy)
	if l.opt.SwapXY {
		d.X, d.Y = d.Y, d.X
		d.XStart, d.YStart = d.YStart, d.XStart
	}
	if scale != 1 || l.mirrored() {
		l.note("positions changed as asked: flip x %t, flip y %t, swap %t, scale %g", l.opt.FlipX, l.opt.FlipY, l.opt.SwapXY, scale)
	}
}

// mirrored reports whether the options exchange the handedness or the orientation of the positions.
func (l *loader) mirrored() bool { return l.opt.FlipX || l.opt.FlipY || l.opt.SwapXY }

// leaveObjectOut does without the known object of the file, if it has one.
func (l *loader) leaveObjectOut(why string) {
	l.used[l.keys.object] = true
	l.ds.Object, l.ds.ObjectKey = nil, ""
	if l.npz.Has(l.keys.object) {
		l.note("%s is not used: %s", l.keys.object, why)
	}
}

// maxPosition bounds positions, in object pixels: far beyond any scan, and safe to turn into an integer.
const maxPosition = 1e7

// checkSpan reports positions that no object can hold.
func (l *loader) checkSpan(key string, v []float64) {
	for i, x := range v {
		if finite(x) && math.Abs(x) > maxPosition {
			l.problem(key, fmt.Sprintf("positions within ±%g object pixels", maxPosition), fmt.Sprintf("%g at element %d", x, i),
				"check their unit, and --coord_scale")
			return
		}
	}
}

func scaled(v []float64, s float64) []float64 {
	if s == 1 {
		return v
	}
	for i := range v {
		v[i] *= s
	}
	return v
}
