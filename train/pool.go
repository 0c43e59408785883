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
	job    func(pass *model.Pass, sample *model.Sample, i int)
	start  []chan struct{}
	done   sync.WaitGroup
}

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
			p.job(pass, &sample, i)
		}
		p.done.Done()
	}
}

// run does the jobs 0 … n-1 and returns when all are done. It allocates nothing.
func (p *pool) run(n int, job func(pass *model.Pass, sample *model.Sample, i int)) {
	p.jobs, p.job = n, job
	p.next.Store(0)
	p.done.Add(len(p.start))
	for _, c := range p.start {
		c <- struct{}{}
	}
	p.done.Wait()
}

func (p *pool) close() {
	for _, c := range p.start {
		close(c)
	}
}
