package refine

import (
	"context"
	"fmt"
	"math"
)

// Sweep is the record of one pass over all frames. Its figures are those of each frame just before its step.
type Sweep struct {
	Number int     // counted from 1
	Loss   float64 // a photon
	Error  float64 // Σ(√k−√λ)² / Σk
	R      float64 // Σ|√k−√λ| / Σ√k
	Held   float64 // loss of the pixels held out, a photon of those that are not
	Step   float64 // length of the last step
}

// sweep makes one step for every batch.
func (e *Engine) sweep(ctx context.Context) (Sweep, error) {
	step := e.opt.Step * e.slow * annealing(e.done, e.opt.Iterations)
	e.batches.shuffle(e.opt.Seed, e.done)
	var total tally
	for b := range e.batches.count {
		if err := ctx.Err(); err != nil {
			return Sweep{}, err
		}
		batch := e.batches.frames(b)
		e.lightUp()
		t, err := e.gradient(batch, e.stepFrames)
		if err != nil {
			return Sweep{}, err
		}
		total.add(t)
		e.step(len(batch), step)
	}
	e.settle()
	e.done++
	if e.opt.FitPositions && searching(e.done, e.opt.Iterations) {
		if _, err := e.search(); err != nil {
			return Sweep{}, err
		}
	}
	return Sweep{
		Number: e.done, Step: step, Loss: total.loss / e.counts, Error: total.square / e.counts, R: total.abs / total.root,
		Held: total.held / e.counts,
	}, nil
}

// gradient adds up the gradients of some frames, all of them at the present state. Each of them is seen by after.
func (e *Engine) gradient(batch []int, after func([]slot)) (t tally, err error) {
	for from := 0; from < len(batch); from += len(e.slots) {
		slots := e.slots[:min(len(e.slots), len(batch)-from)]
		for i := range slots {
			slots[i].frame = batch[from+i]
		}
		if err := e.pool.Run(len(slots), func(v *view, i int) error { return e.descend(v, &slots[i]) }); err != nil {
			return t, err
		}
		err := e.each(func(s *strip) { e.gather(s, slots) }, func(part int) { e.gatherProbe(part, slots) })
		if err != nil {
			return t, err
		}
		for i := range slots {
			t.add(slots[i].tally)
			e.frameLoss[slots[i].frame] = slots[i].tally.loss
		}
		after(slots)
	}
	return t, nil
}

// each treats all strips of the object and all parts of the probe.
func (e *Engine) each(strip func(*strip), part func(int)) error {
	n := len(e.strips)
	return e.pool.Run(n+probeParts, func(_ *view, i int) error {
		if i < n {
			strip(&e.strips[i])
		} else {
			part(i - n)
		}
		return nil
	})
}

// step moves what frames share.
func (e *Engine) step(frames int, rate float64) {
	// Nothing of this can fail.
	_ = e.each(func(s *strip) { e.stepObject(s, rate) }, func(part int) {
		if e.opt.FitProbe {
			e.stepProbe(part, frames, rate)
		}
		if e.opt.FitBackground {
			e.stepBackground(part, frames, rate)
		}
	})
	clear(e.grad)
	clear(e.objectPower)
}

// stepFrames moves what every frame has of its own.
func (e *Engine) stepFrames(slots []slot) {
	if e.opt.FitPositions {
		e.stepPositions(slots)
	}
	if e.opt.FitGain {
		e.stepGain(slots)
	}
}

// settle removes, after a sweep, what the frames leave open.
func (e *Engine) settle() {
	if e.opt.FitProbe {
		e.settleProbe()
	}
	if e.opt.FitPositions {
		e.settlePositions()
	}
	if e.opt.FitGain {
		e.settleGain()
	}
}

// finite tells whether a sweep went well.
func (s *Sweep) finite() bool { return !math.IsNaN(s.Loss) && !math.IsInf(s.Loss, 0) }

func (s Sweep) String() string {
	return fmt.Sprintf("sweep %d: error %.5f, R %.4f", s.Number, s.Error, s.R)
}
