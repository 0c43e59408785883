package data

import "fmt"

// resolveDC returns where the direct beam is: as declared, unless the data clearly say otherwise, else as
// seen, else as the key set has it. The light is in arbitrary units.
func (l *loader) resolveDC(centre, corner float64) string {
	const seen, certain = 2, 4 // times more light in one place than in the other
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
