package doctor

import (
	"math"

	"ptycho/data"
)

// A contest is the R-factors of eight orientations, with the probe held and fitted, and those of the control, in which positions
// are exchanged at random.
type contest struct {
	r       [2][data.Orientations]float64
	control [2]float64
}

const (
	held = iota
	fitted
)

// The margin of a contest is (second − best) / (control − best): how far the best R-factor is ahead of the next one, in units of
// what there is to gain over positions that are wrong altogether. Useless probes reach 0.15, right ones 0.3 to 1.
const (
	outright  = 0.3  // in one of both contests
	supported = 0.1  // in the other one, with the same winner
	gain      = 0.95 // of the control's R, which the best one must fall below
)

// verdict is what a contest says: a winner, a pair that is only told from the others, or nothing.
type verdict struct {
	best data.Orientation
	pair bool // best and its opposite cannot be told apart
	ok   bool // else, nothing can be told
}

// opposite returns o and half a turn.
func opposite(o data.Orientation) data.Orientation { return o ^ data.Rot180 }

// decide judges a contest.
func (c *contest) decide() verdict {
	var best [2]data.Orientation
	var class, single [2]float64
	for m := range c.r {
		best[m] = argmin(c.r[m])
		if !(c.r[m][best[m]] <= gain*c.control[m]) {
			return verdict{}
		}
		rest := math.Inf(1)
		for o, r := range c.r[m] {
			if o := data.Orientation(o); o != best[m] && o != opposite(best[m]) {
				rest = min(rest, r)
			}
		}
		class[m], single[m] = c.margin(m, best[m], rest), c.margin(m, best[m], c.r[m][opposite(best[m])])
	}
	b := best[held]
	if class[fitted] > class[held] {
		b = best[fitted]
	}
	same := best[held] == best[fitted]
	if !decisive(class) || !same && best[held] != opposite(best[fitted]) {
		return verdict{}
	}
	// A probe that is fitted may become its complex conjugate, which explains frames that are turned half about.
	apart := max(single[held], single[fitted])
	return verdict{best: b, pair: apart < supported, ok: apart < supported || same && apart >= outright}
}

// margin returns how far best is ahead of another R-factor.
func (c *contest) margin(m int, best data.Orientation, other float64) float64 {
	if math.IsInf(c.control[m], 1) {
		return 0
	}
	r := c.r[m][best]
	return (min(other, c.control[m]) - r) / (c.control[m] - r)
}

func decisive(margin [2]float64) bool {
	return max(margin[held], margin[fitted]) >= outright && min(margin[held], margin[fitted]) >= supported
}

func argmin(r [data.Orientations]float64) data.Orientation {
	best := 0
	for o, v := range r {
		if v < r[best] {
			best = o
		}
	}
	return data.Orientation(best)
}
