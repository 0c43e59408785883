package train

import (
	"sync"
	"sync/atomic"

	"ptycho/model"
)

// pool is a set of workers, each with its own pass through the network, that share out numbered jobs. Which
// worker does which job does not matter to any result.
type pool struct {
	passes []*model.Pass
	next   atomic.Int64
	jobs   int
	job    job
	failed atomic.Pointer[error] // what the first failure was
	start  []chan struct{}
	done   sync.WaitGroup
}

// job does job i of a numbered few, with a worker's own pass and sample.
type job func(pass *model.Pass, sample *model.Sample, i int) error

// newPool starts workers with passes made by newPass. They end with close.
func newPool(workers int, newPass func() *model.Pass) *pool {
	p := &pool{}
	for range workers {
		p.passes = append(p.passes, newPass())
		p.start = append(p.start, make(chan struct{}))
	}
	for i, pass := range p.passes {
		go p.work(pass, p.start[i])
	}
	return p
}

func (p *pool) work(pass *model.Pass, start chan struct{}) {
	var sample model.Sample
	for range start {
		for i := int(p.next.Add(1)) - 1; i < p.jobs; i = int(p.next.Add(1)) - 1 {
			if err := p.job(pass, &sample, i); err != nil {
				p.fail(err)
			}
		}
		p.done.Done()
	}
}

func (p *pool) fail(err error) { p.failed.CompareAndSwap(nil, &err) }

// run does the jobs 0 … n-1 and returns when all are done, with an error if any failed. It allocates nothing.
func (p *pool) run(n int, job job) error {
	p.jobs, p.job = n, job
	p.next.Store(0)
	p.failed.Store(nil)
	p.done.Add(len(p.start))
	for _, c := range p.start {
		c <- struct{}{}
	}
	p.done.Wait()
	if err := p.failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (p *pool) close() {
	for _, c := range p.start {
		close(c)
	}
}
