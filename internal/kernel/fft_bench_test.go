package kernel

import (
	"fmt"
	"testing"
)

func BenchmarkFFT(b *testing.B) {
	for _, n := range []int{64, 96, 100, 128, 192, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			eachImplementation(b, func(b *testing.B) {
				f := NewFFT(n, n)
				re, im, work := random(1, n*n), random(2, n*n), make([]float32, f.WorkLen())
				for b.Loop() {
					f.Transform(re, im, work)
				}
			})
		})
	}
}
