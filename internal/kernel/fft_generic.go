package kernel

// genericFFT is the reference form of the transform: its butterflies work between whole contiguous rows of the image.
type genericFFT struct {
	h, w       int
	cols, rows []fftStage // transforms along a column (length h) and a row (length w)
	scale      float32
}

func newGenericFFT(h, w int) *genericFFT {
	return &genericFFT{h: h, w: w, cols: newStages(h, 2), rows: newStages(w, 2), scale: unitary(h, w)}
}

// skew is the gap before each plane of the work space. Rows of 2^k pixels compete for the same lines of the
// first-level cache; were the planes of the work space to begin at the same line as those of the image, a
// transform would take three times as long.
const skew = 80

func (g *genericFFT) workLen() int { return 2 * (g.h*g.w + skew) }

// transform works along the columns, and by way of a transposed copy along the rows.
func (g *genericFFT) transform(re, im, work []float32) {
	n := g.h * g.w
	a, b := planes{re, im}, planes{work[skew:][:n], work[n+2*skew:][:n]}
	a, b = alongColumns(g.cols, a, b, g.w)
	transpose(b.re, a.re, g.h, g.w, 1)
	transpose(b.im, a.im, g.h, g.w, 1)
	a, b = alongColumns(g.rows, b, a, g.h)
	transpose(b.re, a.re, g.w, g.h, g.scale)
	transpose(b.im, a.im, g.w, g.h, g.scale)
	if &b.re[0] != &re[0] {
		copy(re, b.re)
		copy(im, b.im)
	}
}

// alongColumns runs the stages over src, rows of width columns, with tmp as the other buffer and returns the two with
// the result first.
func alongColumns(stages []fftStage, src, tmp planes, width int) (planes, planes) {
	for i := range stages {
		stages[i].generic(tmp, src, width)
		src, tmp = tmp, src
	}
	return src, tmp
}

// generic applies the stage to src and writes dst.
func (s *fftStage) generic(dst, src planes, width int) {
	run, tw := s.stride*width, 2*(s.radix-1)
	for p := range s.groups {
		butterflies[s.radix](dst.from(s.radix*p*run), src.from(p*run), run, s.groups*run, s.twiddles[p*tw:])
	}
}

var butterflies = [...]butterfly{2: bf2, 3: bf3, 4: bf4, 5: bf5}

func (z planes) from(i int) planes { return planes{z.re[i:], z.im[i:]} }
