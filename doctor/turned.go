package doctor

import (
	"fmt"
	"math"

	"ptycho/data"
)

// sayTurned reports what is the matter with frames, d, or positions, p, that are not the right way round as they are, and
// remembers it for Fix.
func (r *Report) sayTurned(d, p verdict, detector, positions *contest, ds *data.Dataset) {
	p.ok = p.ok && p.best != data.AsStored && !(p.pair && opposite(p.best) == data.AsStored)
	rd, rp := detector.r[fitted][d.best], positions.r[fitted][p.best]
	if d.ok && p.ok && !alikeR(rd, rp, detector.control[fitted]) {
		d.ok, p.ok = rd < rp, rp < rd
	}
	switch {
	case d.ok:
		r.detector = d.best
		remedy := fmt.Sprintf("turn the frames by %v (--fix does); %s does the same to the positions as far as the probe is symmetric, here with R = %.3f, and turns the object", d.best, flagsOf(d.best), positions.r[fitted][d.best])
		r.say(orientation, Fatal, remedy, "the frames are the right way round when turned by %s: %s, %.3f as they are", d.names(), detector.figures(d.best, d.pair), detector.r[fitted][data.AsStored])
		if d.pair {
			r.say(orientation, Note, "see with an object whose phase is known", "%s cannot be told apart%s", d.names(), becauseReal(ds))
		}
	case p.ok:
		r.positions = p.best
		remedy := fmt.Sprintf("give %s (--fix turns the positions); frames turned by %v under a probe that is turned, too, are the same", flagsOf(p.best), p.best)
		r.say(orientation, Fatal, remedy, "the positions are the right way round after %s%s: %s, %.3f as they are", flagsOf(p.best), p.orFlags(), positions.figures(p.best, p.pair), positions.r[fitted][data.AsStored])
	default:
		r.say(orientation, Warn, "give a better probe, such as that of an earlier scan, or more photons; else check by the object that comes out",
			"cannot tell: after %d sweeps with the probe held, orientations have R = %s, and exchanged positions %.3f; with the probe fitted R = %s, and %.3f",
			trialSweeps, detector.reach(held), detector.control[held], detector.reach(fitted), detector.control[fitted])
	}
}

// alikeR tells whether two R-factors are closer than a verdict needs.
func alikeR(a, b, control float64) bool {
	return math.Abs(a-b) < supported*(control-min(a, b))
}

// names returns the winner, or both of a pair.
func (v verdict) names() string {
	if v.pair {
		return fmt.Sprintf("%v or %v", v.best, opposite(v.best))
	}
	return v.best.String()
}

// orFlags returns the flags of the other one of a pair.
func (v verdict) orFlags() string {
	if v.pair {
		return " or " + flagsOf(opposite(v.best)) + ", which cannot be told apart"
	}
	return ""
}

// reach returns the range of the R-factors of a contest.
func (c *contest) reach(m int) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range c.r[m] {
		low, high = min(low, r), max(high, r)
	}
	return fmt.Sprintf("%.3f to %.3f", low, high)
}
