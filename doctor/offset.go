package doctor

import (
	"math"
	"slices"

	"ptycho/metrics"
)

// offset returns by how much to move the mean frame, n×n, for it to lie on the far field. Where pixels are unmeasured, what they
// are filled with pulls the two together; so the correlation of the measured ones is climbed from there.
func offset(mean, far []float64, n int) (dy, dx float64, err error) {
	const precision = 0.05
	frame, image := amplitudes(filled(mean, mean, n), n), amplitudes(filled(far, mean, n), n)
	dy, dx, err = metrics.Register(frame, image, precision)
	if err != nil || slices.Min(mean) >= 0 {
		return dy, dx, err
	}
	y, x := int(math.Round(dy)), int(math.Round(dx))
	for at := correlation(mean, far, n, y, x); ; {
		bestY, bestX := y, x
		for i := range 9 {
			if c := correlation(mean, far, n, y+i/3-1, x+i%3-1); c > at {
				at, bestY, bestX = c, y+i/3-1, x+i%3-1
			}
		}
		if bestY == y && bestX == x {
			break
		}
		y, x = bestY, bestX
	}
	at := func(v, h int) float64 { return correlation(mean, far, n, y+v, x+h) }
	return float64(y) + vertex(at(-1, 0), at(0, 0), at(1, 0)), float64(x) + vertex(at(0, -1), at(0, 0), at(0, 1)), nil
}

// correlation returns Σ a·f / √Σf² over the measured pixels of the mean frame a², n×n, the far field f² being moved by −dy rows and
// −dx columns, periodically.
func correlation(mean, far []float64, n, dy, dx int) float64 {
	var cross, energy float64
	for p, m := range mean {
		if m < 0 {
			continue
		}
		f := far[((p/n+dy)%n+n)%n*n+((p%n+dx)%n+n)%n]
		cross, energy = cross+math.Sqrt(m*f), energy+f
	}
	if energy == 0 {
		return 0
	}
	return cross / math.Sqrt(energy)
}

// vertex returns where the parabola through three values at −1, 0 and 1, the middle one the largest, has its maximum.
func vertex(before, at, after float64) float64 {
	if curve := before - 2*at + after; curve < 0 {
		return (before - after) / (2 * curve)
	}
	return 0
}
