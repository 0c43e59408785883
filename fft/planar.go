package fft

import "math"

// pass is one stage of a Stockham transform along the columns of an image. At this stage there are groups
// sub-transforms of length radix·groups, interleaved in runs of stride rows. Butterfly p of the stage takes
// run p of each of radix equal parts of the source and leaves its results side by side, which sorts the
// transform on the way. All elements of a run share the twiddle factors, so a butterfly works between
// contiguous rows and needs no shuffles.
type pass struct {
	radix, groups, stride int
	butterfly             butterfly
	twiddles              []float32 // groups × (radix−1) pairs (re, im): exp(−2πi·j·p/(radix·groups)), j = 1…
}

// radices maps a radix to its butterfly, in the order in which factors are taken out of a length. The
// last pass has no twiddle factors but 1, so the cheap radix 4 comes last.
var radices = [...]struct {
	radix     int
	butterfly butterfly
}{{5, bf5}, {3, bf3}, {4, bf4}, {2, bf2}}

// covered reports whether n has no prime factor above 5.
func covered(n int) bool {
	if n <= 0 {
		return false
	}
	for _, f := range radices {
		for n%f.radix == 0 {
			n /= f.radix
		}
	}
	return n == 1
}

// newPasses returns the stages of a transform of a covered length n.
func newPasses(n int) []pass {
	var passes []pass
	stride := 1
	for _, f := range radices {
		for n%f.radix == 0 {
			passes = append(passes, pass{f.radix, n / f.radix, stride, f.butterfly, newTwiddles(f.radix, n)})
			n /= f.radix
			stride *= f.radix
		}
	}
	return passes
}

func newTwiddles(radix, n int) []float32 {
	var tw []float32
	for p := range n / radix {
		for j := 1; j < radix; j++ {
			s, c := math.Sincos(-2 * math.Pi * float64(j*p) / float64(n))
			tw = append(tw, float32(c), float32(s))
		}
	}
	return tw
}

// planes are the real and the imaginary part of an image.
type planes struct{ re, im []float32 }

func (z planes) from(i int) planes { return planes{z.re[i:], z.im[i:]} }

// run applies the stage to src, rows of width columns, and writes dst.
func (q *pass) run(dst, src planes, width int) {
	run := q.stride * width
	tw := 2 * (q.radix - 1)
	for p := range q.groups {
		q.butterfly(dst.from(q.radix*p*run), src.from(p*run), run, q.groups*run, q.twiddles[p*tw:])
	}
}

// columns runs the passes over src with tmp as the other buffer and returns the two with the result first.
func columns(passes []pass, src, tmp planes, width int) (planes, planes) {
	for i := range passes {
		passes[i].run(tmp, src, width)
		src, tmp = tmp, src
	}
	return src, tmp
}

// skew is the gap before each plane of the work space. Rows of 2^k pixels compete for the same lines of the
// first-level cache; were the planes of the work space to begin at the same line as those of the image, a
// transform would take three times as long.
const skew = 80

// planar transforms the columns, and by way of a transposed copy the rows.
func (p *Plan) planar(re, im, work []float32) {
	n := p.h * p.w
	a, b := planes{re, im}, planes{work[skew:][:n], work[n+2*skew:][:n]}
	a, b = columns(p.cols, a, b, p.w)
	transpose(b.re, a.re, p.h, p.w, 1)
	transpose(b.im, a.im, p.h, p.w, 1)
	a, b = columns(p.rows, b, a, p.h)
	transpose(b.re, a.re, p.w, p.h, p.scale)
	transpose(b.im, a.im, p.w, p.h, p.scale)
	if &b.re[0] != &re[0] {
		copy(re, b.re)
		copy(im, b.im)
	}
}
