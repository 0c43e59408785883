// Package pool shares out numbered jobs among workers that keep what they work with.
package pool

import (
	"runtime"
	"sync/atomic"
)

// Pool is a set of workers, each with a W of its own: a tape, scratch memory. Which worker does which job does not
// matter to any result. A Pool is used by one goroutine at a time, which is one of the workers.
type Pool[W any] struct {
	workers  []W
	helpers  []*helper // all workers but the first
	next     atomic.Int64
	jobs     int
	job      func(w W, i int) error
	failed   atomic.Pointer[error] // what the first failure was
	busy     atomic.Int64          // helpers that were called, and the caller
	finished chan struct{}         // by a helper that is the last, for a caller that waits
	patience int
}

// New starts n workers, at least one, with what newWorker makes. They end with Close.
func New[W any](n int, newWorker func() W) *Pool[W] {
	p := &Pool[W]{workers: []W{newWorker()}, finished: make(chan struct{}, 1)}
	if n <= runtime.GOMAXPROCS(0) {
		p.patience = looks
	}
	for range n - 1 {
		w, h := newWorker(), &helper{wake: make(chan struct{}, 1)}
		p.workers, p.helpers = append(p.workers, w), append(p.helpers, h)
		go p.help(h, w)
	}
	return p
}

func (p *Pool[W]) help(h *helper, w W) {
	for h.await(p.patience) {
		p.work(w)
		if p.busy.Add(-1) == 0 {
			p.finished <- struct{}{}
		}
	}
}

func (p *Pool[W]) work(w W) {
	for i := int(p.next.Add(1)) - 1; i < p.jobs; i = int(p.next.Add(1)) - 1 {
		if err := p.job(w, i); err != nil {
			p.fail(err)
		}
	}
}

// fail is a function of its own as its argument goes to the heap.
func (p *Pool[W]) fail(err error) { p.failed.CompareAndSwap(nil, &err) }

// Workers returns what the workers work with.
func (p *Pool[W]) Workers() []W { return p.workers }

// Run does the jobs 0 … n-1 and returns when all are done, with an error if any failed. It allocates nothing.
func (p *Pool[W]) Run(n int, job func(w W, i int) error) error {
	p.jobs, p.job = n, job
	p.next.Store(0)
	p.failed.Store(nil)
	helpers := p.helpers[:max(0, min(len(p.helpers), n-1))]
	p.busy.Store(int64(1 + len(helpers)))
	for _, h := range helpers {
		h.call()
	}
	p.work(p.workers[0])
	for _, h := range helpers {
		if h.dismiss() {
			p.busy.Add(-1)
		}
	}
	p.wait()
	if err := p.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// wait returns when the caller is the only one who is busy.
func (p *Pool[W]) wait() {
	if look(p.patience, func() bool { return p.busy.Load() == 1 }) || p.busy.Add(-1) == 0 {
		return
	}
	<-p.finished
}

// Close ends the workers.
func (p *Pool[W]) Close() {
	for _, h := range p.helpers {
		h.end()
	}
}
