package doctor

import (
	"fmt"
	"math"

	"ptycho/data"
)

// usualStep is the step of a usual scan in diameters of the probe: 70 % linear overlap.
const usualStep = 0.3

// farStep is the step, in diameters of the probe, beyond which positions cannot be in object pixels.
const farStep = 5

// checkUnit says whether positions can be in object pixels, and returns that.
func (r *Report) checkUnit(ds *data.Dataset) bool {
	const name = "unit"
	if len(ds.X) < 2 || len(ds.X) != len(ds.Y) {
		return true
	}
	rows, cols := span(ds.Y, r.far), span(ds.X, r.far)
	step, diameter := data.MedianStep(ds.X, ds.Y), data.Diameter(ds.Probe, ds.N)
	switch {
	case diameter == 0:
		return true
	case rows < 1 && cols < 1, step > farStep*diameter:
		r.unitUnknown = true
		if step == 0 {
			step = max(rows, cols) / math.Sqrt(float64(len(ds.X)))
		}
		unit, pixel := guessUnit(step, diameter)
		r.say(name, Fatal, fmt.Sprintf("divide the positions by the object pixel, λ·distance/(N·detector pixel), with --coord_scale: %.3g gives 70 %% overlap, that of positions in %s and a pixel of %.3g %s", 1/pixel, unit, pixel, unit),
			"positions in object pixels cannot span %.3g×%.3g with a step of %.3g under a probe of %.1f pixels", rows, cols, step, diameter)
		return false
	case step < 0.01*diameter:
		r.say(name, Warn, "check that positions are in object pixels; else give --coord_scale", "the median step is %.3g pixels under a probe of %.1f: frames hardly differ", step, diameter)
	default:
		r.say(name, OK, "", "positions span %.4g×%.4g pixels (rows×columns) with a median step of %.2f", rows, cols, step)
	}
	return true
}

// guessUnit returns the likely unit of positions with a step under a probe of a diameter in object pixels, and the pixel
// in that unit that gives usualStep. A pixel has between 1 pm and 10 µm.
func guessUnit(step, diameter float64) (unit string, pixel float64) {
	pixel = step / (usualStep * diameter)
	switch {
	case pixel < 1e-5:
		return "m", pixel
	case pixel < 1:
		return "µm", pixel
	}
	return "nm", pixel
}

// span returns the range of the values besides those to leave out.
func span(v []float64, leave []int) float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, i := range rest(len(v), leave) {
		low, high = min(low, v[i]), max(high, v[i])
	}
	return high - low
}

// checkOverlap says how much frames share.
func (r *Report) checkOverlap(ds *data.Dataset) {
	const name, low, ample = "overlap", 0.5, 0.97
	diameter := data.Diameter(ds.Probe, ds.N)
	if len(ds.X) < 2 || len(ds.X) != len(ds.Y) || diameter == 0 || r.unitUnknown {
		return
	}
	step := data.MedianStep(ds.X, ds.Y)
	linear := max(0, 1-step/diameter)
	text := fmt.Sprintf("%.0f %% linear, %.0f %% of the area: median step %.2f pixels, %.2f of the probe's diameter of %.1f", 100*linear, 100*sharedArea(step/diameter), step, step/diameter, diameter)
	switch {
	case linear == 0:
		r.say(name, Fatal, "scan with a step of a third of the probe's diameter; a wrong unit of the positions (--coord_scale) or probe looks the same", "%s: frames share nothing", text)
	case linear < low:
		r.say(name, Warn, "60 to 85 % is usual; a network may learn it, an iteration needs more", "%s", text)
	case linear > ample:
		r.say(name, Note, "fewer frames would do", "%s", text)
	default:
		r.say(name, OK, "", "%s", text)
	}
}

// sharedArea returns the part of the area that two equal discs share whose centres are s diameters apart.
func sharedArea(s float64) float64 {
	if s >= 1 {
		return 0
	}
	return 2 / math.Pi * (math.Acos(s) - s*math.Sqrt(1-s*s))
}
