package simulate

import (
	"context"
	"sync"
	"sync/atomic"
)

// parallel calls work for 0 … n-1 from several goroutines, each with its own function from newWork, until
// all are done or ctx is, and returns the error of ctx.
func parallel(ctx context.Context, workers, n int, newWork func() (work func(i int))) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			work := newWork()
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				work(i)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}
