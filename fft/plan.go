package fft

import (
	"fmt"
	"os"

	"ptycho/internal/kernel"
)

// The engines of a Plan.
const (
	Planar = "planar" // float32, allocation-free, lengths 2^a·3^b·5^c
	DSP    = "dsp"    // go-dsp, complex128, any length
)

// EngineEnv is the environment variable that chooses the engine of NewPlan.
const EngineEnv = "PTYCHO_FFT"

// Plan transforms h×w images held as two planes. It is immutable and safe for concurrent use, provided
// that each goroutine brings its own work space.
type Plan struct {
	h, w   int
	planar *kernel.FFT // nil on engine DSP
}

// NewPlan returns a plan for h×w images. The engine is the one that PTYCHO_FFT names, else Planar; lengths
// that Planar does not cover go to DSP. It is an error if h or w is not positive or the name is unknown.
func NewPlan(h, w int) (*Plan, error) {
	engine := os.Getenv(EngineEnv)
	switch engine {
	case DSP:
	case "", Planar:
		engine = Planar
		if !kernel.FFTCovers(h) || !kernel.FFTCovers(w) {
			engine = DSP
		}
	default:
		return nil, fmt.Errorf("fft: %s=%q: unknown engine, expected %s or %s", EngineEnv, engine, Planar, DSP)
	}
	return NewPlanEngine(h, w, engine)
}

// NewPlanEngine returns a plan for h×w images on the engine named, Planar or DSP. It is an error if h or w
// is not positive, the name is unknown, or the engine does not cover the lengths.
func NewPlanEngine(h, w int, engine string) (*Plan, error) {
	if h <= 0 || w <= 0 {
		return nil, fmt.Errorf("fft: cannot transform %d×%d images, expected positive sides", h, w)
	}
	switch engine {
	case DSP:
		return &Plan{h: h, w: w}, nil
	case Planar:
		if !kernel.FFTCovers(h) || !kernel.FFTCovers(w) {
			return nil, fmt.Errorf("fft: engine %s does not cover %d×%d, expected lengths 2^a·3^b·5^c; use %s",
				Planar, h, w, DSP)
		}
		return &Plan{h: h, w: w, planar: kernel.NewFFT(h, w)}, nil
	}
	return nil, fmt.Errorf("fft: unknown engine %q, expected %s or %s", engine, Planar, DSP)
}

// Engine returns the name of the engine, Planar or DSP.
func (p *Plan) Engine() string {
	if p.planar == nil {
		return DSP
	}
	return Planar
}

// Dims returns the height and the width of the images.
func (p *Plan) Dims() (h, w int) { return p.h, p.w }

// WorkLen returns the length of the work space that Forward and Inverse need.
func (p *Plan) WorkLen() int {
	if p.planar == nil {
		return 0
	}
	return p.planar.WorkLen()
}

// Forward replaces the image re + i·im by its unitary transform. The planes have length h·w, work at least
// WorkLen; they must not overlap. The content of work before and after is meaningless.
func (p *Plan) Forward(re, im, work []float32) {
	p.check(re, im, work)
	if p.planar == nil {
		p.dsp(re, im)
		return
	}
	p.planar.Transform(re, im, work)
}

// Inverse replaces the image re + i·im by its unitary inverse transform, which is the adjoint of Forward.
// The arguments are those of Forward.
func (p *Plan) Inverse(re, im, work []float32) {
	// Exchanging the planes maps z to i·conj(z), which turns one transform into the other.
	p.Forward(im, re, work)
}

func (p *Plan) check(re, im, work []float32) {
	if n := p.h * p.w; len(re) != n || len(im) != n {
		panic(fmt.Sprintf("fft: planes of %d and %d pixels, the plan is for %d×%d", len(re), len(im), p.h, p.w))
	}
	if len(work) < p.WorkLen() {
		panic(fmt.Sprintf("fft: work space of %d, the plan needs %d", len(work), p.WorkLen()))
	}
}
