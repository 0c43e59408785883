package fft_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/fft"
)

func BenchmarkForward(b *testing.B) {
	for _, n := range []int{64, 96, 100, 128, 192, 256} {
		for _, engine := range []string{fft.Planar, fft.DSP} {
			b.Run(fmt.Sprintf("%s/%d", engine, n), func(b *testing.B) {
				p, err := fft.NewPlanEngine(n, n, engine)
				require.NoError(b, err)
				re, im := randomPlanes(1, n*n)
				work := make([]float32, p.WorkLen())
				b.ReportAllocs()
				for b.Loop() {
					p.Forward(re, im, work)
				}
			})
		}
	}
}
