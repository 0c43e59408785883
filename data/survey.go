package data

import "fmt"

// survey is what one look at all values of the frames tells, in whatever order they come.
type survey struct {
	axes               frameAxes
	infinite, negative defect
	centre, corner     float64 // light in the central quarter of the frames' area, and in the quarter that shifting would bring there

	scale  float64 // of the metadata, 0 = none
	double bool    // the values are float64
	single bool    // and all of them were computed in float32
	by32   classifier
	by64   classifier
	buf    []float32
}

func newSurvey(axes frameAxes, scale float64) *survey {
	return &survey{axes: axes, scale: scale, single: true, by32: newClassifier(epsilon32), by64: newClassifier(epsilon64)}
}

// add looks at a block of values, of which rounded is the float32 form.
func (s *survey) add(b block, rounded []float32) {
	for i, x := range rounded {
		switch {
		case !finite(float64(x)):
			s.infinite.add(b.from + i)
		case x < 0:
			s.negative.add(b.from + i)
		}
	}
	s.light(b.from, rounded)
	if s.scale > 0 {
		s.buf = append(s.buf[:0], rounded...)
		rescale(s.buf, s.scale)
		classify(&s.by32, s.buf)
		return
	}
	if v, ok := b.values.([]float64); ok {
		s.double = true
		s.single = s.single && singlePrecision(v)
		classify(&s.by64, v)
	}
	if !s.double || s.single {
		classify(&s.by32, rounded)
	}
}

// light adds to centre and corner.
func (s *survey) light(from int, values []float32) {
	n := s.axes.side
	inner := func(i int) bool { return i >= n/4 && i < n-n/4 }
	for i, x := range values {
		_, pixel := s.axes.place(from + i)
		r, c := inner(pixel/n), inner(pixel%n)
		switch {
		case r && c:
			s.centre += float64(x)
		case !r && !c:
			s.corner += float64(x)
		}
	}
}

// stats returns the statistics of the values.
func (s *survey) stats() valueStats {
	if s.double && !s.single {
		return s.by64.valueStats
	}
	return s.by32.valueStats
}

// report reports non-finite and negative elements of the frames and whether there are none.
func (s *survey) report(l *loader) bool {
	where := func(d defect) string {
		frame, pixel := s.axes.place(d.first)
		return fmt.Sprintf("%d of %d, the first in frame %d at row %d, column %d",
			d.count, s.axes.n*s.axes.side*s.axes.side, frame, pixel/s.axes.side, pixel%s.axes.side)
	}
	if s.infinite.count > 0 {
		l.problem(l.keys.frames, "finite values", "NaN or infinity: "+where(s.infinite), "mask or interpolate bad pixels")
	}
	if s.negative.count > 0 {
		l.problem(l.keys.frames, "counts or amplitudes, at least 0", "negative values: "+where(s.negative),
			"clip them, or subtract less background")
	}
	return s.infinite.count == 0 && s.negative.count == 0
}
