package refine

import (
	"ptycho/autodiff"
	"ptycho/fft"
	"ptycho/physics"
)

// view is the forward model of one frame on a tape: object patch → far field → exposure → likelihood.
type view struct {
	tape          *autodiff.Tape
	patch, counts autodiff.Value
	gain          autodiff.Value
	coherent      autodiff.Value // photons without gain and background
	lambda        autodiff.Value // expected photons
	waves         autodiff.Value // on the detector
	slopes        *slopes        // nil unless positions are fitted
	fit           *amplitudeFit
	held          heldPixels
}

// newView records the model.
func (e *Engine) newView(plan *fft.Plan) *view {
	t, n := autodiff.NewTape(e.params, true), e.n
	v := &view{tape: t, patch: t.Input(autodiff.Shape{1, 2, n, n}, true), counts: t.Input(autodiff.Shape{1, n, n}, false)}
	v.fit = &amplitudeFit{epsilon: float32(physics.PoissonEpsilon(e.dose / float64(n*n))), grad: make([]float32, n*n)}
	param := t.Frozen
	if e.shared() {
		param = t.Param
	}
	v.waves = physics.FarField(t, plan, v.patch, param(e.probe))
	v.lambda = physics.Detect(t, v.waves, e.modes, 1)
	if e.exposed() {
		v.gain, v.coherent = t.Input(autodiff.Shape{1}, true), v.lambda
		t.Keep(v.coherent)
		v.lambda = physics.Expose(t, v.coherent, v.gain, param(e.background))
	}
	t.Keep(v.lambda)
	if e.opt.FitPositions {
		t.Keep(v.waves)
		v.slopes = e.newSlopes(plan)
	}
	var loss autodiff.Loss = v.fit
	if e.opt.Loss == Poisson {
		loss = &physics.PoissonNLL{Epsilon: e.epsilon, Norm: 1 / float64(n*n)} // a sum, where it would be a mean
	}
	t.AddLoss("frame", 1, loss, v.lambda, v.counts)
	t.Compile()
	return v
}

// unit scales the gradient of the loss at the exit wave to the residual ψ − ψ', ψ' being the wave next to ψ that
// explains the frame: the reciprocal of the largest curvature.
func (e *Engine) unit() float64 {
	if e.opt.Loss == Poisson {
		return 0.25
	}
	return 0.5
}

// slot is what one frame contributes to a step.
type slot struct {
	frame       int
	y, x        float64   // where its patch begins on the canvas
	patch, grad []float32 // of the object, [2,N,N]
	params      []float32 // gradient of probe and background
	tally       tally

	gain   float64 // by which to multiply the gain
	dy, dx float64 // by which to move the frame
}

// tally sums up how well frames are explained.
type tally struct {
	loss, square, abs, root float64
	held                    float64 // loss of the pixels held out
}

func (t *tally) add(u tally) {
	t.loss += u.loss
	t.square += u.square
	t.abs += u.abs
	t.root += u.root
	t.held += u.held
}

// explain computes how well a frame is explained.
func (e *Engine) explain(v *view, s *slot) error {
	if err := e.read(v, s.frame); err != nil {
		return err
	}
	e.show(v, s, e.y[s.frame], e.x[s.frame])
	counts := v.tape.Data(v.counts)
	s.tally.loss = v.tape.Forward()
	lambda := v.tape.Data(v.lambda)
	if e.opt.Loss == Poisson {
		v.fit.look(lambda, counts)
	}
	s.tally.square, s.tally.abs, s.tally.root = v.fit.square, v.fit.abs, v.fit.root
	if e.opt.Holdout > 0 {
		s.tally.held = v.held.loss(lambda, e.opt.Loss, e.epsilon)
	}
	return nil
}

// descend computes what a frame contributes to a step.
func (e *Engine) descend(v *view, s *slot) error {
	if err := e.explain(v, s); err != nil {
		return err
	}
	if e.shared() {
		clear(s.params)
	}
	v.tape.Backward(e.unit(), s.params)
	copy(s.grad, v.tape.Grad(v.patch))
	if e.opt.FitPositions {
		s.dy, s.dx = e.equations(v, s).step(maxJump)
	}
	if e.exposed() {
		s.gain = e.brightness(v)
	}
	return nil
}

// read reads what the fit sees of a frame.
func (e *Engine) read(v *view, frame int) error {
	counts := v.tape.Data(v.counts)
	if err := e.frames.Read(counts, frame); err != nil {
		return err
	}
	if e.opt.Holdout > 0 {
		v.held.hide(counts, e.n, e.opt.Seed, frame, e.opt.Holdout)
	}
	return nil
}

// show puts the patch of the object at (y, x) under the probe.
func (e *Engine) show(v *view, s *slot, y, x float64) {
	pix := e.n * e.n
	s.y, s.x = y, x
	patch := v.tape.Data(v.patch)
	for k, plane := range e.object {
		physics.Gather(patch[k*pix:][:pix], e.n, plane, e.rows, e.cols, s.y, s.x)
	}
	if e.opt.FitProbe {
		copy(s.patch, patch)
	}
	if e.exposed() {
		v.tape.Data(v.gain)[0] = float32(e.gain[s.frame])
	}
}
