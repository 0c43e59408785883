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
	if lead := detector.ahead(d.best, positions, p.best); d.ok && p.ok && math.Abs(lead) >= tie {
		d.ok, p.ok = lead > 0, lead < 0
	}
	switch {
	case d.ok:
		r.detector = d.best
		r.Orientation = &Orientation{Frames: d.best.String(), Flags: flagsOf(given(r.opt.Load)), Pair: d.pair}
		remedy := fmt.Sprintf("turn the frames by %v (--fix does), or give %s, which does the same to the positions as far as the probe is symmetric, here with R = %.3f, and turns the object", d.best, r.instead(d.best), positions.r[fitted][d.best])
		r.say(orientation, Fatal, remedy, "the frames are the right way round when turned by %s: %s, %.3f as they are", d.names(), detector.figures(d.best, d.pair), detector.r[fitted][data.AsStored])
		if d.pair {
			r.say(orientation, Note, "see with an object whose phase is known", "%s cannot be told apart%s", d.names(), becauseReal(ds))
		}
	case p.ok:
		r.positions = p.best
		r.Orientation = &Orientation{Frames: data.AsStored.String(), Flags: r.flags(p.best), Pair: p.pair}
		remedy := fmt.Sprintf("give %s (--fix turns the positions); frames turned by %v under a probe that is turned, too, are the same", r.instead(p.best), p.best)
		text := r.with(p.best)
		if p.pair {
			text += " or " + r.with(opposite(p.best)) + ", which cannot be told apart"
		}
		r.say(orientation, Fatal, remedy, "the positions are the right way round %s: %s, %.3f as they are", text, positions.figures(p.best, p.pair), positions.r[fitted][data.AsStored])
	default:
		r.say(orientation, Warn, "give a better probe, such as that of an earlier scan, or more photons; else check by the object that comes out",
			"cannot tell: after %d sweeps with the probe held, orientations have R = %s, and exchanged positions %s; with the probe fitted R = %s, and %s",
			trialSweeps, detector.reach(held), figure(detector.control[held]), detector.reach(fitted), figure(detector.control[fitted]))
	}
}

// tie is the margin below which turned frames and turned positions count as equally good.
const tie = 0.1

// ahead returns by how much the R-factor of o in c is better than that of p in d, which share their control: the larger one of
// both differences, in units of the larger one of what there is to gain over the control.
func (c *contest) ahead(o data.Orientation, d *contest, p data.Orientation) float64 {
	var lead, most float64
	for m := range c.r {
		if math.IsInf(c.control[m], 1) {
			continue
		}
		a, b := min(c.r[m][o], c.control[m]), min(d.r[m][p], c.control[m])
		most = max(most, c.control[m]-min(a, b))
		if math.Abs(b-a) > math.Abs(lead) {
			lead = b - a
		}
	}
	if most == 0 {
		return 0
	}
	return lead / most
}

// names returns the winner, or both of a pair.
func (v verdict) names() string {
	if v.pair {
		return fmt.Sprintf("%v or %v", v.best, opposite(v.best))
	}
	return v.best.String()
}

// reach returns the range of the R-factors of a contest.
func (c *contest) reach(m int) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range c.r[m] {
		low, high = min(low, r), max(high, r)
	}
	return figure(low) + " to " + figure(high)
}

// figure writes an R-factor.
func figure(r float64) string {
	if math.IsInf(r, 1) {
		return "none (diverged)"
	}
	return fmt.Sprintf("%.3f", r)
}
