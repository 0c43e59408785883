package data

import (
	"math"
	"slices"
)

// tally is the statistics of the pixels over the frames of a scan.
type tally struct {
	n        int
	frames   int
	excluded []bool    // pixels that do not take part
	sum      []float64 // counts
	squares  []float64 // of counts
	peak     []float32 // largest count
	atPeak   []int32   // in how many frames
	values   []int64   // how many values there are, by the upper half of their float32 form
	doses    []float64 // counts of each frame
}

func newTally(n int, mask []bool) *tally {
	pix := n * n
	t := &tally{
		n: n, excluded: make([]bool, pix), sum: make([]float64, pix), squares: make([]float64, pix),
		peak: make([]float32, pix), atPeak: make([]int32, pix), values: make([]int64, valueBin(math.MaxFloat32)+1),
	}
	t.exclude(mask)
	return t
}

// valueBin orders values that are not negative into bins of less than 1 % width.
func valueBin(v float32) int { return int(math.Float32bits(v) >> 16) }

func (t *tally) exclude(mask []bool) {
	for p, x := range mask {
		t.excluded[p] = t.excluded[p] || x
	}
}

// add takes a frame; pixels that were not measured in it do not count.
func (t *tally) add(frame []float32) {
	t.frames++
	var dose float64
	for p, v := range frame {
		if !(v > 0) {
			continue
		}
		x := float64(v)
		dose += x
		t.sum[p] += x
		t.squares[p] += x * x
		t.values[valueBin(v)]++
		switch {
		case v > t.peak[p]:
			t.peak[p], t.atPeak[p] = v, 1
		case v == t.peak[p]:
			t.atPeak[p]++
		}
	}
	t.doses = append(t.doses, dose)
}

func (t *tally) mean(p int) float64 { return t.sum[p] / float64(max(1, t.frames)) }

// variation returns the standard deviation of a pixel's counts over their mean, and 0 of a dark one.
func (t *tally) variation(p int) float64 {
	m := t.mean(p)
	if m == 0 {
		return 0
	}
	return math.Sqrt(max(0, t.squares[p]/float64(t.frames)-m*m)) / m
}

// independent returns a cautious number of frames whose speckles are independent: neighbours in a scan overlap.
func (t *tally) independent() float64 { return float64(t.frames) / 4 }

// neighbours appends f of the up to eight pixels around p that take part.
func (t *tally) neighbours(dst []float64, p int, f func(p int) float64) []float64 {
	r, c := p/t.n, p%t.n
	for y := max(0, r-1); y <= min(t.n-1, r+1); y++ {
		for x := max(0, c-1); x <= min(t.n-1, c+1); x++ {
			if q := y*t.n + x; q != p && !t.excluded[q] {
				dst = append(dst, f(q))
			}
		}
	}
	return dst
}

// saturated returns the pixels that reach the detector's ceiling, and the ceiling. A ceiling is the largest of all
// counts if it is met often, in several pixels, and more often than all counts of a little less. For one of the form 2ᵏ−1
// fewer will do.
func (t *tally) saturated() (pixels []int, ceiling float32) {
	const often, below, steps = 8, 0.95, 4
	for p, v := range t.peak {
		if !t.excluded[p] {
			ceiling = max(ceiling, v)
		}
	}
	met := 0
	for p, v := range t.peak {
		if v == ceiling && v > 0 && !t.excluded[p] {
			pixels = append(pixels, p)
			met += int(t.atPeak[p])
		}
	}
	var near int64
	for _, k := range t.values[valueBin(max(0, min(below*ceiling, ceiling-steps))) : valueBin(ceiling)+1] {
		near += k
	}
	near -= int64(met)
	enough := met >= often && len(pixels) > 1
	if fullScale(ceiling) {
		enough = met > 1
	}
	if !enough || int64(met) <= near {
		return nil, 0
	}
	return slices.Clip(pixels), ceiling
}

// fullScale tells whether v is 2ᵏ−1 for a k that converters have.
func fullScale(v float32) bool {
	for k := 8; k <= 24; k++ {
		if float64(v) == math.Ldexp(1, k)-1 {
			return true
		}
	}
	return v == 1<<32 // what 2³²−1 is rounded to
}
