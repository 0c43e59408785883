package train

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ptycho/optim"
)

func TestReductionSumsInOrder(t *testing.T) {
	const n = 1000
	r := rand.New(rand.NewPCG(1, 2))
	for _, shards := range []int{1, 2, 8} {
		parts := make([][]float32, shards)
		for i := range parts {
			parts[i] = make([]float32, n)
			for k := range parts[i] {
				parts[i][k] = float32(r.NormFloat64() * float64(int(1)<<r.IntN(20)))
			}
		}
		copies := make([][]float32, shards)
		for i, v := range parts {
			copies[i] = slices.Clone(v)
		}
		norm := optim.Sum(copies)
		for _, workers := range []int{1, 2, 5} {
			for _, buffers := range []int{1, workers, workers + 1, shards + 3} {
				sum := newReduction(n, shards, buffers)
				require.LessOrEqual(t, len(sum.free), buffers)
				for range 5 {
					sum.reset()
					var wg sync.WaitGroup
					jobs := make(chan int, shards)
					for range workers {
						wg.Go(func() {
							for i := range jobs {
								if i == 0 {
									time.Sleep(100 * time.Microsecond) // the others must wait for it
								}
								runtime.Gosched()
								grad := sum.begin(i)
								for k, v := range parts[i] {
									grad[k] += v
								}
								sum.end(i, grad)
							}
						})
					}
					for i := range shards {
						jobs <- i
					}
					close(jobs)
					wg.Wait()
					got, gotNorm := sum.total()
					require.Equal(t, copies[0], got, "%d shards, %d workers, %d buffers", shards, workers, buffers)
					require.Equal(t, norm, gotNorm)
				}
			}
		}
	}
}
