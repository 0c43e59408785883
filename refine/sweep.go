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
	step := e.slow * e.opt.length(e.done)
	e.batches.shuffle(e.opt.Seed, e.done)
	var total tally
	for b := range e.batches.count {
		if err := ctx.Err(); err != nil {
			return Sweep{}, err
		}
		batch := e.batches.frames(b)
		e.lightUp()
		t, err := e.pass(batch, e.stepFrames, func(s *strip) { e.stepObject(s, step) }, func(part int) { e.stepShared(part, len(batch), step) })
		if err != nil {
			return Sweep{}, err
		}
		total.add(t)
	}
	e.settle()
	e.done++
	if e.opt.FitPositions && searching(e.done, e.opt.Iterations) {
		if moved, err := e.search(); err != nil {
			return Sweep{}, err
		} else if e.opt.Affine && moved > 0 {
			e.settlePositions()
		}
	}
	s := e.record(total)
	s.Step = step
	return s, nil
}

// record makes a Sweep of what was summed up.
func (e *Engine) record(t tally) Sweep {
	return Sweep{Number: e.done, Loss: t.loss / e.counts, Error: t.square / e.counts, R: t.abs / t.root, Held: t.held / e.counts}
}

// measure adds up how well all frames are explained at the present state.
func (e *Engine) measure(ctx context.Context) (t tally, err error) {
	for from := 0; from < e.frames.Len(); from += len(e.slots) {
		if err := ctx.Err(); err != nil {
			return t, err
		}
		slots := e.slots[:min(len(e.slots), e.frames.Len()-from)]
		for i := range slots {
			slots[i].frame = from + i
		}
		if err := e.pool.Run(len(slots), func(v *view, i int) error { return e.explain(v, &slots[i]) }); err != nil {
			return t, err
		}
		for i := range slots {
			t.add(slots[i].tally)
		}
	}
	return t, nil
}

// gradient adds up the gradients of some frames, all of them at the present state. Each of them is seen by after.
func (e *Engine) gradient(batch []int, after func([]slot)) (tally, error) {
	return e.pass(batch, after, func(*strip) {}, func(int) {})
}

// pass is gradient, and calls strip and part when the sum for a strip of the object or a part of the probe is complete.
func (e *Engine) pass(batch []int, after func([]slot), strip func(*strip), part func(int)) (t tally, err error) {
	for len(batch) > 0 {
		slots := e.slots[:min(len(e.slots), len(batch))]
		for i := range slots {
			slots[i].frame = batch[i]
		}
		batch = batch[len(slots):]
		if err := e.pool.Run(len(slots), func(v *view, i int) error { return e.descend(v, &slots[i]) }); err != nil {
			return t, err
		}
		if err := e.collect(slots, len(batch) == 0, strip, part); err != nil {
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

// collect adds up what the frames in slots contribute, and if they are the last of a batch goes on with what is to be
// done with the sums.
func (e *Engine) collect(slots []slot, last bool, strip func(*strip), part func(int)) error {
	n, parts := len(e.strips), 0
	if e.shared() {
		parts = probeParts
	}
	return e.pool.Run(n+parts, func(_ *view, i int) error {
		if i < n {
			s := &e.strips[i]
			e.gather(s, slots)
			if last {
				strip(s)
			}
			return nil
		}
		e.gatherProbe(i-n, slots)
		if last {
			part(i - n)
		}
		return nil
	})
}

// shared tells whether the frames share an unknown besides the object.
func (e *Engine) shared() bool { return e.opt.FitProbe || e.opt.FitBackground }

// stepShared moves a part of what frames share besides the object, and clears what it was moved by.
func (e *Engine) stepShared(part, frames int, rate float64) {
	if e.opt.FitProbe {
		e.stepProbe(part, frames, rate)
	}
	if e.opt.FitBackground {
		e.stepBackground(part, frames, rate)
	}
	e.clearPart(part)
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
