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

func (w *Watch) sweep(s Sweep) {
	if w.Sweep != nil {
		w.Sweep(s)
	}
}

func (w *Watch) note(format string, args ...any) {
	if w.Note != nil {
		w.Note(fmt.Sprintf(format, args...))
	}
}

// ErrDiverged is how a refinement ends that even the shortest steps cannot keep together.
var ErrDiverged = errors.New("the refinement diverges")

// worse is by what factor the loss of a sweep may exceed that of the best one so far.
const worse = 3

// Run does the sweeps that are left, and then the polish. When ctx ends it returns its error with the state after the
// last whole sweep, and may be called again.
func (e *Engine) Run(ctx context.Context, w Watch) error {
	for e.done < e.opt.Iterations && !e.overfits() {
		if e.good.empty() {
			e.keep(&e.good, 0)
		}
		s, err := e.sweep(ctx)
		if err != nil {
			e.restore(&e.good)
			return err
		}
		if ok, err := e.check(s, &w); err != nil {
			return err
		} else if !ok {
			continue
		}
		e.history = append(e.history, s)
		if e.opt.Holdout > 0 && (e.best.empty() || s.Held < e.best.score) {
			e.keep(&e.best, s.Held)
		}
		w.sweep(s)
	}
	if !e.best.empty() && e.best.sweep != e.done {
		if e.done < e.opt.Iterations {
			w.note("the held-out pixels have been explained worse for %d sweeps: stopped after %d of %d", e.done-e.best.sweep, e.done, e.opt.Iterations)
		}
		w.note("the held-out pixels are explained best after sweep %d, which is the result", e.best.sweep)
		e.restore(&e.best)
		e.done, e.best = e.opt.Iterations, checkpoint{}
	}
	if e.opt.Polish > 0 {
		return e.polish(ctx, e.opt.Polish, &w)
	}
	return nil
}

// check undoes a sweep that diverged and tells whether it did not.
func (e *Engine) check(s Sweep, w *Watch) (ok bool, err error) {
	low := e.entry
	for _, h := range e.history {
		low = min(low, h.Loss)
	}
	if s.finite() && s.Loss <= worse*low {
		e.keep(&e.good, s.Loss)
		return true, nil
	}
	e.slow /= 2
	const shortest = 1e-3
	if e.slow < shortest {
		return false, fmt.Errorf("%w: sweep %d has a loss of %.3g after %.3g, and steps a thousand times shorter did not help; "+
			"is the probe one of this scan, and are the positions in object pixels?", ErrDiverged, s.Number, s.Loss, low)
	}
	w.note("sweep %d diverged (loss %.3g after %.3g): undone, steps are halved", s.Number, s.Loss, low)
	e.restore(&e.good)
	e.rest()
	e.keep(&e.good, e.good.score)
	return false, nil
}

// overfits tells whether the held-out pixels have been explained worse for so long that it is time to end.
func (e *Engine) overfits() bool {
	return !e.best.empty() && e.done-e.best.sweep >= e.opt.Patience && annealing(e.done, e.opt.Iterations) <= 0.5
}

// History returns the sweeps so far.
func (e *Engine) History() []Sweep { return slices.Clone(e.history) }

// Options returns the options with what was chosen for the scan.
func (e *Engine) Options() Options { return e.opt }
