package data

import (
	"errors"
	"fmt"
	"math"
)

// MaxOffset returns the largest distance, along x or y and in pixels, of a frame from the mean position
// of its group. The canvas of a group must extend this far beyond a frame on every side.
func MaxOffset(groups []Group, x, y []float64) float64 {
	var m float64
	for _, g := range groups {
		m = max(m, offset(g, x, y))
	}
	return m
}

// offset returns max |r - mean r|∞ over the frames of one group.
func offset(g Group, x, y []float64) float64 {
	var mx, my, m float64
	for _, i := range g {
		mx += x[i] / float64(len(g))
		my += y[i] / float64(len(g))
	}
	for _, i := range g {
		m = max(m, math.Abs(x[i]-mx), math.Abs(y[i]-my))
	}
	return m
}

// CheckGroups reports why groups of more than one frame cannot constrain each other, or nil. Frames are
// n×n pixels.
//
// Frames share what they illuminate when their central halves overlap: half of all frames must have their
// nearest companion within n/2. Every frame must moreover fit a canvas of 2n pixels around the centre of
// its group, that is, lie within n/2 - 1 of it along x and y.
func CheckGroups(groups []Group, x, y []float64, n int) error {
	if len(groups) == 0 || len(groups[0]) < 2 {
		return nil
	}
	var errs []error
	half := float64(n) / 2
	if d := medianCompanion(groups, x, y); d > half {
		errs = append(errs, fmt.Errorf("data: groups do not overlap: the median distance of a frame to its nearest companion is %.1f px, "+
			"more than half the frame size N = %d; use gridsize 1, or check the unit and pixel size of the positions", d, n))
	}
	worst, far := 0, 0
	for g := range groups {
		o := offset(groups[g], x, y)
		if o > half-1 {
			far++
		}
		if o > offset(groups[worst], x, y) {
			worst = g
		}
	}
	if far > 0 {
		errs = append(errs, fmt.Errorf("data: %d of %d groups do not fit a canvas of 2N = %d px: frame(s) up to %.1f px from the centre of their group, "+
			"at most %.1f allowed, worst around frame %d; use gridsize 1, fewer neighbors, or drop isolated frames",
			far, len(groups), 2*n, offset(groups[worst], x, y), half-1, groups[worst][0]))
	}
	return errors.Join(errs...)
}

// medianCompanion returns the median, over all frames of all groups, of the distance to the nearest other
// frame of the group.
func medianCompanion(groups []Group, x, y []float64) float64 {
	var d []float64
	for _, g := range groups {
		for _, i := range g {
			nearest := math.Inf(1)
			for _, j := range g {
				if j != i {
					nearest = min(nearest, math.Hypot(x[i]-x[j], y[i]-y[j]))
				}
			}
			d = append(d, nearest)
		}
	}
	return median(d)
}
