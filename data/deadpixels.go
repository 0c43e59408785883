package data

import "math"

// dead returns the pixels that counted nothing in any frame though light falls on both sides of them, or beyond a whole
// edge of the frame.
func (t *tally) dead() []bool {
	dead := make([]bool, len(t.sum))
	for p := range dead {
		dead[p] = t.dark(p) && !t.excluded[p] && t.enclosed(p)
	}
	t.wholeLines(dead)
	t.darkEdges(dead)
	return dead
}

func (t *tally) dark(p int) bool { return t.sum[p] == 0 }

// lit tells whether a pixel that should have counted this much in all can hardly have counted nothing. Counts of speckle are
// distributed after Bose and Einstein: with the mean m, P(0) = 1/(1+m) in each independent frame.
func (t *tally) lit(sum float64) bool {
	const certain = 28 // P < 10⁻¹²
	k := t.independent()
	return k*math.Log1p(sum/k) > certain
}

// enclosed tells whether the nearest counting pixels on two opposite sides are lit.
func (t *tally) enclosed(p int) bool {
	for _, step := range [][2]int{{0, 1}, {1, 0}, {1, 1}, {1, -1}} {
		a := t.nearest(p, step[0], step[1])
		if t.lit(min(a, t.nearest(p, -step[0], -step[1]))) {
			return true
		}
	}
	return false
}

// nearest returns the counts of the first pixel that counts anything in a direction, 0 when there is none near.
func (t *tally) nearest(p, dr, dc int) float64 {
	reach := t.n / 4
	r, c := p/t.n, p%t.n
	for range reach {
		r, c = r+dr, c+dc
		if r < 0 || c < 0 || r >= t.n || c >= t.n {
			return 0
		}
		if q := r*t.n + c; !t.dark(q) && !t.excluded[q] {
			return t.sum[q]
		}
	}
	return 0
}

// line returns the pixels of a row, or of a column.
func line(n, i int, column bool) []int {
	at := make([]int, n)
	for k := range at {
		at[k] = i*n + k
		if column {
			at[k] = k*n + i
		}
	}
	return at
}

// wholeLines completes rows and columns that are dark all along, and dead where light falls.
func (t *tally) wholeLines(dead []bool) {
	const share = 0.25
	var lines [][]int
	for _, column := range []bool{false, true} {
		for i := range t.n {
			at, k := line(t.n, i, column), 0
			for _, p := range at {
				if dead[p] || t.excluded[p] {
					k++
				}
			}
			if t.darkLine(at) && float64(k) >= share*float64(t.n) {
				lines = append(lines, at)
			}
		}
	}
	t.kill(dead, lines)
}

// darkEdges adds whole rows and columns at the edges of the frame that are dark though the next one is lit.
func (t *tally) darkEdges(dead []bool) {
	var lines [][]int
	for _, column := range []bool{false, true} {
		for _, from := range []int{0, t.n - 1} {
			var edge [][]int
			for i := range t.n {
				at := line(t.n, max(from-i, i-from), column)
				if t.darkLine(at) {
					edge = append(edge, at)
					continue
				}
				var sums []float64
				for _, p := range at {
					if !t.excluded[p] {
						sums = append(sums, t.sum[p])
					}
				}
				if t.lit(median(sums)) {
					lines = append(lines, edge...)
				}
				break
			}
		}
	}
	t.kill(dead, lines)
}

// darkLine tells whether no pixel counts anything, of those that take part.
func (t *tally) darkLine(at []int) bool {
	for _, p := range at {
		if !t.dark(p) && !t.excluded[p] {
			return false
		}
	}
	return true
}

func (t *tally) kill(dead []bool, lines [][]int) {
	for _, at := range lines {
		for _, p := range at {
			dead[p] = !t.excluded[p]
		}
	}
}
