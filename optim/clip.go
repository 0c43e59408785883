package optim

import (
	"fmt"
	"math"

	"ptycho/internal/kernel"
)

// Norm returns the Euclidean norm of g, summed in float64.
func Norm(g []float32) float64 { return math.Sqrt(kernel.SumSquares(g)) }

// sumChunk is the number of elements summed at a time, which stay in the cache.
const sumChunk = 1 << 14

// Sum adds the gradients g[1:], in their order, to g[0] and returns the Euclidean norm of the sum. It panics when the
// gradients have different lengths or there is none.
func Sum(g [][]float32) float64 {
	sum := g[0]
	for _, v := range g {
		if len(v) != len(sum) {
			panic(fmt.Sprintf("optim: sum of gradients of %d and %d parameters", len(sum), len(v)))
		}
	}
	squares := 0.0
	for lo := 0; lo < len(sum); lo += sumChunk {
		part := sum[lo:min(lo+sumChunk, len(sum))]
		for _, v := range g[1:] {
			kernel.Add(part, part, v[lo:][:len(part)])
		}
		squares += kernel.SumSquares(part)
	}
	return math.Sqrt(squares)
}

// ClipScale returns the factor that brings a gradient of the given norm down to the limit: 1 for one that is below it
// or where the limit is not positive.
func ClipScale(norm, limit float64) float64 {
	if limit > 0 && norm > limit {
		return limit / norm
	}
	return 1
}
