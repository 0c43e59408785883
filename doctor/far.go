package doctor

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ptycho/data"
)

// farAway is the distance from the middle of a scan beyond which a position does not belong to it, in units of the median
// distance, or of the probe's diameter where that is larger.
const farAway = 20

// checkFar finds the positions that are far from all others. They are left out of what follows.
func (r *Report) checkFar(ds *data.Dataset) {
	const named = 8
	if len(ds.X) < 3 || len(ds.X) != len(ds.Y) {
		return
	}
	if r.far = farPositions(ds.X, ds.Y, data.Diameter(ds.Probe, ds.N)); len(r.far) == 0 {
		return
	}
	var list []string
	for _, i := range r.far[:min(named, len(r.far))] {
		list = append(list, fmt.Sprintf("number %d at row %.6g, column %.6g", i, ds.Y[i], ds.X[i]))
	}
	if more := len(r.far) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	remedy := "correct them, or leave these frames out"
	if r.whole {
		remedy += " (--fix does)"
	}
	r.say("positions", Fatal, remedy, "%d of %d are more than %d times as far from the middle of the scan as others are: %s",
		len(r.far), len(ds.X), farAway, strings.Join(list, ", "))
}

// farPositions returns the positions, in ascending order, that are far from the others under a probe of the given diameter.
func farPositions(x, y []float64, diameter float64) (far []int) {
	mx, my := median(x), median(y)
	distances := make([]float64, len(x))
	for i := range x {
		distances[i] = math.Hypot(x[i]-mx, y[i]-my)
	}
	limit := farAway * max(median(distances), diameter)
	for i, d := range distances {
		if d > limit {
			far = append(far, i)
		}
	}
	return far
}

// median returns the lower median.
func median(v []float64) float64 {
	sorted := slices.Clone(v)
	slices.Sort(sorted)
	return sorted[(len(sorted)-1)/2]
}

// useless returns the frames, in ascending order, that are empty or have a far position.
func (r *Report) useless() []int {
	list := slices.Concat(r.defects.Empty, r.far)
	slices.Sort(list)
	return slices.Compact(list)
}
