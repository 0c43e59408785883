package kernel

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/blas"
)

// layerSizes are h, w, in, out of 3×3 layers as they occur in the network.
var layerSizes = [][4]int{
	{64, 64, 64, 64},
	{64, 64, 32, 32},
	{32, 32, 64, 128},
	{32, 32, 128, 128},
	{32, 32, 64, 64},
	{32, 32, 4, 64},
	{16, 16, 128, 256},
	{16, 16, 256, 256},
	{16, 16, 128, 64},
	{16, 16, 64, 64},
	{8, 8, 256, 128},
	{8, 8, 128, 128},
	{64, 64, 1, 32},
	{64, 64, 64, 2},
}

// report adds the rate of a benchmark that performs products multiplications and additions per iteration.
func report(b *testing.B, products int) {
	b.ReportMetric(2*float64(products)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
}

func eachImplementation(b *testing.B, f func(b *testing.B)) {
	old := Name()
	defer func() { _ = Use(old) }()
	for _, name := range Available() {
		_ = Use(name)
		b.Run(name, f)
	}
}

func BenchmarkConv(b *testing.B) {
	for _, s := range layerSizes {
		b.Run(fmt.Sprintf("%dx%dx%dto%d", s[0], s[1], s[2], s[3]), func(b *testing.B) {
			eachImplementation(b, func(b *testing.B) {
				eachBenchmarked(b, s, func(b *testing.B, c *Conv) {
					src, dst, weight, bias := random(1, c.srcLen()), random(2, c.dstLen()), random(3, c.weightLen()), random(4, c.Out)
					packed, scratch := make([]float32, c.PackedLen(true)), make([]float32, c.ScratchLen())
					c.Pack(packed, weight, make([]float32, c.PackScratchLen()))
					for _, m := range []struct {
						name string
						f    func()
					}{
						{"forward", func() { c.Forward(dst, src, packed, bias, true, scratch) }},
						{"input", func() { c.GradInput(src, dst, packed, scratch) }},
						{"weight", func() { c.GradWeight(weight, bias, src, dst, scratch) }},
					} {
						b.Run(m.name, func(b *testing.B) {
							for b.Loop() {
								m.f()
							}
							report(b, c.H*c.W*c.weightLen())
						})
					}
				})
			})
		})
	}
}

// eachBenchmarked calls f with the 3×3 convolution of size s by each algorithm.
func eachBenchmarked(b *testing.B, s [4]int, f func(b *testing.B, c *Conv)) {
	tiles := active.Load().tiles
	if tiles == nil {
		b.Run("generic", func(b *testing.B) { f(b, NewConv(s[0], s[1], s[2], s[3], 3)) })
		return
	}
	for _, a := range algorithms {
		c := &Conv{H: s[0], W: s[1], In: s[2], Out: s[3], K: 3, algo: a.new(s[0], s[1], s[2], s[3], 3, tiles)}
		b.Run(a.name, func(b *testing.B) { f(b, c) })
	}
}

func BenchmarkPack(b *testing.B) {
	c := NewConv(16, 16, 256, 256, 3)
	weight, packed := random(1, c.weightLen()), make([]float32, c.PackedLen(true))
	for b.Loop() {
		c.Pack(packed, weight, make([]float32, c.PackScratchLen()))
	}
	b.SetBytes(int64(4 * len(weight)))
}

func BenchmarkSgemm(b *testing.B) {
	for _, s := range [][3]int{{64, 64, 64}, {512, 512, 512}, {1024, 1024, 1024}, {16, 1024, 1024}, {4096, 64, 576}} {
		m, n, k := s[0], s[1], s[2]
		x, y, z := random(1, m*k), random(2, k*n), make([]float32, m*n)
		for _, tr := range []struct {
			name     string
			ta, tb   blas.Transpose
			lda, ldb int
		}{
			{"NN", blas.NoTrans, blas.NoTrans, k, n},
			{"NT", blas.NoTrans, blas.Trans, k, k},
			{"TN", blas.Trans, blas.NoTrans, m, n},
		} {
			b.Run(fmt.Sprintf("%dx%dx%d/%s", m, n, k, tr.name), func(b *testing.B) {
				eachImplementation(b, func(b *testing.B) {
					for b.Loop() {
						Float32{}.Sgemm(tr.ta, tr.tb, m, n, k, 1, x, tr.lda, y, tr.ldb, 0, z, n)
					}
					report(b, m*n*k)
				})
			})
		}
	}
}
