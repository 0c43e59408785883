package data

import "fmt"

// stored holds the frames of a file in its own unit and origin, as (n, N, N).
type stored struct {
	values []float32
	stats  valueStats
}

// readFrames reads the frames and sets N. It returns nil where they are not wanted or not usable.
func (l *loader) readFrames() *stored {
	if !l.wantFrames {
		l.used["diffraction"], l.used["diff3d"], l.used[l.keys.frames] = true, true, true
		if h, err := l.npz.Header(l.keys.frames); l.tike && err == nil {
			if axes, _, ok := findAxes(h.Shape, l.n, l.layout()); ok {
				l.setN(l.keys.frames, axes.side)
			}
		}
		return nil
	}
	a, ok := l.read(l.keys.frames, true)
	if !ok {
		return nil
	}
	l.compareAlias(a)
	axes, ok := l.frameAxes(a)
	if !ok {
		return nil
	}
	v, ok := convert(l, a, Array.Float32s)
	if !ok || !l.checkValues(v, axes) {
		return nil
	}
	if l.ds.N == 0 || len(v) == 0 {
		return nil
	}
	return &stored{values: framesFirst(v, axes), stats: measure(a, v)}
}

func (l *loader) frameAxes(a Array) (frameAxes, bool) {
	axes, ambiguous, ok := findAxes(a.Shape, l.n, l.layout())
	if !ok {
		l.problem(a.Name, layoutWanted(l.n, l.layout()), fmt.Sprintf("shape %v", a.Shape),
			fmt.Sprintf("give one square frame for each element of %s", l.keys.x))
		return axes, false
	}
	if ambiguous {
		l.note("%s of shape %v could be (n, N, N) or (N, N, n): taken as (n, N, N)", a.Name, a.Shape)
	} else if axes.last {
		l.note("%s is stored as (N, N, n)", a.Name)
	}
	l.setN(a.Name, axes.side)
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
func (l *loader) compareAlias(a Array) {
	if l.tike || a.Name == "diff3d" {
		return
	}
	b, ok := l.read("diff3d", false)
	if !ok {
		return
	}
	av, aerr := a.Float64s()
	bv, berr := b.Float64s()
	same := aerr == nil && berr == nil && fmt.Sprint(a.Shape) == fmt.Sprint(b.Shape)
	for i := 0; same && i < len(av); i++ {
		same = av[i] == bv[i] || av[i] != av[i] && bv[i] != bv[i]
	}
	if !same {
		l.problem("diff3d", "the same array as diffraction, another name for it", "a different one", "remove one of them")
	}
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
	l.ds.Object = &Image{Rows: s[0], Cols: s[1], Pix: o}
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

func (l *loader) readPatchArray(key string) {
	a, ok := l.read(key, true)
	if !ok {
		return
	}
	v, ok := convert(l, a, Array.Complex64s)
	if !ok || !l.checkComplex(key, v) {
		return
	}
	axes, _, _ := findAxes(a.Shape, l.n, l.layout())
	l.ds.Patches = framesFirst(v, axes)
}
