package doctor

import (
	"fmt"
	"math"

	"ptycho/data"
	"ptycho/fft"
	"ptycho/metrics"
	"ptycho/physics"
)

// checkWindow compares the probe with the frame.
func (r *Report) checkWindow(ds *data.Dataset) {
	const name, roomy, full = "sampling", 0.5, 0.8
	d := data.Diameter(ds.Probe, ds.N)
	part := d / float64(ds.N)
	text := fmt.Sprintf("the probe's diameter is %.1f pixels (D4σ), %.2f of the frame's %d", d, part, ds.N)
	switch {
	case d == 0:
	case part > full:
		r.say(name, Warn, "use a larger part of the detector's pixels unbinned, or check the probe", "%s: it does not fit, and folds back at the edges", text)
	case part > roomy:
		r.say(name, Note, "", "%s: intensities are sampled less than twice as finely as they need, which overlap makes up for", text)
	default:
		r.say(name, OK, "", "%s", text)
	}
}

// alike is the asymmetry below which a probe counts as symmetric.
const alike = 0.05

// checkTwin says whether the probe is its own twin.
func (r *Report) checkTwin(ds *data.Dataset) {
	a := physics.TwinAsymmetry(ds.Probe, ds.N)
	if a < alike {
		r.say("twin", Note, "trust the positions: only they tell the object from its twin", "the probe is its own twin, P(-r) = conj P(r), but for %.3f: an object and its twin conj O(-r) give the same frames at opposite positions", a)
		return
	}
	r.say("twin", OK, "", "the probe differs from its own twin by %.2f of its norm", a)
}

// checkProbe says whether the probe explains the mean frame, N×N, as far as that was measured.
func (r *Report) checkProbe(ds *data.Dataset, mean []float64) {
	const useless = 0.5
	p, err := physics.NewProbe(ds.Probe, ds.N, ds.Modes, 0, false)
	if err != nil {
		r.say("probe", Fatal, "store an estimate of the probe", "%v", err)
		return
	}
	m := p.Mismatch(mean)
	text := fmt.Sprintf("its far field differs from the mean frame by %.3f of the energy", m)
	switch {
	case m <= physics.TrustedMismatch:
		r.say("probe", OK, "", "%s: it is taken as it is", text)
	case m <= useless:
		r.say("probe", Warn, "fit it: --fit_probe for a refinement, --probe_trainable for a training", "%s; that of a true probe by less than %.2f", text, physics.TrustedMismatch)
	default:
		r.say("probe", Warn, "get a probe from an earlier scan, or make one from the aperture", "%s: it is not the probe of these frames", text)
	}
}

// checkCentre compares the place of the mean frame with that of the probe's far field. A probe that is held tells them apart;
// one that is fitted, and the object too, would absorb the difference as a phase plane.
func (r *Report) checkCentre(ds *data.Dataset, mean []float64) {
	const name, tolerated = "beam centre", 1
	dy, dx, err := offset(mean, farField(ds), ds.N)
	if err != nil {
		r.say(name, Note, "", "cannot tell: %v", err)
		return
	}
	if math.Hypot(dy, dx) <= tolerated {
		r.say(name, OK, "", "the mean frame is within %.2f pixels of the far field of the probe", math.Hypot(dy, dx))
		return
	}
	r.say(name, Warn, fmt.Sprintf("move the frames by %.0f rows and %.0f columns; else the object, or a probe that is fitted, gets a phase plane", math.Round(dy)+0, math.Round(dx)+0),
		"the mean frame is %+.2f rows and %+.2f columns off the far field of the probe, or the object deflects that much on average", -dy, -dx)
}

// farField returns Σ_m |F P_m|², N×N with the direct beam at [N/2, N/2].
func farField(ds *data.Dataset) []float64 {
	pix := ds.N * ds.N
	power, field := make([]float64, pix), make([]complex128, pix)
	plan := fft.NewDouble(ds.N, ds.N)
	for m := range ds.Modes {
		for i := range field {
			field[i] = complex128(ds.Probe[m*pix+i])
		}
		plan.AddPower(power, field)
	}
	return power
}

// amplitudes returns the root of an intensity as an image.
func amplitudes(v []float64, n int) metrics.Image {
	pix := make([]complex128, len(v))
	for i, x := range v {
		pix[i] = complex(math.Sqrt(max(0, x)), 0)
	}
	return metrics.NewImage(n, n, pix)
}

// checkAperture says whether the bright part of the mean frame, N×N, fits into the frame.
func (r *Report) checkAperture(ds *data.Dataset, mean []float64) {
	const name = "aperture"
	radius, cy, cx := physics.ApertureOf(filled(mean, mean, ds.N), ds.N)
	half := float64(ds.N / 2)
	reach := radius + math.Hypot(cy-half, cx-half)
	text := fmt.Sprintf("the bright field has a radius of %.1f pixels about row %.1f, column %.1f", radius, cy, cx)
	switch {
	case radius == 0:
	case reach > half:
		r.say(name, Warn, "use more of the detector, or centre the frames", "%s: it reaches beyond the frame of %d pixels", text, ds.N)
	default:
		r.say(name, OK, "", "%s: it ends %.1f pixels from the frame's edge", text, half-reach)
	}
}
