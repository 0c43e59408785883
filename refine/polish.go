package refine

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"
)

const (
	polishStore = 5    // pairs that L-BFGS remembers
	polishFloor = 1e-3 // part of the largest curvature that is added to that in every pixel
	polishLight = 1e-6 // part of the brightest pixel's light without which a pixel of the object stays as it is
	polishChunk = 64   // frames between two looks at the context

	// The polish ends when no iteration of the last polishWait, or Patience with held-out pixels, has lowered the least
	// loss by polishGain of itself.
	polishGain = 1e-6
	polishWait = 3
)

// polish minimises the loss over all frames at once with L-BFGS (Nocedal, Wright, Numerical Optimization, 2nd ed.,
// section 7.2), in at most so many iterations: of the object, and with FitProbe of the probe, while all else stays as it
// is. Every iteration goes to w and to the history as a Sweep whose Step is zero. It ends in the state with the least
// loss, or held-out loss if there is one, that it met, which may be the one where it began. An error reports that ctx
// ended or that a frame could not be read.
func (e *Engine) polish(ctx context.Context, iterations int, w *Watch) error {
	p := &polisher{e: e, ctx: ctx, w: w, number: e.done, last: e.done + iterations, patience: polishWait}
	if e.opt.Holdout > 0 {
		p.patience = e.opt.Patience
	}
	if n := len(e.history); n > 0 {
		p.number = max(p.number, e.history[n-1].Number) // of a polish that was interrupted
	}
	if p.number >= p.last {
		return nil
	}
	e.keep(&e.good, 0)
	if x := p.start(); len(x) > 0 {
		problem := optimize.Problem{Func: p.loss, Grad: p.gradient, Status: p.status}
		// A search that finds no way down any more reports a failure, but is at its end like one that converges.
		_, _ = optimize.Minimize(problem, x, &optimize.Settings{Converger: p, FuncEvaluations: 4 * iterations},
			&optimize.LBFGS{Store: polishStore, Linesearcher: &optimize.MoreThuente{}})
	}
	e.restore(&e.good)
	e.rest()
	if e.opt.FitProbe {
		e.settleProbe()
	}
	return p.err
}

// polisher is the loss over all frames as a function of x, where x·stretch is what the object, and the probe, are made
// of: in x the curvature is about the same everywhere, and the gradient at the start has length one and is the step to
// try first.
type polisher struct {
	e   *Engine
	ctx context.Context
	w   *Watch
	err error

	lit     []int32   // pixels of the object that move
	stretch []float64 // of their real parts, their imaginary parts and the planes of the probe
	scale   float64   // of the loss
	tally   tally     // of the present state

	number, last int  // of iterations
	begun        bool // the start has been seen
	idle         int  // iterations without much gain
	patience     int  // with them
}

// start sets up the variables and returns those of the present state, none where nothing can be made better.
func (p *polisher) start() (x []float64) {
	if p.look(); p.err != nil {
		return nil
	}
	p.e.good.score = p.score()
	p.weigh()
	square := 0.0
	p.each(func(i int, _ *float32, slope float32) {
		step := float64(slope) * p.stretch[i]
		square += step * step
	})
	if !(square > 0) {
		return nil
	}
	p.scale = p.e.unit() / square
	x = make([]float64, len(p.stretch))
	p.each(func(i int, v *float32, _ float32) {
		p.stretch[i] *= math.Sqrt(square)
		x[i] = float64(*v) / p.stretch[i]
	})
	return x
}

// weigh chooses the pixels of the object that move, and stretches all variables by 1/√(D+δ), D being their curvature:
// Σ|P|² for the object and Σ|O|² for the probe.
func (p *polisher) weigh() {
	e := p.e
	light := e.coverage()
	top := slices.Max(light)
	for i, d := range light {
		if d > polishLight*top {
			p.lit = append(p.lit, int32(i))
			p.stretch = append(p.stretch, 1/math.Sqrt(float64(d+polishFloor*top)))
		}
	}
	p.stretch = append(p.stretch, p.stretch...)
	if !e.opt.FitProbe {
		return
	}
	top = slices.Max(e.objectPower)
	for range 2 * e.modes {
		for _, d := range e.objectPower {
			p.stretch = append(p.stretch, 1/math.Sqrt(float64(d+polishFloor*top)))
		}
	}
}

// each calls f for every variable with its value and the gradient of the loss, in the unit of the engine.
func (p *polisher) each(f func(i int, v *float32, slope float32)) {
	e, i := p.e, 0
	for k, plane := range e.object {
		for _, at := range p.lit {
			s := &e.strips[int(at)/(stripRows*e.cols)]
			f(i, &plane[at], s.grad[k][int(at)-s.r0*e.cols])
			i++
		}
	}
	if e.opt.FitProbe {
		for k := range e.params.View(e.probe) {
			f(i, &e.params.View(e.probe)[k], e.grad[k])
			i++
		}
	}
}

// moveTo makes x the present state and looks at it, unless it is.
func (p *polisher) moveTo(x []float64) {
	moved := false
	p.each(func(i int, v *float32, _ float32) {
		if u := float32(x[i] * p.stretch[i]); u != *v {
			*v, moved = u, true
		}
	})
	if moved {
		p.look()
	}
}

// look adds up the loss of all frames and its gradient.
func (p *polisher) look() {
	e := p.e
	for i := range e.strips {
		e.strips[i].reset()
	}
	clear(e.grad)
	clear(e.objectPower)
	p.tally = tally{}
	for chunk := range slices.Chunk(e.batches.curve, polishChunk) {
		if p.err = p.ctx.Err(); p.err != nil {
			return
		}
		t, err := e.gradient(chunk, func([]slot) {})
		if err != nil {
			p.err = err
			return
		}
		p.tally.add(t)
	}
}

// loss implements optimize.Problem.
func (p *polisher) loss(x []float64) float64 {
	p.moveTo(x)
	return p.tally.loss * p.scale
}

// gradient implements optimize.Problem.
func (p *polisher) gradient(dst, x []float64) {
	p.moveTo(x)
	p.each(func(i int, _ *float32, slope float32) {
		dst[i] = float64(slope) * p.stretch[i] * p.scale / p.e.unit()
	})
}

// status implements optimize.Problem.
func (p *polisher) status() (optimize.Status, error) { return optimize.NotTerminated, p.err }

// score is what the states are compared by.
func (p *polisher) score() float64 {
	if p.e.opt.Holdout > 0 {
		return p.tally.held
	}
	return p.tally.loss
}

// Init implements optimize.Converger.
func (p *polisher) Init(int) {}

// Converged implements optimize.Converger: it takes note of an iteration and tells whether it was the last one.
func (p *polisher) Converged(loc *optimize.Location) optimize.Status {
	if !p.begun {
		p.begun = true
		return optimize.NotTerminated
	}
	if p.moveTo(loc.X); p.err != nil {
		return optimize.Failure
	}
	p.number++
	p.report()
	p.idle++
	s, best := p.score(), p.e.good.score
	if s < best*(1-polishGain) {
		p.idle = 0
	}
	if s < best {
		p.e.keep(&p.e.good, s)
	}
	if p.idle >= p.patience || p.number >= p.last {
		return optimize.IterationLimit
	}
	return optimize.NotTerminated
}

// report tells of an iteration.
func (p *polisher) report() {
	s := p.e.record(p.tally)
	s.Number = p.number
	p.e.history = append(p.e.history, s)
	p.w.sweep(s)
}
