package simulate

import (
	"fmt"
	"math"

	"ptycho/data"
)

// scene is everything that determines the expected frames.
type scene struct {
	n      int
	probe  []complex64
	modes  int
	object *data.Image
	canvas [2][]float32 // real and imaginary part of the object
	x, y   []float64
	xStart []float64
	yStart []float64
	index  []int64
}

func newScene(opt Options) (*scene, error) {
	s := &scene{n: opt.N}
	if err := s.setProbe(opt); err != nil {
		return nil, err
	}
	place := s.syntheticScan
	if opt.Scan == File {
		place = s.fileScan
	}
	if err := place(opt); err != nil {
		return nil, err
	}
	for _, o := range s.object.Pix {
		s.canvas[0] = append(s.canvas[0], real(o))
		s.canvas[1] = append(s.canvas[1], imag(o))
	}
	return s, nil
}

func (s *scene) setProbe(opt Options) (err error) {
	s.probe, s.modes = opt.Setup.Probe, opt.Setup.Modes
	if s.probe == nil {
		s.probe, err = Probe(s.n, opt.Probe)
		s.modes = len(s.probe) / (s.n * s.n)
	}
	return err
}

// fileScan takes the positions of the setup as they are.
func (s *scene) fileScan(opt Options) error {
	f := opt.Setup
	keep := data.Subsample(f.Len(), opt.Frames, opt.Seed)
	s.x, s.y = take(f.X, keep), take(f.Y, keep)
	s.xStart, s.yStart, s.index = take(f.XStart, keep), take(f.YStart, keep), take(f.ScanIndex, keep)
	_, hiX := bounds(s.x)
	_, hiY := bounds(s.y)
	return s.setObject(opt, hiY, hiX)
}

// syntheticScan makes a scan and centres it on the object.
func (s *scene) syntheticScan(opt Options) error {
	s.x, s.y = unitScan(opt.Scan, opt.Frames, opt.Jitter, opt.Seed)
	step := or(opt.Step, s.defaultStep(opt))
	if step == 0 {
		rows, cols, _ := opt.objectSize()
		return fmt.Errorf("simulate: an object of %d×%d px has no room for %d frames of N = %d; pass a larger object", rows, cols, opt.Frames, s.n)
	}
	lo := float64(s.n/2 + objectMargin)
	moveTo(s.x, step, lo)
	moveTo(s.y, step, lo)
	_, hiX := bounds(s.x)
	_, hiY := bounds(s.y)
	if rows, cols, ok := opt.objectSize(); ok {
		w := newWindow(rows, cols, s.n)
		moveTo(s.x, 1, (w.lo+w.hiX-hiX+lo)/2)
		moveTo(s.y, 1, (w.lo+w.hiY-hiY+lo)/2)
	}
	return s.setObject(opt, hiY, hiX)
}

// defaultStep returns the step that suits the probe, or a smaller one with which the scan fits the object.
func (s *scene) defaultStep(opt Options) float64 {
	step := defaultStep * data.Diameter(s.probe, s.n)
	if rows, cols, ok := opt.objectSize(); ok {
		step = min(step, fit(s.x, cols-s.n), fit(s.y, rows-s.n))
	}
	return step
}

// fit returns the step with which positions v extend over room pixels.
func fit(v []float64, room int) float64 {
	lo, hi := bounds(v)
	if lo == hi {
		return math.Inf(1)
	}
	const tight = 1 - 1e-9 // rounding must not push the outermost frames off the object
	return tight * float64(max(room, 0)) / (hi - lo)
}

// objectSize returns the size of the object if it does not follow from the scan.
func (opt Options) objectSize() (rows, cols int, ok bool) {
	switch {
	case opt.Object == File:
		return opt.Setup.Object.Rows, opt.Setup.Object.Cols, true
	case opt.ObjectSize != 0:
		return opt.ObjectSize, opt.ObjectSize, true
	}
	return 0, 0, false
}

// setObject takes or makes the object and checks that every frame lies on it. hiY and hiX are the largest
// positions.
func (s *scene) setObject(opt Options, hiY, hiX float64) (err error) {
	rows, cols, ok := opt.objectSize()
	if !ok {
		if !(max(hiX, hiY) < maxObject-float64(s.n+objectMargin)) {
			return fmt.Errorf("simulate: positions up to (x %g, y %g) need an object larger than %d px; check that they are in object pixels, "+
				"or use fewer frames or a smaller step", hiX, hiY, maxObject)
		}
		rows, cols = s.sizeFor(hiY), s.sizeFor(hiX)
	}
	if err := newWindow(rows, cols, s.n).check(s.x, s.y); err != nil {
		return err
	}
	if opt.Object == File {
		s.object = opt.Setup.Object
		return nil
	}
	s.object, err = Object(opt.Object, rows, cols, opt.Seed)
	return err
}

// sizeFor returns the number of pixels that the frame at position hi and the margin need.
func (s *scene) sizeFor(hi float64) int {
	return max(int(math.Ceil(hi))+s.n-s.n/2+objectMargin, minObject)
}

// moveTo scales v by step and shifts it such that its least element is lo.
func moveTo(v []float64, step, lo float64) {
	least, _ := bounds(v)
	for i := range v {
		v[i] = step*(v[i]-least) + lo
	}
}

// take returns the elements of v at indices keep, nil for a nil v.
func take[T any](v []T, keep []int) []T {
	if v == nil {
		return nil
	}
	t := make([]T, len(keep))
	for i, j := range keep {
		t[i] = v[j]
	}
	return t
}
