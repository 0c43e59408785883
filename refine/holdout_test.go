package refine

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStrideOfHeldOutPixels(t *testing.T) {
	for part, want := range map[float64]int{0: 0, 0.5: 3, 0.2: 5, 0.1: 11, 0.05: 21, 0.02: 51, 0.01: 101} {
		require.Equal(t, want, strideFor(part), "%g", part)
	}
}

func TestHeldOutPixels(t *testing.T) {
	const n, stride, seed = 32, 21, 7
	counts := make([]float32, n*n)
	for i := range counts {
		counts[i] = float32(i)
	}
	counts[40], counts[41] = -1, -1
	var held heldPixels
	columns, offsets := map[int32]bool{}, map[int32]bool{}
	for frame := range 60 {
		k := slices.Clone(counts)
		held.hide(k, seed, frame, stride)
		require.InDelta(t, float64(n*n)/stride, len(held.at), 2)
		hidden := 0
		for i, v := range k {
			if v != counts[i] {
				hidden++
				require.EqualValues(t, -1, v)
			}
		}
		require.Equal(t, len(held.at), hidden, "pixels that were not measured cannot be held out")
		for i, p := range held.at {
			require.Equal(t, counts[p], held.counts[i])
			columns[p%n] = true
		}
		offsets[held.at[0]%stride] = true
		again := slices.Clone(counts)
		(&heldPixels{}).hide(again, seed, frame, stride)
		require.Equal(t, k, again)
	}
	require.Len(t, columns, n, "all columns are looked at")
	require.Greater(t, len(offsets), stride*3/4, "every frame has other pixels")
}

func TestLossOfHeldOutPixels(t *testing.T) {
	const epsilon = 0.5
	counts, lambda := []float32{4, 9, 0, 7, -1, 2}, []float32{5, 8, 1, 3, 9, 2}
	var held heldPixels
	held.hide(slices.Clone(counts), 0, 0, 1)
	require.Len(t, held.at, 5)
	var amplitude, poisson float64
	for i, k := range counts {
		if k >= 0 {
			l, k := float64(lambda[i])+epsilon, float64(k)
			amplitude += math.Pow(math.Sqrt(l)-math.Sqrt(k), 2)
			poisson += l - k
			if k > 0 {
				poisson += k * math.Log(k/l)
			}
		}
	}
	require.InEpsilon(t, amplitude, held.loss(lambda, Amplitude, epsilon), 1e-5)
	require.InEpsilon(t, poisson, held.loss(lambda, Poisson, epsilon), 1e-5)
}

func TestHeldOutPixelsDoNotCount(t *testing.T) {
	s := small(t, 1e5)
	all := s.engine(t, s.truth(), sweeps(1, nil))
	part := s.engine(t, s.truth(), sweeps(1, func(o *Options) { o.Holdout = 0.1 }))
	require.InDelta(t, 10.0/11, part.counts/all.counts, 0.02)
	require.Equal(t, all.dose, part.dose, "the unit of the probe stays")
	require.Equal(t, misfit(t, all), misfit(t, part), "the fit is that of all pixels")
}
