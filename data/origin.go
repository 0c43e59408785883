package data

import "fmt"

// centreFrames moves the direct beam of every frame to [N/2, N/2], in place.
func (l *loader) centreFrames(v []float32) {
	if l.resolveDC(v) == DCCentre {
		return
	}
	n := l.ds.N
	for f := 0; f < len(v); f += n * n {
		shift(v[f:f+n*n], n)
	}
}

// shift exchanges the quadrants of an n×n image, n even: its own inverse.
func shift(v []float32, n int) {
	half := n / 2
	for r := range half {
		top, bottom := v[r*n:(r+1)*n], v[(r+half)*n:(r+half+1)*n]
		for c := range half {
			top[c], bottom[c+half] = bottom[c+half], top[c]
			top[c+half], bottom[c] = bottom[c], top[c+half]
		}
	}
}

// resolveDC returns where the direct beam is: as declared, unless the data clearly say otherwise, else as
// seen, else as the key set has it.
func (l *loader) resolveDC(v []float32) string {
	const seen, certain = 2, 4 // times more light in one place than in the other
	centre, corner := centreAndCorner(v, l.ds.N)
	declared := l.opt.DC
	if declared == "" {
		declared = l.ds.Metadata.DC
	}
	if declared != "" {
		here, there, other := centre, corner, DCCorner
		if declared == DCCorner {
			here, there, other = corner, centre, DCCentre
		}
		if there > certain*here {
			l.problem(l.keys.frames, "the direct beam at the "+declared+", as declared",
				fmt.Sprintf("%.2g times more light at the %s", there/here, other), "declare dc "+other)
		}
		return declared
	}
	switch {
	case centre > seen*corner:
		return DCCentre
	case corner > seen*centre:
		l.note("the direct beam is at [0, 0]: frames are shifted by N/2")
		return DCCorner
	}
	usual := DCCentre
	if l.tike {
		usual = DCCorner
	}
	l.note("the frames do not show whether the direct beam is at the centre or the corner: taken at the %s", usual)
	return usual
}

// centreAndCorner returns the light in the central quarter of the frames' area, and in the quarter that
// shifting would bring there.
func centreAndCorner(v []float32, n int) (centre, corner float64) {
	inner := func(i int) bool { return i >= n/4 && i < n-n/4 }
	for i, x := range v {
		r, c := inner(i/n%n), inner(i%n)
		switch {
		case r && c:
			centre += float64(x)
		case !r && !c:
			corner += float64(x)
		}
	}
	return centre, corner
}
