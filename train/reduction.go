package train

import (
	"sync"

	"ptycho/internal/kernel"
	"ptycho/optim"
)

// reduction sums the gradients of numbered shards in their order, whatever the order in which they are computed. A
// shard is added once all before it have been, so that no more gradients are in memory than are under way or wait for
// an earlier one.
type reduction struct {
	sum   []float32   // of all shards that have been added
	parts [][]float32 // scratch

	mu      sync.Mutex
	freed   sync.Cond   // a buffer is free, or the next shard has begun
	free    [][]float32 // buffers
	began   []bool      // by shard
	waiting [][]float32 // by shard: computed, but not yet added
	next    int         // the first shard that has not been added
}

// newReduction returns a reduction of up to shards gradients of n parameters, at most so many of them at a time.
func newReduction(n, shards, buffers int) *reduction {
	r := &reduction{began: make([]bool, shards), waiting: make([][]float32, shards), parts: make([][]float32, 0, 2)}
	if shards > 1 {
		r.sum = make([]float32, n)
	}
	r.freed.L = &r.mu
	for range min(max(buffers, 1), shards) {
		r.free = append(r.free, make([]float32, n))
	}
	return r
}

// reset begins a new sum.
func (r *reduction) reset() {
	for i, v := range r.waiting {
		if v != nil {
			r.free, r.waiting[i] = append(r.free, v), nil
		}
	}
	r.next = 0
	clear(r.began)
}

// begin returns a zeroed gradient for shard i. It waits while others are using all of them; one is set aside for the
// shard that these wait for.
func (r *reduction) begin(i int) []float32 {
	r.mu.Lock()
	for len(r.free) == 0 || len(r.free) == 1 && i != r.next && !r.began[r.next] {
		r.freed.Wait()
	}
	r.began[i] = true
	last := len(r.free) - 1
	grad := r.free[last]
	r.free = r.free[:last]
	if i == r.next {
		r.freed.Broadcast()
	}
	r.mu.Unlock()
	clear(grad)
	return grad
}

// end takes the gradient of shard i, which begin returned. It adds this and those that waited for it, but the last one.
func (r *reduction) end(i int, grad []float32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[i] = grad
	for ; r.next < len(r.waiting)-1 && r.waiting[r.next] != nil; r.next++ {
		v := r.waiting[r.next]
		if r.next == 0 {
			copy(r.sum, v)
		} else {
			kernel.Add(r.sum, r.sum, v)
		}
		r.free, r.waiting[r.next] = append(r.free, v), nil
	}
	r.freed.Broadcast()
}

// total returns the sum of all shards, valid until the next reset, and its Euclidean norm.
func (r *reduction) total() (sum []float32, norm float64) {
	r.parts = r.parts[:0]
	if r.sum != nil {
		r.parts = append(r.parts, r.sum)
	}
	r.parts = append(r.parts, r.waiting[len(r.waiting)-1])
	return r.parts[0], optim.Sum(r.parts)
}
