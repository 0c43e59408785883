package refine

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Watch is told what happens. Its functions may be nil.
type Watch struct {
	Sweep func(Sweep)
	Note  func(string) // a decision, one sentence
}

func (w *Watch) note(format string, args ...any) {
	if w.Note != nil {
		w.Note(fmt.Sprintf(format, args...))
	}
}

// checkpoint is a state of the unknowns.
type checkpoint struct {
	sweep    int
	score    float64
	object   [2][]float32
	velocity [2][]float32
	params   []float32
	moving   []float32 // velocity of the probe
	gain     []float64
	y, x     []float64
}

// keep copies the present state into c.
func (e *Engine) keep(c *checkpoint, score float64) {
	c.sweep, c.score = e.done, score
	for k := range e.object {
		c.object[k] = append(c.object[k][:0], e.object[k]...)
		c.velocity[k] = append(c.velocity[k][:0], e.velocity[k]...)
	}
	c.params, c.moving = append(c.params[:0], e.params.Data...), append(c.moving[:0], e.probeVelocity...)
	c.gain, c.y, c.x = append(c.gain[:0], e.gain...), append(c.y[:0], e.y...), append(c.x[:0], e.x...)
}

// restore goes back to the unknowns of c, at rest.
func (e *Engine) goBack(c *checkpoint) {
	for k := range e.object {
		copy(e.object[k], c.object[k])
		clear(e.velocity[k])
	}
	copy(e.params.Data, c.params)
	clear(e.probeVelocity)
	copy(e.gain, c.gain)
	copy(e.y, c.y)
	copy(e.x, c.x)
}

// ErrDiverged is how a refinement ends that even the shortest steps cannot keep together.
var ErrDiverged = errors.New("the refinement diverges")

// worse is by what factor the loss of a sweep may exceed that of the best one so far.
const worse = 3

// Run does the sweeps that are left, and then the polish. When ctx ends it returns its error after a whole sweep, and
// may be called again.
func (e *Engine) Run(ctx context.Context, w Watch) error {
	for e.done < e.opt.Iterations {
		if len(e.good.params) == 0 {
			e.keep(&e.good, 0)
		}
		s, err := e.sweep(ctx)
		if err != nil {
			return err
		}
		if ok, err := e.check(s, &w); err != nil {
			return err
		} else if !ok {
			continue
		}
		e.history = append(e.history, s)
		if w.Sweep != nil {
			w.Sweep(s)
		}
		if e.opt.Holdout > 0 && e.overfits(s, &w) {
			break
		}
	}
	if e.opt.Holdout > 0 && len(e.best.params) > 0 && e.best.sweep != e.done {
		w.note("the held-out pixels are explained best after sweep %d, which is the result", e.best.sweep)
		e.goBack(&e.best)
	}
	return nil
}

// check undoes a sweep that diverged and tells whether it did not.
func (e *Engine) check(s Sweep, w *Watch) (ok bool, err error) {
	low := s.Loss
	for _, h := range e.history {
		low = min(low, h.Loss)
	}
	if s.finite() && (s.Loss <= worse*low || s.Number == 1) {
		e.keep(&e.good, s.Loss)
		return true, nil
	}
	e.slow /= 2
	const shortest = 1e-3
	if e.slow < shortest {
		return false, fmt.Errorf("%w: sweep %d has loss %.3g after %.3g, and steps a thousand times shorter did not help; is the probe one of this scan, and are the positions in pixels?", ErrDiverged, s.Number, s.Loss, low)
	}
	w.note("sweep %d diverged (loss %.3g after %.3g): undone, steps are halved", s.Number, s.Loss, low)
	e.goBack(&e.good)
	e.done = e.good.sweep
	return false, nil
}

// overfits keeps the state that explains the held-out pixels best and tells whether it is time to end.
func (e *Engine) overfits(s Sweep, w *Watch) bool {
	if len(e.best.params) == 0 || s.Held < e.best.score {
		e.keep(&e.best, s.Held)
		return false
	}
	if e.done-e.best.sweep < e.opt.Patience || annealing(e.done, e.opt.Iterations) > 0.5 {
		return false
	}
	w.note("the held-out pixels have been explained worse for %d sweeps: stopped after %d of %d", e.done-e.best.sweep, e.done, e.opt.Iterations)
	return true
}

// History returns the sweeps so far.
func (e *Engine) History() []Sweep { return slices.Clone(e.history) }

// Options returns the options with what was chosen for the scan.
func (e *Engine) Options() Options { return e.opt }
