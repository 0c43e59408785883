package data

import (
	"errors"
	"fmt"
	"slices"
)

// stored is the frames of a file as they are in it.
type stored struct {
	frames         frameStore
	mask           []bool // pixels that were not measured; nil = none
	stats          valueStats
	centre, corner float64 // light where the direct beam may be, in the file's unit
}

// readFrames reads the frames and sets N. It returns nil where they are not wanted or not usable.
func (l *loader) readFrames() *stored {
	if !l.wantFrames {
		l.used["diffraction"], l.used["diff3d"], l.used[l.keys.frames] = true, true, true
		l.skipMasks()
		if h, err := l.npz.Header(l.keys.frames); l.tike && err == nil {
			if axes, _, ok := findAxes(h.Shape, l.n, l.layout()); ok {
				l.setN(l.keys.frames, axes.side)
			}
		}
		return nil
	}
	h, ok := l.header(l.keys.frames)
	if !ok {
		return nil
	}
	axes, ok := l.frameAxes(h)
	if !ok {
		return nil
	}
	s := newSurvey(h, axes, l.readMasks(axes.side), l.amplitudeScale())
	frames, ok := l.readStore(h.Name, axes, s.add)
	if !ok {
		return nil
	}
	l.closers = append(l.closers, frames)
	l.compareAlias(h, frames)
	if !s.report(l) || !l.checkMask(s.mask) || l.ds.N == 0 || axes.n == 0 {
		return nil
	}
	return &stored{frames: frames, mask: s.mask, stats: s.stats(), centre: s.light[centre], corner: s.light[corner]}
}

// readStore reads an array of frames once, showing every block of them to look, and returns a store of it,
// which the caller closes.
func (l *loader) readStore(key string, axes frameAxes, look func(block, []float32)) (frameStore, bool) {
	sink, err := l.newSink(key, axes)
	if err != nil {
		return nil, l.failed(key, err)
	}
	var rounded []float32
	err = l.npz.scan(key, func(b block) error {
		rounded, _ = appendReals(rounded[:0], b.values)
		look(b, rounded)
		return sink.take(b, rounded)
	})
	if err == nil {
		var frames frameStore
		if frames, err = sink.store(); err == nil {
			return frames, true
		}
	}
	return nil, l.failed(key, errors.Join(err, sink.Close()))
}

// newSink returns what keeps the frames of an array, which must hold real numbers.
func (l *loader) newSink(key string, axes frameAxes) (frameSink, error) {
	m, count, err := l.numeric(key, func(a Array) error { _, err := a.Float32s(); return err })
	if err != nil {
		return nil, err
	}
	if l.opt.Stream {
		return l.npz.newStreamer(&m, axes)
	}
	return &keeper{axes: axes, frames: make(memoryStore, count)}, nil
}

// numeric returns the member of an array and its number of elements, whose type convert must accept.
func (l *loader) numeric(key string, convert func(Array) error) (m member, count int, err error) {
	if m, err = l.npz.member(key); err != nil {
		return m, 0, err
	}
	if err = convert(Array{Data: m.head.dtype.slice(0)}); err != nil {
		return m, 0, err
	}
	count, err = m.count()
	return m, count, err
}

func (l *loader) frameAxes(h Header) (frameAxes, bool) {
	axes, ambiguous, ok := findAxes(h.Shape, l.n, l.layout())
	if !ok {
		l.problem(h.Name, layoutWanted(l.n, l.layout()), fmt.Sprintf("shape %v", h.Shape),
			fmt.Sprintf("give one square frame for each element of %s", l.keys.x))
		return axes, false
	}
	if ambiguous {
		l.note("%s of shape %v could be (n, N, N) or (N, N, n): taken as (n, N, N)", h.Name, h.Shape)
	} else if axes.last {
		l.note("%s is stored as (N, N, n)", h.Name)
	}
	l.setN(h.Name, axes.side)
	axes.fortran = h.Fortran
	return axes, true
}

// setN sets N, which stays zero where the side cannot be worked with.
func (l *loader) setN(key string, side int) {
	const minSide, maxSide = 8, 1024
	if side%2 != 0 || side < minSide || side > maxSide {
		l.problem(key, fmt.Sprintf("an even side between %d and %d", minSide, maxSide), fmt.Sprintf("N = %d", side), "crop or pad the frames")
		return
	}
	l.ds.N = side
	if l.opt.N != 0 && side != l.opt.N {
		l.problem(key, fmt.Sprintf("N = %d", l.opt.N), fmt.Sprintf("N = %d", side), "crop or pad the frames, or ask for their own N")
	}
}

// compareAlias compares diffraction with diff3d where a file has both.
func (l *loader) compareAlias(h Header, frames frameStore) {
	const alias = "diff3d"
	if l.tike || h.Name == alias || !l.npz.Has(alias) {
		return
	}
	other, ok := l.header(alias)
	if !ok {
		return
	}
	same := slices.Equal(h.Shape, other.Shape)
	if same {
		axes, _, _ := findAxes(other.Shape, l.n, l.layout())
		axes.fortran = other.Fortran
		twin, ok := l.readStore(alias, axes, func(block, []float32) {})
		if !ok {
			return
		}
		same = l.equal(frames, twin, axes)
		if err := twin.Close(); err != nil {
			l.failed(alias, err)
		}
	}
	if !same {
		l.problem(alias, "the same array as diffraction, another name for it", "a different one", "remove one of them")
	}
}

// equal tells whether two stores hold the same frames; that they cannot be read is a problem of its own.
func (l *loader) equal(a, b frameStore, axes frameAxes) bool {
	pix := axes.side * axes.side
	x, y := make([]float32, pix), make([]float32, pix)
	for i := range axes.n {
		if err := errors.Join(a.read(x, i), b.read(y, i)); err != nil {
			return l.failed(l.keys.frames, err)
		}
		if !slices.EqualFunc(x, y, func(p, q float32) bool { return p == q || p != p && q != q }) {
			return false
		}
	}
	return true
}

// readProbe reads the probe as modes × N × N. With tike's keys a probe smaller than the frame is padded.
func (l *loader) readProbe() {
	a, ok := l.read(l.keys.probe, true)
	if !ok {
		return
	}
	modes, side, ok := probeAxes(a.Shape)
	if !ok {
		l.problem(a.Name, "shape (N, N), (N, N, 1) or (modes, N, N)", fmt.Sprintf("shape %v", a.Shape), "store one square probe, or its modes")
		return
	}
	p, ok := convert(l, a, Array.Complex64s)
	if !ok || !l.checkProbe(p) {
		return
	}
	if l.ds.N == 0 {
		if l.wantFrames {
			return
		}
		if l.setN(a.Name, side); l.ds.N == 0 {
			return
		}
	}
	if l.tike && side < l.ds.N {
		p = padProbe(p, modes, side, l.ds.N)
		l.note("the probe of side %d is padded with zeros to %d", side, l.ds.N)
	} else if side != l.ds.N {
		l.problem(a.Name, fmt.Sprintf("side %d, that of the frames", l.ds.N), fmt.Sprintf("side %d", side), "crop or pad the probe")
		return
	}
	l.ds.Probe, l.ds.Modes = p, modes
}

func probeAxes(shape []int) (modes, side int, ok bool) {
	s := shape
	if k := len(s); k >= 3 && s[k-1] == 1 && s[k-2] == s[k-3] {
		s = s[:k-1]
	}
	for len(s) > 2 && s[0] == 1 {
		s = s[1:]
	}
	if len(s) == 2 {
		s = []int{1, s[0], s[1]}
	}
	if len(s) != 3 || s[1] != s[2] || s[0] == 0 || s[1] == 0 {
		return 0, 0, false
	}
	return s[0], s[1], true
}

// padOffset is where padProbe puts the first row and column of a probe.
func padOffset(side, n int) int { return (n - side) / 2 }

// padProbe surrounds modes of the given side with zeros up to n.
func padProbe(p []complex64, modes, side, n int) []complex64 {
	dst := make([]complex64, modes*n*n)
	off := padOffset(side, n)
	for m := range modes {
		for r := range side {
			copy(dst[(m*n+off+r)*n+off:], p[(m*side+r)*side:(m*side+r+1)*side])
		}
	}
	return dst
}

// readObject reads the object where there is one.
func (l *loader) readObject() {
	a, ok := l.read(l.keys.object, false)
	if !ok {
		return
	}
	s := dropUnitAxes(a.Shape, 2)
	if len(s) != 2 || a.Len() == 0 {
		l.problem(a.Name, "shape (rows, columns)", fmt.Sprintf("shape %v", a.Shape), "store one complex image")
		return
	}
	o, ok := convert(l, a, Array.Complex64s)
	if !ok || !l.checkComplex(a.Name, o) {
		return
	}
	l.ds.Object, l.ds.ObjectKey = &Image{Rows: s[0], Cols: s[1], Pix: o}, a.Name
}

// readPatches reads the ground-truth patches; an array of that name but another shape is not one.
func (l *loader) readPatches() {
	for _, key := range []string{"Y", "ground_truth_patches", "label"} {
		if l.tike || l.ds.Patches != nil || !l.npz.Has(key) {
			continue
		}
		h, err := l.npz.Header(key)
		if err == nil {
			axes, _, ok := findAxes(h.Shape, l.n, l.layout())
			if !ok || l.n <= 0 || axes.side != l.ds.N {
				l.used[key] = true
				l.note("%s of shape %v is not a patch for each frame and is left out", key, h.Shape)
				continue
			}
		}
		l.readPatchArray(key)
	}
}

// readPatchArray checks the patches, and keeps them where frames are kept.
func (l *loader) readPatchArray(key string) {
	h, ok := l.header(key)
	if !ok {
		return
	}
	axes, _, _ := findAxes(h.Shape, l.n, l.layout())
	axes.fortran = h.Fortran
	_, count, err := l.numeric(key, func(a Array) error { _, err := a.Complex64s(); return err })
	if err != nil {
		l.failed(key, err)
		return
	}
	var patches []complex64
	if !l.opt.Stream {
		patches = make([]complex64, count)
	}
	var bad defect
	err = l.npz.scan(key, func(b block) error {
		v, err := Array{Data: b.values}.Complex64s()
		bad.addInfinite(v, b.from)
		if patches != nil {
			scatter(patches, v, b.from, axes)
		}
		return err
	})
	if err != nil {
		l.failed(key, err)
	} else if l.checkFinite(key, bad) {
		l.ds.Patches = patches
	}
}
