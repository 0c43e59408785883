package train

import (
	"ptycho/internal/pool"
	"ptycho/model"
)

// worker is what one worker has of its own: a pass through the network and a sample to fill it with.
type worker struct {
	pass   *model.Pass
	sample model.Sample
}

// job does job i of a numbered few.
type job func(w *worker, i int) error

func newPool(workers int, net *model.Network, opt model.PassOptions) *pool.Pool[*worker] {
	return pool.New(workers, func() *worker { return &worker{pass: net.NewPass(opt)} })
}
