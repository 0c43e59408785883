package main

import "fmt"

// transposeParams are the parameters of kernel.fftTranspose.
const transposeParams = "dstRe *float32, dstIm *float32, dstRow int, dstStep int, srcRe *float32, srcIm *float32, " +
	"srcRow int, srcStep int, blocks int, scale float32"

// emitTranspose emits the transposition of square blocks as wide as a vector.
func emitTranspose(a *assembly) {
	const (
		blocks, dstStep, srcStep = gp(0), gp(1), gp(2)
		scale                    = 31
	)
	dst := fftRows{row: 9, re: 7, im: 8, steps: []gp{zr, 9, 10, 11}}
	src := fftRows{row: 6, re: 4, im: 5, steps: []gp{zr, 6, 12, 13}}
	doc := fmt.Sprintf("is an fftTranspose of blocks of %d×%[1]d.", lanes)
	a.function("fftTransposeNEON", doc, 0, transposeParams)
	a.loadParam("blocks", blocks)
	a.loadParam("dstStep", dstStep)
	a.loadParam("srcStep", srcStep)
	a.op("FMOVS", "%s, F%d", a.param("scale"), scale)
	dst.load(a, "dst")
	a.multiples(dst.steps)
	src.load(a, "src")
	a.multiples(src.steps)
	a.label("block")
	s := new(straight)
	s.transpose(dst.re, src.re, dst.steps, src.steps, factor{scale, 0})
	s.transpose(dst.im, src.im, dst.steps, src.steps, factor{scale, 0})
	s.assign(a, scale)
	dst.advance(a, dstStep)
	src.advance(a, srcStep)
	a.loop(blocks, "block")
	a.op("RET", "")
}

// transpose writes a block of one plane.
func (s *straight) transpose(dst, src gp, dstSteps, srcSteps []gp, scale factor) {
	var r [lanes]vec
	for i := range r {
		r[i] = s.mul(scale, s.load(src, srcSteps[i]))
	}
	even01, odd01 := s.shuffle("VTRN1", "S4", r[0], r[1]), s.shuffle("VTRN2", "S4", r[0], r[1])
	even23, odd23 := s.shuffle("VTRN1", "S4", r[2], r[3]), s.shuffle("VTRN2", "S4", r[2], r[3])
	for i, v := range []vec{
		s.shuffle("VZIP1", "D2", even01, even23), s.shuffle("VZIP1", "D2", odd01, odd23),
		s.shuffle("VZIP2", "D2", even01, even23), s.shuffle("VZIP2", "D2", odd01, odd23),
	} {
		s.store(v, dst, dstSteps[i])
	}
}
