package pool

import (
	"runtime"
	"sync/atomic"
)

// The states of a helper.
const (
	idle   = iota // or at work
	called        // but has not begun
	asleep        // waits at the channel
	ended
)

// looks is how often to look before going to sleep: for some ten microseconds, as long as it takes to be woken.
const looks = 1 << 14

// look calls done up to n times, until it is true, and returns whether it was.
func look(n int, done func() bool) bool {
	for i := range n {
		if done() {
			return true
		}
		if i%256 == 255 {
			runtime.Gosched()
		}
	}
	return false
}

// helper is a worker that comes when it is called.
type helper struct {
	state atomic.Int32
	wake  chan struct{}
}

// await returns true when the helper is called and false when it is to end.
func (h *helper) await(patience int) bool {
	for {
		look(patience, func() bool { return h.state.Load() != idle })
		switch {
		case h.state.CompareAndSwap(called, idle):
			return true
		case h.state.Load() == ended:
			return false
		case h.state.CompareAndSwap(idle, asleep):
			<-h.wake
		}
	}
}

// call calls a helper that is idle or asleep.
func (h *helper) call() { h.become(called) }

// dismiss takes back a call that the helper has not heard yet, and returns whether it has not.
func (h *helper) dismiss() bool { return h.state.CompareAndSwap(called, idle) }

// end ends a helper that is idle or asleep.
func (h *helper) end() { h.become(ended) }

func (h *helper) become(state int32) {
	if h.state.Swap(state) == asleep {
		h.wake <- struct{}{}
	}
}
