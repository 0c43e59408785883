package data

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// eachFrame calls work for the frames 0 … n−1 on all processors. Each worker calls start once, for a function with memory of its
// own. After an error, which it returns, no more frames are begun.
func eachFrame(n int, start func() func(i int) error) error {
	var next atomic.Int64
	workers := min(runtime.GOMAXPROCS(0), n)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			work := start()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if errs[w] = work(i); errs[w] != nil {
					next.Store(int64(n))
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
