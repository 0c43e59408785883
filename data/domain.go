package data

import (
	"fmt"
	"math"
)

// valueStats tells counts (whole numbers) from √counts (whole squares).
type valueStats struct {
	nonzero int
	whole   int // whole numbers
	roots   int // not whole, but their squares are
	other   int // neither
	levels  int // distinct whole values, counted up to manyLevels
	max     float64
}

const (
	// nearlyAll is the share of values that has to follow a rule; the rest may be corrected pixels.
	nearlyAll = 0.999
	// manyLevels distinct whole values are more than rounded amplitudes would show.
	manyLevels = 16
)

// The relative rounding errors of float32 and float64.
const (
	epsilon32 = 0x1p-24
	epsilon64 = 0x1p-53
)

// singlePrecision tells whether v was computed in float32.
func singlePrecision(v []float64) bool {
	for _, x := range v {
		if float64(float32(x)) != x {
			return false
		}
	}
	return true
}

// classifier collects the statistics of values that were rounded to a relative precision.
type classifier struct {
	valueStats
	tol, limit float64
	seen       map[float64]bool
}

func newClassifier(eps float64) classifier {
	// A root's square is off by up to 2 eps; beyond limit a random square would often be near a whole one.
	tol := 8 * eps
	return classifier{tol: tol, limit: 0.01 / tol, seen: make(map[float64]bool, manyLevels)}
}

func classify[T float32 | float64](c *classifier, v []T) {
	for _, t := range v {
		x := float64(t)
		if x == 0 {
			continue
		}
		c.nonzero++
		c.max = max(c.max, x)
		sq := x * x
		root := math.Round(sq)
		switch {
		case x == math.Trunc(x):
			c.whole++
			if c.levels < manyLevels && !c.seen[x] {
				c.seen[x] = true
				c.levels++
			}
		case sq > c.limit:
		case root >= 1 && math.Abs(sq-root) <= c.tol*sq:
			c.roots++
		default:
			c.other++
		}
	}
}

// counts tells whether the values are whole numbers.
func (s valueStats) counts() bool {
	return s.nonzero > 0 && float64(s.whole) >= nearlyAll*float64(s.nonzero) && !s.rootsOfCounts()
}

// rootsOfCounts tells whether the values are square roots of whole numbers, and not whole themselves.
func (s valueStats) rootsOfCounts() bool {
	judged := s.whole + s.roots + s.other
	return s.roots > 0 && float64(s.roots+s.whole) >= nearlyAll*float64(judged)
}

// declaredDomain returns what the option, or else the file's metadata, say that the frames are.
func (l *loader) declaredDomain() string {
	if l.opt.Domain != "" {
		return l.opt.Domain
	}
	return l.ds.Metadata.Domain
}

// resolveDomain returns what the frames are, and why: declared, else by whole numbers, else by what probe
// and object make of it, else amplitude, as the file format has it.
func (l *loader) resolveDomain(s valueStats, r *frameReader) (domain, why string) {
	if declared := l.declaredDomain(); declared != "" {
		if m := l.ds.Metadata.Domain; m != "" && m != declared {
			l.note("%s says domain %s, the option says %s and wins", metadataKey, m, declared)
		}
		l.contradiction(declared, s)
		return declared, "declared"
	}
	switch {
	case s.counts():
		return DomainCounts, "whole numbers"
	case s.rootsOfCounts():
		return DomainAmplitude, "square roots of whole numbers"
	}
	if e, ok := l.evidence(r); ok {
		switch {
		case e.favours(e.intensity, e.amplitude):
			return DomainCounts, fmt.Sprintf("probe and object explain them as intensities (match %.4f) better than as amplitudes (%.4f)", e.intensity, e.amplitude)
		case e.favours(e.amplitude, e.intensity):
			return DomainAmplitude, fmt.Sprintf("probe and object explain them as amplitudes (match %.4f) better than as intensities (%.4f)", e.amplitude, e.intensity)
		}
	}
	return DomainAmplitude, "neither the values nor probe and object tell, and amplitude is the format's default"
}

// contradiction reports data that cannot be what they are declared to be.
func (l *loader) contradiction(declared string, s valueStats) {
	switch {
	case declared == DomainCounts && s.rootsOfCounts():
		l.problem(l.keys.frames, "counts, as declared", "values whose squares are whole numbers and which are not: amplitudes", "declare domain amplitude")
	case declared == DomainAmplitude && s.counts() && s.levels >= manyLevels && l.ds.Metadata.AmplitudeScale == 0:
		l.problem(l.keys.frames, "amplitudes, as declared", fmt.Sprintf("whole numbers up to %g: counts", s.max),
			"declare domain counts, or store amplitudes that were rounded squared, as counts")
	}
}

// evidence is how well the frames agree with probe and object under either reading.
type evidence struct{ amplitude, intensity float64 }

// favours tells whether the reading with match a is clearly better than that with match b.
func (e evidence) favours(a, b float64) bool {
	const convincing, better = 0.7, 1.5
	return a > convincing && 1-b > better*(1-a)
}

// evidence compares a few frames with the far field of probe and object. Both
// readings are compared as amplitudes, where photon noise is the same everywhere; the unit drops out.
func (l *loader) evidence(r *frameReader) (evidence, bool) {
	const few = 8
	d := l.ds
	if d.Object == nil || d.Probe == nil {
		return evidence{}, false
	}
	var amp, inten match
	frame := make([]float32, d.N*d.N)
	step := max(len(d.X)/few, 1)
	for j := 0; j < len(d.X); j += step {
		if !l.readFrame(r, frame, j) {
			return evidence{}, false
		}
		for i, model := range farField(d, j) {
			if d.Mask != nil && d.Mask[i] {
				continue
			}
			x, a := float64(frame[i]), math.Sqrt(model)
			amp.add(x, a)
			inten.add(math.Sqrt(x), a)
		}
	}
	return evidence{amp.cosine(), inten.cosine()}, true
}

// match accumulates the normalised correlation of two images.
type match struct{ xy, xx, yy float64 }

func (m *match) add(x, y float64) {
	m.xy += x * y
	m.xx += x * x
	m.yy += y * y
}

func (m *match) cosine() float64 {
	if m.xx == 0 || m.yy == 0 {
		return 0
	}
	return m.xy / math.Sqrt(m.xx*m.yy)
}
