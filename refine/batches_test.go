package refine

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// raster returns the positions of a square raster.
func raster(side int) (x, y []float64) {
	for i := range side * side {
		x, y = append(x, 3*float64(i%side)), append(y, 3*float64(i/side))
	}
	return x, y
}

// drawn returns all batches of a sweep.
func (b *batches) drawn(seed uint64, sweep int) (all [][]int) {
	b.shuffle(seed, sweep)
	for i := range b.count {
		all = append(all, slices.Clone(b.frames(i)))
	}
	return all
}

func TestEveryFrameIsInOneBatch(t *testing.T) {
	for _, side := range []int{1, 3, 13} {
		x, y := raster(side)
		for _, size := range []int{1, 2, 7, 50, side * side} {
			for _, sparse := range []bool{true, false} {
				size := min(size, len(x))
				b := newBatches(x, y, size, sparse)
				var all []int
				least, most := len(x), 0
				for _, batch := range b.drawn(1, 5) {
					require.LessOrEqual(t, len(batch), size)
					least, most = min(least, len(batch)), max(most, len(batch))
					all = append(all, batch...)
				}
				require.LessOrEqual(t, most-least, 1)
				slices.Sort(all)
				for i, f := range all {
					require.Equal(t, i, f)
				}
				require.Len(t, all, len(x))
			}
		}
	}
}

// extent returns the largest distance of two frames of a batch.
func extent(batch []int, x, y []float64) (largest float64) {
	for _, i := range batch {
		for _, j := range batch {
			largest = max(largest, math.Hypot(x[i]-x[j], y[i]-y[j]))
		}
	}
	return largest
}

// spacing returns the mean distance of the frames of a batch from their nearest neighbour in it.
func spacing(batch []int, x, y []float64) float64 {
	sum := 0.0
	for _, i := range batch {
		nearest := math.Inf(1)
		for _, j := range batch {
			if d := math.Hypot(x[i]-x[j], y[i]-y[j]); i != j {
				nearest = min(nearest, d)
			}
		}
		sum += nearest / float64(len(batch))
	}
	return sum
}

func TestSparseBatchesAreSpreadAndCompactOnesNot(t *testing.T) {
	x, y := raster(16) // 3 pixels apart
	for i, batch := range newBatches(x, y, 16, true).drawn(1, 0) {
		require.Greater(t, spacing(batch, x, y), 5.0, "batch %d", i)
	}
	for i, batch := range newBatches(x, y, 16, false).drawn(1, 0) {
		require.Equal(t, 3.0, spacing(batch, x, y), "batch %d", i)
		require.LessOrEqual(t, extent(batch, x, y), 13.0, "batch %d is a block", i)
	}
}

func TestSeedAndSweepDetermineBatches(t *testing.T) {
	x, y := raster(10)
	b := newBatches(x, y, 8, true)
	first := b.drawn(1, 0)
	second := b.drawn(1, 1)
	require.NotEqual(t, first, second)
	require.NotEqual(t, first, b.drawn(2, 0))
	require.Equal(t, first, b.drawn(1, 0), "whatever was drawn before")
	require.Equal(t, second, newBatches(x, y, 8, true).drawn(1, 1))
	same := newBatches(make([]float64, 9), make([]float64, 9), 2, true)
	require.Len(t, slices.Concat(same.drawn(1, 0)...), 9, "positions that are all equal")
}

func TestSpreadBits(t *testing.T) {
	for v, want := range map[uint64]uint64{0: 0, 1: 1, 2: 4, 3: 5, 0x8000: 1 << 30, 0xffff: 0x55555555} {
		require.Equal(t, want, spread(v))
	}
}
