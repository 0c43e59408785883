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

// ErrDiverged is how a refinement ends that even the shortest steps cannot keep together. The engine is left in the last
// state that was good.
var ErrDiverged = errors.New("the refinement diverges")

// worse is by what factor the loss of a state may exceed that of the best one so far.
const worse = 3

// Run does the sweeps that are left, and then the polish. When ctx ends it returns its error with the state after the
// last whole sweep, or the best one of a polish, and may be called again.
func (e *Engine) Run(ctx context.Context, w Watch) error {
	if e.good.empty() && e.opt.Iterations > 0 {
		if err := e.begin(ctx); err != nil {
			return err
		}
	}
	for e.sweeping() || e.unjudged() {
		if err := e.advance(ctx, &w); err != nil {
			return err
		}
	}
	e.choose(&w)
	if e.opt.Polish > 0 {
		return e.polish(ctx, e.opt.Polish, &w)
	}
	return nil
}

// sweeping tells whether there are sweeps left.
func (e *Engine) sweeping() bool { return e.done < e.opt.Iterations && !e.overfits() }

// unjudged tells whether the state after the last sweep is still to be looked at.
func (e *Engine) unjudged() bool { return e.done == e.opt.Iterations && e.good.sweep < e.done }

// begin measures the start.
func (e *Engine) begin(ctx context.Context) error {
	t, err := e.measure(ctx)
	if err != nil {
		return err
	}
	s := e.record(t)
	e.entry = s.Loss
	e.keep(&e.good, 0)
	e.keep(&e.last, 0)
	if e.opt.Holdout > 0 {
		e.keep(&e.best, s.Held)
	}
	return nil
}

// advance does a sweep, or after the last one only looks at the state. The losses of a sweep are those of the state
// before it, which is judged by them: the state after it has to wait for the next one.
func (e *Engine) advance(ctx context.Context, w *Watch) error {
	sweeping := e.sweeping()
	s, err := e.look(ctx, sweeping)
	if err != nil {
		e.restore(&e.last)
		return err
	}
	low := e.entry
	for _, h := range e.history {
		low = min(low, h.Loss)
	}
	if !s.finite() || !(s.Loss <= worse*low) {
		return e.undo(s, low, w)
	}
	if e.opt.Holdout > 0 && s.Held < e.best.score {
		e.best.copy(&e.last)
		e.best.score = s.Held
	}
	e.good, e.last = e.last, e.good
	e.keep(&e.last, 0)
	if sweeping {
		e.history = append(e.history, s)
		w.sweep(s)
	}
	return nil
}

// look returns the figures of a sweep, or of the present state.
func (e *Engine) look(ctx context.Context, sweeping bool) (Sweep, error) {
	if sweeping {
		return e.sweep(ctx)
	}
	t, err := e.measure(ctx)
	return e.record(t), err
}

// undo goes back to the last good state and shortens the steps.
func (e *Engine) undo(s Sweep, low float64, w *Watch) error {
	e.restore(&e.good)
	e.rest()
	e.keep(&e.good, 0)
	e.keep(&e.last, 0)
	e.history = e.history[:e.done]
	e.slow /= 2
	const shortest = 1e-3
	if e.slow < shortest {
		return fmt.Errorf("%w: sweep %d has a loss of %.3g after %.3g, and steps a thousand times shorter did not help; "+
			"is the probe one of this scan, and are the positions in object pixels?", ErrDiverged, s.Number, s.Loss, low)
	}
	w.note("sweep %d diverged (loss %.3g after %.3g): back to the state after sweep %d, steps are halved", s.Number, s.Loss, low, e.done)
	return nil
}

// choose goes back to the state that explains the held-out pixels best, if there are any.
func (e *Engine) choose(w *Watch) {
	if e.best.empty() || e.best.sweep == e.done {
		return
	}
	if e.done < e.opt.Iterations {
		w.note("the held-out pixels have been explained worse for %d sweeps: stopped after %d of %d", e.done-1-e.best.sweep, e.done, e.opt.Iterations)
	}
	w.note("the held-out pixels are explained best after sweep %d, which is the result", e.best.sweep)
	e.restore(&e.best)
	e.done, e.best = e.opt.Iterations, checkpoint{}
	e.keep(&e.good, 0)
}

// overfits tells whether the held-out pixels have been explained worse for so long that it is time to end.
func (e *Engine) overfits() bool {
	return !e.best.empty() && e.done-1-e.best.sweep >= e.opt.Patience && annealing(e.done, e.opt.Iterations) <= 0.5
}

// History returns the sweeps so far.
func (e *Engine) History() []Sweep { return slices.Clone(e.history) }

// Options returns the options with what was chosen for the scan.
func (e *Engine) Options() Options { return e.opt }
