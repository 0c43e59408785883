package refine

import (
	"math"

	"ptycho/internal/kernel"
	"ptycho/physics"
)

// probeParts is the number of parts into which the pixels of the probe are cut to be worked on at the same time.
const probeParts = 8

// probeFloor is the part of the mean power of the object that is added to its power under every pixel of the probe.
const probeFloor = 0.1

// part returns the pixels [lo, hi) of a part of the frame.
func (e *Engine) part(i int) (lo, hi int) {
	pix := e.n * e.n
	return i * pix / probeParts, (i + 1) * pix / probeParts
}

// gatherProbe adds what frames contribute to a part of the probe, and of the background.
func (e *Engine) gatherProbe(part int, slots []slot) {
	pix := e.n * e.n
	lo, hi := e.part(part)
	for i := range slots {
		s := &slots[i]
		for plane := 0; plane < len(e.grad); plane += pix {
			sum := e.grad[plane+lo : plane+hi]
			kernel.Add(sum, sum, s.params[plane+lo:plane+hi])
		}
		if e.opt.FitProbe {
			kernel.AddNorm(e.objectPower[lo:hi], s.patch[lo:hi], s.patch[pix+lo:pix+hi], 1)
		}
	}
}

// clearPart empties the sums of a part.
func (e *Engine) clearPart(part int) {
	lo, hi := e.part(part)
	for plane := 0; plane < len(e.grad); plane += e.n * e.n {
		clear(e.grad[plane+lo : plane+hi])
	}
	clear(e.objectPower[lo:hi])
}

// stepProbe moves a part of the probe along its preconditioned gradient for a batch of frames. The object has a mean
// power of about one where there is light.
func (e *Engine) stepProbe(part, frames int, rate float64) {
	pix := e.n * e.n
	lo, hi := e.part(part)
	p := e.params.View(e.probe)
	for plane := 0; plane < len(p); plane += pix {
		kernel.Descend(p[plane+lo:plane+hi], e.probeVelocity[plane+lo:plane+hi], e.grad[plane+lo:plane+hi], e.objectPower[lo:hi], kernel.DescentStep{
			Rate: float32(rate), Momentum: float32(e.opt.Momentum),
			Scale: 1 - probeFloor, Floor: float32(probeFloor * float64(frames)),
		})
	}
}

// settleProbe makes the modes orthogonal and gives them the power of a frame again, which the object makes up for: only
// their product is measured.
func (e *Engine) settleProbe() {
	if e.modes > 1 {
		physics.Orthogonalise(e.params.View(e.probe), e.modes, e.n)
		clear(e.probeVelocity) // it belongs to the modes before
	}
	f := e.normaliseProbe()
	kernel.Scale(e.probeVelocity, f)
	for k := range e.object {
		kernel.Scale(e.object[k], 1/f)
		kernel.Scale(e.velocity[k], 1/f)
	}
}

// normaliseProbe gives the probe the power of a frame and returns by what it was multiplied.
func (e *Engine) normaliseProbe() float32 {
	p := e.params.View(e.probe)
	f := float32(math.Sqrt(e.dose / kernel.SumSquares(p)))
	kernel.Scale(p, f)
	return f
}
