package data

import "math"

// The ways in which a dose is known.
const (
	DoseMeasured = "measured"
	DoseDeclared = "declared"
	DoseAssumed  = "assumed"
)

// Sum returns Σi, accumulated in float64.
func (i Intensity) Sum() float64 {
	var sum float64
	for _, v := range i {
		sum += float64(v)
	}
	return sum
}

// intensities turns the stored frames into the photons of the Dataset.
func (l *loader) intensities(s *stored) {
	d := l.ds
	r := &frameReader{store: s.frames, n: d.N, shift: l.resolveDC(s.centre, s.corner) == DCCorner}
	l.applyMask(s.mask, r)
	if scale := l.amplitudeScale(); scale > 0 {
		r.scales = append(r.scales, scale)
	}
	var why string
	d.Domain, why = l.resolveDomain(s.stats, r)
	l.note("frames are read as %s: %s", d.Domain, why)
	if d.Domain == DomainCounts {
		l.countFrames(s, r)
	} else {
		l.amplitudeFrames(s, r)
	}
	empty := l.finish(s, r)
	if !finite(d.Dose) {
		l.problem(l.keys.frames, "values within float32's range", "an overflow of the frames' energy", "store the frames in a smaller unit")
	}
	l.noteDose()
	l.checkEnergy(empty)
}

// amplitudeScale returns by what stored amplitudes are to be multiplied, 0 where that is not known.
func (l *loader) amplitudeScale() float64 {
	if l.declaredDomain() == DomainCounts {
		return 0
	}
	return l.ds.Metadata.AmplitudeScale
}

// countFrames takes counts as they are. An intensity that is only recognised as such is in an unknown unit.
func (l *loader) countFrames(s *stored, r *frameReader) {
	d := l.ds
	switch dose, from := l.declaredDose(); {
	case knownOrigin(d.Metadata.DoseFrom):
		d.DoseFrom = d.Metadata.DoseFrom
	case s.stats.counts() || l.declaredDomain() == DomainCounts:
		d.DoseFrom = DoseMeasured
	case from == DoseDeclared:
		d.DoseFrom = from
		if mean := l.total(r, func(x float64) float64 { return x }) / float64(d.Len()); mean > 0 {
			r.scales = append(r.scales, dose/mean)
		}
	default:
		d.DoseFrom = DoseAssumed
	}
}

// amplitudeFrames squares amplitudes, after giving those in an unknown unit the declared or default dose.
func (l *loader) amplitudeFrames(s *stored, r *frameReader) {
	d := l.ds
	dose, from := l.declaredDose()
	switch {
	case s.stats.rootsOfCounts():
		d.DoseFrom = DoseMeasured
	case d.Metadata.AmplitudeScale > 0:
		d.DoseFrom = DoseDeclared
	default:
		d.DoseFrom = from
		if energy := l.total(r, square) / float64(d.Len()); energy > 0 {
			r.scales = append(r.scales, math.Sqrt(dose/energy))
		}
	}
	if d.Metadata.AmplitudeScale > 0 && knownOrigin(d.Metadata.DoseFrom) {
		d.DoseFrom = d.Metadata.DoseFrom
	}
	r.square, r.round = true, s.stats.rootsOfCounts()
}

// declaredDose returns the photons a frame that the option or the metadata declare, else DefaultDose.
func (l *loader) declaredDose() (dose float64, from string) {
	for _, v := range []float64{l.opt.NPhotons, l.ds.Metadata.Dose, l.ds.Metadata.NPhotons} {
		if v > 0 {
			return v, DoseDeclared
		}
	}
	return DefaultDose, DoseAssumed
}

func (l *loader) noteDose() {
	const noticeable = 0.01
	d := l.ds
	dose, from := l.declaredDose()
	switch {
	case d.DoseFrom == DoseAssumed && d.Domain == DomainCounts:
		l.note("the unit of the frames is unknown: %.6g photons a frame is an assumption", d.Dose)
	case d.DoseFrom == DoseAssumed:
		l.note("the unit of the amplitudes is unknown: they are scaled to an assumed %.6g photons a frame", d.Dose)
	case from == DoseDeclared && math.Abs(d.Dose-dose) > noticeable*dose:
		l.note("the declared %.6g photons a frame are not used: the frames hold %.6g", dose, d.Dose)
	default:
		l.note("the dose is %.6g photons a frame, %s", d.Dose, d.DoseFrom)
	}
}

func knownOrigin(from string) bool {
	return from == DoseMeasured || from == DoseDeclared || from == DoseAssumed
}
