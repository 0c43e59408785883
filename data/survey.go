package data

import (
	"fmt"
	"math"
	"strings"
)

// survey is what one look at all values of the frames tells, in whatever order they come. Values that were not measured do not
// take part.
type survey struct {
	axes   frameAxes
	mask   []bool  // pixels that were not measured, N×N as stored; nil = none
	top    float32 // values from here on were not measured
	region []region
	light  [regions]float64
	faults [faultKinds]faults

	scale  float64 // of the metadata, 0 = none
	double bool    // the values are float64
	single bool    // and all of them were computed in float32
	by32   classifier
	by64   classifier
	buf    []float32
}

// region is a part of a frame.
type region uint8

const (
	elsewhere region = iota
	centre           // the central quarter of the area
	corner           // the quarter that shifting would bring there
	masked
	regions
)

func newSurvey(h Header, axes frameAxes, mask []bool, scale float64) *survey {
	s := &survey{
		axes: axes, mask: mask, top: ceiling(h.dtype), region: make([]region, axes.side*axes.side),
		scale: scale, single: true, by32: newClassifier(epsilon32), by64: newClassifier(epsilon64),
	}
	n := axes.side
	inner := func(i int) bool { return i >= n/4 && i < n-n/4 }
	for i := range s.region {
		p := axes.pixel(i)
		r, c := inner(p/n), inner(p%n)
		switch {
		case mask != nil && mask[p]:
			s.region[i] = masked
		case r && c:
			s.region[i] = centre
		case !r && !c:
			s.region[i] = corner
		}
	}
	return s
}

// ceiling returns the largest value of an unsigned type, with which detectors mark gaps, else infinity.
func ceiling(d dtype) float32 {
	if d.kind != 'u' {
		return float32(math.Inf(1))
	}
	return float32(math.Ldexp(1, 8*d.size) - 1)
}

// add looks at a block of values, of which rounded is the float32 form. It clears what was not measured in b.values, but not in
// rounded.
func (s *survey) add(b block, rounded []float32) {
	values := s.measured(b, rounded)
	if s.scale > 0 {
		if len(values) > 0 && &values[0] == &rounded[0] {
			s.buf = append(s.buf[:0], rounded...)
			values = s.buf
		}
		rescale(values, s.scale)
		classify(&s.by32, values)
		return
	}
	if v, ok := b.values.([]float64); ok {
		s.double = true
		s.single = s.single && singlePrecision(v)
		classify(&s.by64, v)
	}
	if !s.double || s.single {
		classify(&s.by32, values)
	}
}

// measured adds up the light and notes faults. It returns the values, zero where they were not measured: either rounded itself or
// a copy.
func (s *survey) measured(b block, rounded []float32) []float32 {
	values := rounded
	double, _ := b.values.([]float64)
	pix := s.axes.side * s.axes.side
	place, within := b.from%pix, 0
	if s.axes.interleaved() {
		place, within = b.from/s.axes.n, b.from%s.axes.n
	}
	for i, x := range rounded {
		part := s.region[place]
		if !(x >= 0 && x < s.top) || part == masked {
			if &values[0] == &rounded[0] {
				s.buf = append(s.buf[:0], rounded...)
				values = s.buf
			}
			values[i] = 0
			if double != nil {
				double[i] = 0
			}
			if part != masked {
				s.fault(b.from+i, x)
			}
		} else {
			s.light[part] += float64(x)
		}
		if !s.axes.interleaved() {
			if place++; place == pix {
				place = 0
			}
		} else if within++; within == s.axes.n {
			place, within = place+1, 0
		}
	}
	return values
}

// stats returns the statistics of the values.
func (s *survey) stats() valueStats {
	if s.double && !s.single {
		return s.by64.valueStats
	}
	return s.by32.valueStats
}

// The kinds of values that were not measured.
const (
	infinite = iota
	negative
	saturated
	faultKinds
)

var faultNames = [faultKinds]string{"NaN or infinite", "negative", "at the largest value of their type"}

// faults are the values of one kind that were not measured, by pixel; nil when there are none.
type faults struct {
	count []int32 // frames
	first []int32 // the first of these
}

func (s *survey) fault(e int, x float32) {
	kind := saturated
	switch {
	case !finite(float64(x)):
		kind = infinite
	case x < 0:
		kind = negative
	}
	f := &s.faults[kind]
	frame, pixel := s.axes.place(e)
	if f.count == nil {
		f.count, f.first = make([]int32, len(s.region)), make([]int32, len(s.region))
	}
	if f.count[pixel] == 0 {
		f.first[pixel] = int32(frame)
	}
	f.count[pixel]++
}

// report masks pixels that are faulty in all frames. It reports non-finite and negative elements of others, and whether there are
// none.
func (s *survey) report(l *loader) bool {
	var lost []int
	kinds := [faultKinds]bool{}
	for p := range s.region {
		total := 0
		for _, f := range s.faults {
			if f.count != nil {
				total += int(f.count[p])
			}
		}
		if total == 0 || total < s.axes.n {
			continue
		}
		lost = append(lost, p)
		for k, f := range s.faults {
			kinds[k] = kinds[k] || f.count != nil && f.count[p] > 0
		}
	}
	s.lose(l, lost, kinds)
	finite := s.partly(l, infinite, "finite values", "NaN or infinity", "mask or interpolate bad pixels")
	positive := s.partly(l, negative, "counts or amplitudes, at least 0", "negative values", "clip them, or subtract less background")
	return finite && positive
}

// lose adds pixels to the mask.
func (s *survey) lose(l *loader, lost []int, kinds [faultKinds]bool) {
	if lost == nil {
		return
	}
	var names []string
	for k, name := range faultNames {
		if kinds[k] {
			names = append(names, name)
		}
	}
	l.note("%d pixels are %s in every frame: masked", len(lost), strings.Join(names, " or "))
	if s.mask == nil {
		s.mask = make([]bool, len(s.region))
	}
	for _, p := range lost {
		s.mask[p] = true
	}
}

// partly reports values of a kind in pixels that are not masked, and whether there are none.
func (s *survey) partly(l *loader, kind int, expected, found, remedy string) bool {
	f := s.faults[kind]
	count, frame, pixel := 0, math.MaxInt32, 0
	for p, c := range f.count {
		if c == 0 || s.mask != nil && s.mask[p] {
			continue
		}
		count += int(c)
		if first := int(f.first[p]); first < frame {
			frame, pixel = first, p
		}
	}
	if count > 0 {
		l.problem(l.keys.frames, expected, fmt.Sprintf("%s: %d of %d, the first in frame %d at row %d, column %d",
			found, count, s.axes.n*len(s.region), frame, pixel/s.axes.side, pixel%s.axes.side), remedy)
	}
	return count == 0
}
