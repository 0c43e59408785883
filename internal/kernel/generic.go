package kernel

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// columnsLen is the target length of the im2col buffer: the rows of an image go through it band by band.
const columnsLen = 1 << 16

// genericConv is the reference form of the convolution: im2col and gonum's own matrix product. Its packed weights are
// the weights, seen as a [K·K·In, Out] matrix.
type genericConv struct {
	h, w, in, out, k int
	depth            int // K·K·In, the length of one pixel's column
	band             int // rows in a band
}

func newGenericConv(h, w, in, out, k int) *genericConv {
	depth := k * k * in
	band := min(h, max(1, columnsLen/(w*depth)))
	return &genericConv{h: h, w: w, in: in, out: out, k: k, depth: depth, band: band}
}

func (g *genericConv) packedLen(bool) int { return g.depth * g.out }

func (g *genericConv) packScratchLen() int { return 0 }

func (g *genericConv) scratchLen() int {
	if g.k == 1 {
		return 0
	}
	return g.band * g.w * g.depth
}

func (g *genericConv) pack(packed, weight, _ []float32) { copy(packed, weight) }

// bands returns 1: what gonum computes would depend on the cut.
func (g *genericConv) bands() int { return 1 }

func (g *genericConv) forward(dst, src, packed, bias []float32, relu bool, _, _ int, scratch []float32) {
	for y := 0; y < g.h; y += g.band {
		n := min(g.band, g.h-y) * g.w
		cols := g.columns(src, y, n, scratch)
		gonum.Implementation{}.Sgemm(blas.NoTrans, blas.NoTrans, n, g.out, g.depth,
			1, cols, g.depth, packed, g.out, 0, dst[y*g.w*g.out:], g.out)
	}
	addBias(dst, bias)
	if relu {
		rectify(dst)
	}
}

func (g *genericConv) gradInput(dsrc, ddst, packed, scratch []float32) {
	beta := float32(0)
	if g.k == 1 {
		beta = 1
	}
	for y := 0; y < g.h; y += g.band {
		n := min(g.band, g.h-y) * g.w
		cols := scratch
		if g.k == 1 {
			cols = dsrc[y*g.w*g.in:]
		}
		gonum.Implementation{}.Sgemm(blas.NoTrans, blas.Trans, n, g.depth, g.out,
			1, ddst[y*g.w*g.out:], g.out, packed, g.out, beta, cols, g.depth)
		if g.k != 1 {
			g.addColumns(dsrc, y, n, cols)
		}
	}
}

func (g *genericConv) gradWeight(dweight, dbias, src, ddst, scratch []float32) {
	for y := 0; y < g.h; y += g.band {
		n := min(g.band, g.h-y) * g.w
		cols := g.columns(src, y, n, scratch)
		gonum.Implementation{}.Sgemm(blas.Trans, blas.NoTrans, g.depth, g.out, n,
			1, cols, g.depth, ddst[y*g.w*g.out:], g.out, 1, dweight, g.out)
	}
	if dbias != nil {
		addRows(dbias, ddst)
	}
}

// columns returns the n pixels from row y as a matrix [n, K·K·In] of their zero-padded neighbourhoods, made in scratch.
func (g *genericConv) columns(src []float32, y, n int, scratch []float32) []float32 {
	if g.k == 1 {
		return src[y*g.w*g.in:]
	}
	clear(scratch[:n*g.depth])
	g.eachRun(y, n, func(col, pix, length int) {
		copy(scratch[col:col+length], src[pix:pix+length])
	})
	return scratch
}

// addColumns is the transpose of columns: it adds every neighbourhood to the pixels it was taken from.
func (g *genericConv) addColumns(dsrc []float32, y, n int, cols []float32) {
	g.eachRun(y, n, func(col, pix, length int) {
		d := dsrc[pix : pix+length]
		for i, v := range cols[col : col+length] {
			d[i] += v
		}
	})
}

// eachRun calls f once for every kernel row of the n pixels from row y that lies inside the image: length floats from
// offset pix of the image belong at offset col of the column matrix.
func (g *genericConv) eachRun(y, n int, f func(col, pix, length int)) {
	for p := range n {
		py, px := y+p/g.w, p%g.w
		lo, hi := max(px-1, 0), min(px+1, g.w-1)
		for i := range g.k {
			sy := py + i - 1
			if sy < 0 || sy >= g.h {
				continue
			}
			f(p*g.depth+(i*g.k+lo-(px-1))*g.in, (sy*g.w+lo)*g.in, (hi-lo+1)*g.in)
		}
	}
}

// addBias adds bias to every row of dst [·, len(bias)].
func addBias(dst, bias []float32) {
	for ; len(bias) > 0 && len(dst) > 0; dst = dst[len(bias):] {
		row := dst[:len(bias)]
		for i, b := range bias {
			row[i] += b
		}
	}
}

// rectify replaces the negative elements of x by zero; NaN stays.
func rectify(x []float32) {
	for i, v := range x {
		if v < 0 {
			x[i] = 0
		}
	}
}

// addRows adds the rows of m [·, len(sum)] to sum.
func addRows(sum, m []float32) {
	for ; len(m) > 0; m = m[len(sum):] {
		for i := range sum {
			sum[i] += m[i]
		}
	}
}
