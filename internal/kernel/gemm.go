package kernel

import (
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// Float32 is gonum's blas.Float32 with a faster Sgemm. It is registered with blas32 while an assembly implementation
// is in use.
type Float32 struct{ gonum.Implementation }

const (
	// smallGemm is the number of multiplications below which packing costs more than it saves.
	smallGemm = 1 << 12
	// gemmDepth is the largest depth of a packed panel of B, so that the panel stays in the second-level cache.
	gemmDepth = 256
	// directRows is the number of rows of A up to which B is used once or a few times only and read in place.
	directRows = 24
)

// Sgemm computes C = alpha·op(A)·op(B) + beta·C for row-major matrices, as blas.Float32 specifies; it runs in the
// calling goroutine, and the order of its sums depends on the sizes only. If beta is zero C is not read.
func (f Float32) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int,
	beta float32, c []float32, ldc int,
) {
	g := gemm{
		tiles: active.Load().tiles, m: m, n: n, k: k, alpha: alpha,
		a: a, ars: lda, aks: 1, b: b, bks: ldb, bcs: 1, c: c, ldc: ldc,
	}
	if tA != blas.NoTrans {
		g.ars, g.aks = 1, lda
	}
	if tB != blas.NoTrans {
		g.bks, g.bcs = 1, ldb
	}
	if g.tiles == nil || alpha == 0 || !validTranspose(tA) || !validTranspose(tB) || !g.valid() || m*n*k < smallGemm {
		f.Implementation.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	scaleRows(c, m, n, ldc, beta)
	g.run()
}

// A gemm is one product C += alpha·A·B. Element (i,j) of A is at a[i·ars + j·aks], of B at b[i·bks + j·bcs].
type gemm struct {
	tiles    *tileSet
	m, n, k  int
	alpha    float32
	a        []float32
	ars, aks int
	b        []float32
	bks, bcs int
	c        []float32
	ldc      int
}

// panels recycles the buffers for packed panels of B.
var panels = sync.Pool{New: func() any { return new(panelBuffer) }}

type panelBuffer [gemmDepth*maxPanelWidth + alignFloats]float32

func (g *gemm) run() {
	buf := panels.Get().(*panelBuffer)
	panel := aligned(buf[:])
	for p0 := 0; p0 < g.k; {
		depth := part(g.k-p0, gemmDepth)
		for _, blk := range g.tiles.blocks(g.n) {
			g.block(p0, depth, blk, panel)
		}
		p0 += depth
	}
	panels.Put(buf)
}

// block adds the product of columns p0 to p0+depth of A and the block blk of those rows of B to C.
func (g *gemm) block(p0, depth int, blk columnBlock, panel []float32) {
	width := blk.vectors * g.tiles.lanes
	b, bks := panel, width
	src := g.b[p0*g.bks+blk.col*g.bcs:]
	switch {
	case g.bcs == 1 && g.alpha == 1 && blk.cols == width && g.m <= directRows:
		b, bks = src, g.bks
	case g.bcs == 1:
		packPanel(panel, src, g.bks, depth, blk.cols, width)
		scale(panel[:depth*width], g.alpha)
	default:
		packPanelTrans(panel, src, g.bcs, depth, blk.cols, width)
		scale(panel[:depth*width], g.alpha)
	}
	for i := 0; i < g.m; {
		rows := part(g.m-i, g.tiles.rows[blk.vectors])
		g.tiles.tile[blk.vectors](rows, 1, depth, &g.a[i*g.ars+p0*g.aks], g.ars, g.aks, 0, &b[0], bks,
			&g.c[i*g.ldc+blk.col], g.ldc, blk.cols, nil, accumulate)
		i += rows
	}
}

// valid reports whether sizes, strides and lengths are those of a product that is not empty.
func (g *gemm) valid() bool {
	return g.m > 0 && g.n > 0 && g.k > 0 &&
		validMatrix(g.a, g.m, g.k, g.ars, g.aks) &&
		validMatrix(g.b, g.k, g.n, g.bks, g.bcs) &&
		validMatrix(g.c, g.m, g.n, g.ldc, 1)
}

// validMatrix reports whether x holds a rows×cols matrix with the given strides, one of which is 1.
func validMatrix(x []float32, rows, cols, rs, cs int) bool {
	if cs != 1 {
		rows, cols, rs = cols, rows, cs
	}
	return rs >= cols && len(x) >= (rows-1)*rs+cols
}

func validTranspose(t blas.Transpose) bool {
	return t == blas.NoTrans || t == blas.Trans || t == blas.ConjTrans
}

// scaleRows multiplies the m×n matrix c by beta, clearing it if beta is zero.
func scaleRows(c []float32, m, n, ldc int, beta float32) {
	if beta == 1 {
		return
	}
	for i := range m {
		scale(c[i*ldc:i*ldc+n], beta)
	}
}

// scale multiplies x by f, clearing it if f is zero.
func scale(x []float32, f float32) {
	switch f {
	case 0:
		clear(x)
	case 1:
	default:
		for i := range x {
			x[i] *= f
		}
	}
}
