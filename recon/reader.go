package recon

import (
	"sync"

	"ptycho/model"
)

// reader reads groups of frames in their order, ahead of their use.
type reader struct {
	ready, free chan *group
	quit        chan struct{}
	done        sync.WaitGroup
}

// group is one group of frames, or why it cannot be read. It is sent back to free when it has been used.
type group struct {
	model.Sample
	number int
	err    error
}

// readAhead reads all groups of src, at most ahead of them before they are used.
func readAhead(src *model.Source, ahead int) *reader {
	r := &reader{ready: make(chan *group, ahead), free: make(chan *group, ahead), quit: make(chan struct{})}
	for range ahead {
		r.free <- &group{}
	}
	r.done.Go(func() {
		for i := range src.Groups {
			select {
			case g := <-r.free:
				g.number, g.err = i, src.Fill(&g.Sample, i)
				r.ready <- g
			case <-r.quit:
				return
			}
		}
	})
	return r
}

// stop ends the reading, and returns when it has ended.
func (r *reader) stop() {
	close(r.quit)
	r.done.Wait()
}
