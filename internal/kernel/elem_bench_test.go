package kernel

import (
	"slices"
	"testing"
)

// BenchmarkElementwise goes over images of 64×64, which lie in the cache.
func BenchmarkElementwise(b *testing.B) {
	const n = 64 * 64
	rate := func(b *testing.B, f func()) {
		for b.Loop() {
			f()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
	}
	for i := range elementwises {
		e := &elementwises[i]
		b.Run(e.name, func(b *testing.B) {
			eachImplementation(b, func(b *testing.B) {
				out, in := e.operands(n, slices.Clone[[]float32])
				rate(b, func() { e.run(out, in) })
			})
		})
	}
	lambda, k := counts(n, 100)
	dst, whole := make([]float32, n), make([]uint16, n)
	for _, f := range []struct {
		name string
		run  func()
	}{
		{"PoissonExcess", func() { PoissonExcess(lambda, k, 1e-3) }},
		{"AmplitudeError", func() { AmplitudeError(lambda, k, 1e-3) }},
		{"AbsError", func() { AbsError(lambda, k) }},
		{"AmplitudeFit", func() { AmplitudeFit(dst, lambda, k, 1e-3) }},
		{"FromUint16", func() { FromUint16(dst, whole) }},
		{"SumSquares", func() { SumSquares(lambda) }},
	} {
		b.Run(f.name, func(b *testing.B) {
			eachImplementation(b, func(b *testing.B) { rate(b, f.run) })
		})
	}
}

// BenchmarkPool goes over rows of 32 pixels of 64 channels.
func BenchmarkPool(b *testing.B) {
	p := newPoolRun(32, 64)
	for _, f := range []struct {
		name string
		run  func()
	}{
		{"MaxPool", func() { MaxPool(p.small, p.top, p.bottom, 64) }},
		{"MaxPoolGrad", func() { MaxPoolGrad(p.dtop, p.dbottom, p.top, p.bottom, p.small, p.dsmall, 64) }},
		{"Upsample", func() { Upsample(p.enlarged, p.enlargedNext, p.small, 64) }},
		{"UpsampleGrad", func() { UpsampleGrad(p.dsmall, p.dtop, p.dbottom, 64) }},
	} {
		b.Run(f.name, func(b *testing.B) {
			eachImplementation(b, func(b *testing.B) {
				for b.Loop() {
					f.run()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(p.top)), "ns/element")
			})
		})
	}
}
