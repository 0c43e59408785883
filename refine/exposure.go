package refine

import "math"

// exposed tells whether frames have a gain and a background.
func (e *Engine) exposed() bool { return e.opt.FitGain || e.opt.FitBackground }

// brightness returns by how much to multiply the gain g of a frame: Newton's step for the gain of a frame without
// background, 1 − c with c = ∂L/∂g / Σ I, twice that for amplitudes, whose likelihood is half as curved.
func (e *Engine) brightness(v *view) float64 {
	sum := 0.0
	for _, x := range v.tape.Data(v.coherent) {
		sum += float64(x)
	}
	if sum == 0 {
		return 1
	}
	c := float64(v.tape.Grad(v.gain)[0]) / e.unit() / sum
	if e.opt.Loss == Amplitude {
		c *= 2
	}
	return min(max(1-c, 0.5), 2)
}

// stepGain moves the gains of a batch.
func (e *Engine) stepGain(slots []slot) {
	for i := range slots {
		e.gain[slots[i].frame] *= slots[i].gain
	}
}

// settleGain keeps the mean gain at one: a common factor belongs to the probe.
func (e *Engine) settleGain() {
	mean := 0.0
	for _, g := range e.gain {
		mean += g / float64(len(e.gain))
	}
	for i := range e.gain {
		e.gain[i] /= mean
	}
}

// stepBackground multiplies a part of the background with the mean of k/λ, or of √(k/λ) for amplitudes, over the frames
// of a batch: the step of expectation maximisation (Dempster, Laird, Rubin 1977), which is a gradient step scaled with
// the background itself. It stays positive.
func (e *Engine) stepBackground(part, frames int, rate float64) {
	lo, hi := e.part(part)
	b := e.params.View(e.background)
	grad := e.grad[len(e.grad)-len(b):]
	for i := lo; i < hi; i++ {
		c := rate * float64(grad[i]) / e.unit() / float64(frames)
		b[i] *= float32(min(max(1-c, 0.5), 2))
	}
}

// startBackground is where the fit of a background begins: a part of what the darkest pixels of the mean frame have.
func startBackground(mean []float64) float64 {
	total, low := 0.0, math.Inf(1)
	for _, v := range mean {
		total += v / float64(len(mean))
		low = min(low, v)
	}
	return max(low/2, 1e-4*total)
}
