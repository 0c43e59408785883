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
	compact := newBatches(x, y, 16, false)
	for sweep := range 20 {
		sum := 0.0
		for i, batch := range compact.drawn(1, sweep) {
			require.LessOrEqual(t, spacing(batch, x, y), 8.0, "batch %d", i)
			sum += extent(batch, x, y)
		}
		require.Less(t, sum/16, 30.0, "of a scan of 64 pixels from corner to corner")
	}
}

func TestSeedAndSweepDetermineBatches(t *testing.T) {
	for _, sparse := range []bool{true, false} {
		requireDrawn(t, sparse)
	}
}

// requireDrawn checks that batches are drawn anew for every seed and every sweep.
func requireDrawn(t *testing.T, sparse bool) {
	t.Helper()
	x, y := raster(10)
	b := newBatches(x, y, 8, sparse)
	first := b.drawn(1, 0)
	second := b.drawn(1, 1)
	require.NotEqual(t, first, second)
	require.NotEqual(t, first, b.drawn(2, 0))
	require.Equal(t, first, b.drawn(1, 0), "whatever was drawn before")
	require.Equal(t, second, newBatches(x, y, 8, sparse).drawn(1, 1))
	members := func(all [][]int) map[int]bool { // frames that share a batch with frame 0
		m := map[int]bool{}
		for _, batch := range all {
			if slices.Contains(batch, 0) {
				for _, f := range batch {
					m[f] = true
				}
			}
		}
		return m
	}
	require.NotEqual(t, members(first), members(second), "they are cut elsewhere")
	if !sparse {
		follow := 0
		for i, batch := range first[1:] {
			end := slices.Index(b.curve, first[i][len(first[i])-1])
			if b.curve[(end+1)%len(b.curve)] == batch[0] {
				follow++
			}
		}
		require.LessOrEqual(t, follow, 4, "they do not come in the order of the curve")
	}
	same := newBatches(make([]float64, 9), make([]float64, 9), 2, sparse)
	require.Len(t, slices.Concat(same.drawn(1, 0)...), 9, "positions that are all equal")
}

func TestSpreadBits(t *testing.T) {
	for v, want := range map[uint64]uint64{0: 0, 1: 1, 2: 4, 3: 5, 0x8000: 1 << 30, 0xffff: 0x55555555} {
		require.Equal(t, want, spread(v))
	}
}
