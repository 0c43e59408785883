package refine

// polishPlanes is what the polish takes for a pixel of the object, in float32: the vectors of L-BFGS and of its line
// search, complex and in double precision, and where they are stretched.
const polishPlanes = 86

// Footprint returns the bytes that a refinement takes besides its frames, about. An error reports an object too large
// for any memory.
func Footprint(n int, start Start, opt Options) (int64, error) {
	opt.resolve(len(start.X), n, 0)
	e := &Engine{n: n, opt: opt}
	if err := e.place(start); err != nil {
		return 0, err
	}
	modes := int64(max(start.Modes, opt.ProbeModes))
	canvas, frame := int64(e.rows)*int64(e.cols), int64(n)*int64(n)
	// Object, velocity and the gradient of a batch with its power; the two states to go back to; the result with its
	// coverage; the picture and the comparison, in double precision.
	planes := int64(7 + 8 + 3 + 16)
	if opt.Holdout > 0 {
		planes += 4
	}
	if opt.Polish > 0 {
		planes += polishPlanes
	}
	slots := slotCount * (4 + 2*modes + 1)
	views := int64(workersOf(opt)) * (16 + 8*modes)
	return 4 * (canvas*planes + frame*(slots+views+10*modes)), nil
}
