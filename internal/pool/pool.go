// Package pool shares out numbered jobs among workers that keep what they work with.
package pool

import (
	"sync"
	"sync/atomic"
)

// Pool is a set of workers, each with a W of its own: a tape, scratch memory. Which worker does which job does not
// matter to any result. A Pool is used by one goroutine at a time, which is one of the workers.
type Pool[W any] struct {
	workers []W
	next    atomic.Int64
	jobs    int
	job     func(w W, i int) error
	failed  atomic.Pointer[error] // what the first failure was
	start   []chan struct{}
	done    sync.WaitGroup
}

// New starts n workers, at least one, with what newWorker makes. They end with Close.
func New[W any](n int, newWorker func() W) *Pool[W] {
	p := &Pool[W]{}
	for i := range max(n, 1) {
		p.workers = append(p.workers, newWorker())
		if i == 0 {
			continue // the caller of Run
		}
		start := make(chan struct{}, 1)
		p.start = append(p.start, start)
		go func() {
			for range start {
				p.work(p.workers[i])
				p.done.Done()
			}
		}()
	}
	return p
}

func (p *Pool[W]) work(w W) {
	for i := int(p.next.Add(1)) - 1; i < p.jobs; i = int(p.next.Add(1)) - 1 {
		if err := p.job(w, i); err != nil {
			p.failed.CompareAndSwap(nil, &err)
		}
	}
}

// Workers returns what the workers work with.
func (p *Pool[W]) Workers() []W { return p.workers }

// Run does the jobs 0 … n-1 and returns when all are done, with an error if any failed. It allocates nothing.
func (p *Pool[W]) Run(n int, job func(w W, i int) error) error {
	p.jobs, p.job = n, job
	p.next.Store(0)
	p.failed.Store(nil)
	helpers := p.start[:max(0, min(len(p.start), n-1))]
	p.done.Add(len(helpers))
	for _, c := range helpers {
		c <- struct{}{}
	}
	p.work(p.workers[0])
	p.done.Wait()
	if err := p.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Close ends the workers.
func (p *Pool[W]) Close() {
	for _, c := range p.start {
		close(c)
	}
}
