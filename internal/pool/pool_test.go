package pool

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// worker counts the jobs that it did.
type worker struct {
	number, jobs int
}

func newPool(n int) *Pool[*worker] {
	made := 0
	return New(n, func() *worker { made++; return &worker{number: made} })
}

// eachPool calls f for pools of all sizes, of which some have more workers than there are cores.
func eachPool(t *testing.T, f func(t *testing.T, p *Pool[*worker])) {
	t.Helper()
	for _, n := range []int{0, 1, 2, 3, runtime.GOMAXPROCS(0) + 3} {
		t.Run(fmt.Sprint(n, " workers"), func(t *testing.T) {
			p := newPool(n)
			defer p.Close()
			require.Len(t, p.Workers(), max(n, 1))
			f(t, p)
		})
	}
}

// TestRun requires that every job is done once, by a worker that no other job has at that time.
func TestRun(t *testing.T) {
	eachPool(t, func(t *testing.T, p *Pool[*worker]) {
		total := 0
		for round := range 300 {
			n := round % 40
			times := make([]atomic.Int32, n)
			require.NoError(t, p.Run(n, func(w *worker, i int) error {
				w.jobs++
				times[i].Add(1)
				return nil
			}))
			for i := range times {
				require.EqualValues(t, 1, times[i].Load(), "job %d of %d", i, n)
			}
			total += n
		}
		done := 0
		for i, w := range p.Workers() {
			require.Equal(t, i+1, w.number)
			done += w.jobs
		}
		require.Equal(t, total, done)
	})
}

// TestRunAtOnce has jobs that wait for each other: as many as there are workers are done at the same time.
func TestRunAtOnce(t *testing.T) {
	eachPool(t, func(t *testing.T, p *Pool[*worker]) {
		for range 20 {
			n := len(p.Workers())
			var here atomic.Int32
			require.NoError(t, p.Run(n, func(*worker, int) error {
				here.Add(1)
				for here.Load() < int32(n) {
					runtime.Gosched()
				}
				return nil
			}))
		}
	})
}

// TestRunAfterSleep goes on after pauses in which helpers fall asleep.
func TestRunAfterSleep(t *testing.T) {
	eachPool(t, func(t *testing.T, p *Pool[*worker]) {
		for range 5 {
			asleep := func() bool { return allIn(p, asleep) }
			require.Eventually(t, asleep, 10*time.Second, time.Millisecond, "helpers without work sleep")
			var done atomic.Int32
			require.NoError(t, p.Run(8, func(*worker, int) error {
				time.Sleep(100 * time.Microsecond)
				done.Add(1)
				return nil
			}))
			require.EqualValues(t, 8, done.Load())
		}
	})
}

func allIn(p *Pool[*worker], state int32) bool {
	for _, h := range p.helpers {
		if h.state.Load() != state {
			return false
		}
	}
	return true
}

func TestRunReportsFailures(t *testing.T) {
	bad := errors.New("a frame cannot be read")
	eachPool(t, func(t *testing.T, p *Pool[*worker]) {
		done := make([]bool, 10)
		require.ErrorIs(t, p.Run(len(done), func(_ *worker, i int) error {
			done[i] = true
			if i == 4 {
				return bad
			}
			return nil
		}), bad)
		require.NotContains(t, done, false, "the other jobs are done all the same")
		require.NoError(t, p.Run(2, func(*worker, int) error { return nil }), "and the failure is forgotten")
	})
}

func TestRunDoesNotAllocate(t *testing.T) {
	eachPool(t, func(t *testing.T, p *Pool[*worker]) {
		job := func(w *worker, _ int) error { w.jobs++; return nil }
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if p.Run(16, job) != nil {
				panic("a job failed")
			}
		}))
	})
}

// TestClose requires that the goroutines of the helpers end, awake or asleep.
func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, pause := range []time.Duration{0, 20 * time.Millisecond} {
		p := newPool(4)
		require.NoError(t, p.Run(4, func(*worker, int) error { return nil }))
		time.Sleep(pause)
		p.Close()
	}
	for range 10000 { // and not Eventually, which looks in a goroutine of its own
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}
