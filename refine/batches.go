package refine

import (
	"math"
	"slices"

	"ptycho/internal/rng"
)

// batches cuts a scan into batches of frames that are used for one step each.
type batches struct {
	curve  []int // frames along a curve through the scan
	count  int   // batches
	sparse bool
	order  []int // of the frames in a sweep
	turn   []int // of compact batches in a sweep
	batch  []int // scratch
}

// newBatches orders the frames at x, y along a Morton curve, on which neighbours are close, for batches of size
// frames: spread over the whole scan if sparse, else compact.
func newBatches(x, y []float64, size int, sparse bool) *batches {
	n := len(x)
	b := &batches{curve: make([]int, n), count: max(1, (n+size-1)/size), sparse: sparse}
	key := make([]uint64, n)
	x0, y0 := slices.Min(x), slices.Min(y)
	span := max(slices.Max(x)-x0, slices.Max(y)-y0, math.SmallestNonzeroFloat64)
	for i := range n {
		b.curve[i] = i
		const steps = 1<<16 - 1
		key[i] = spread(uint64((x[i]-x0)/span*steps)) | spread(uint64((y[i]-y0)/span*steps))<<1
	}
	slices.SortStableFunc(b.curve, func(i, j int) int {
		switch {
		case key[i] < key[j]:
			return -1
		case key[i] > key[j]:
			return 1
		}
		return i - j
	})
	b.order = make([]int, n)
	b.batch = make([]int, 0, n/b.count+1)
	return b
}

// spread inserts a zero before each of the lower 16 bits of v.
func spread(v uint64) uint64 {
	v = (v | v<<8) & 0x00ff00ff
	v = (v | v<<4) & 0x0f0f0f0f
	v = (v | v<<2) & 0x33333333
	return (v | v<<1) & 0x55555555
}

// shuffle draws the batches of a sweep. A sparse batch takes one frame, chosen at random, out of every stretch of the
// curve that is as long as there are batches. Compact ones, in any order, are the pieces of the curve closed to a ring and
// cut anywhere.
func (b *batches) shuffle(seed uint64, sweep int) {
	r := rng.New(seed, "refine/order", uint64(sweep))
	n := len(b.curve)
	if !b.sparse {
		cut := r.IntN(n)
		copy(b.order, b.curve[cut:])
		copy(b.order[n-cut:], b.curve[:cut])
		b.turn = r.Perm(b.count)
		return
	}
	for lo := 0; lo < n; lo += b.count {
		part := b.curve[lo:min(lo+b.count, n)]
		for k, p := range r.Perm(len(part)) {
			b.order[lo+k] = part[p]
		}
	}
}

// frames returns the frames of batch i, valid until the next call.
func (b *batches) frames(i int) []int {
	n := len(b.order)
	b.batch = b.batch[:0]
	if !b.sparse {
		i = b.turn[i]
		return append(b.batch, b.order[i*n/b.count:(i+1)*n/b.count]...)
	}
	for k := i; k < n; k += b.count {
		b.batch = append(b.batch, b.order[k])
	}
	return b.batch
}
