package refine

import (
	"math"

	"ptycho/internal/kernel"
	"ptycho/physics"
)

// stripRows is the height of a strip of the object. Frames are added strip by strip, in their order, so that the sum
// does not depend on who adds up which strip.
const stripRows = 16

// strip is the rows r0 … r1-1 of the object in a step.
type strip struct {
	r0, r1 int
	grad   [2][]float32 // Σ conj(P)·(ψ − ψ')
	power  []float32    // Σ|P|²
}

func newStrips(rows, cols int) []strip {
	var strips []strip
	for r := 0; r < rows; r += stripRows {
		s := strip{r0: r, r1: min(r+stripRows, rows)}
		size := (s.r1 - s.r0) * cols
		s.grad, s.power = [2][]float32{make([]float32, size), make([]float32, size)}, make([]float32, size)
		strips = append(strips, s)
	}
	return strips
}

// reset empties a strip.
func (s *strip) reset() {
	clear(s.grad[0])
	clear(s.grad[1])
	clear(s.power)
}

// gather adds what frames contribute to a strip. The power that lights it is taken to the next pixel, as a scale for
// steps needs no better.
func (e *Engine) gather(s *strip, slots []slot) {
	pix := e.n * e.n
	for i := range slots {
		f := &slots[i]
		if f.y+float64(e.n)+1 < float64(s.r0) || f.y-1 > float64(s.r1) {
			continue
		}
		for k, g := range s.grad {
			physics.Scatter(g, s.r1-s.r0, e.cols, f.grad[k*pix:][:pix], e.n, f.y-float64(s.r0), f.x)
		}
		physics.Scatter(s.power, s.r1-s.r0, e.cols, e.power, e.n, math.Round(f.y)-float64(s.r0), math.Round(f.x))
	}
}

// objectFloor is the part of the brightest pixel's power that is added to the power in every pixel, which keeps steps
// short where a frame has hardly any light and others have more.
const objectFloor = 0.4

// stepObject moves the object along its preconditioned gradient, with momentum, and clears the strip.
func (e *Engine) stepObject(s *strip, rate float64) {
	lo, hi := s.r0*e.cols, s.r1*e.cols
	for k, g := range s.grad {
		kernel.Descend(e.object[k][lo:hi], e.velocity[k][lo:hi], g, s.power, kernel.DescentStep{
			Rate: float32(rate), Momentum: float32(e.opt.Momentum),
			Scale: 1 - objectFloor, Floor: objectFloor * e.brightest,
		})
	}
	s.reset()
}

// lightUp computes Σ_m|P_m|², which the steps of the object are scaled with.
func (e *Engine) lightUp() {
	pix := e.n * e.n
	clear(e.power)
	p := e.params.View(e.probe)
	for m := range e.modes {
		kernel.AddNorm(e.power, p[2*m*pix:][:pix], p[(2*m+1)*pix:][:pix], 1)
	}
	e.brightest = 0
	for _, v := range e.power {
		if v > e.brightest {
			e.brightest = v
		}
	}
}

// coverage returns the power that lights each pixel of the object, summed over all frames.
func (e *Engine) coverage() []float32 {
	e.lightUp()
	c := make([]float32, e.rows*e.cols)
	for i := range e.y {
		physics.Scatter(c, e.rows, e.cols, e.power, e.n, e.y[i], e.x[i])
	}
	return c
}
