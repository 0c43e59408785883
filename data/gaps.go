package data

// Gap is a rectangle of Rows × Cols pixels, the first of which is at [Row, Col].
type Gap struct{ Row, Col, Rows, Cols int }

// gaps returns the bands of whole rows of dead or excluded pixels, then those of columns, then what else forms rectangles
// of at least four dead pixels.
func gaps(dead, excluded []bool, n int) (found []Gap) {
	open := make([]bool, len(dead)) // dead, and in no gap so far
	copy(open, dead)
	for _, column := range []bool{false, true} {
		for i := 0; i < n; i++ {
			first := i
			for i < n && deadLine(dead, excluded, line(n, i, column)) {
				for _, p := range line(n, i, column) {
					open[p] = false
				}
				i++
			}
			switch {
			case i == first:
			case column:
				found = append(found, Gap{0, first, n, i - first})
			default:
				found = append(found, Gap{first, 0, i - first, n})
			}
		}
	}
	return append(found, rectangles(open, n)...)
}

// deadLine tells whether all pixels of a line are dead or excluded, and some are dead.
func deadLine(dead, excluded []bool, at []int) bool {
	some := false
	for _, p := range at {
		if !dead[p] && !excluded[p] {
			return false
		}
		some = some || dead[p]
	}
	return some
}

// rectangles returns the groups of adjacent pixels that fill a rectangle of at least four pixels. It clears open.
func rectangles(open []bool, n int) (found []Gap) {
	const least = 4
	for p := range open {
		if !open[p] {
			continue
		}
		group := flood(open, p, n)
		top, left, bottom, right := n, n, 0, 0
		for _, q := range group {
			top, bottom = min(top, q/n), max(bottom, q/n)
			left, right = min(left, q%n), max(right, q%n)
		}
		g := Gap{top, left, bottom - top + 1, right - left + 1}
		if len(group) >= least && len(group) == g.Rows*g.Cols {
			found = append(found, g)
		}
	}
	return found
}

// flood takes p and all that is connected with it, side by side, out of open.
func flood(open []bool, p, n int) []int {
	group := []int{p}
	open[p] = false
	for k := 0; k < len(group); k++ {
		q := group[k]
		for _, next := range []struct {
			pixel  int
			inside bool
		}{{q - n, q >= n}, {q + n, q < len(open)-n}, {q - 1, q%n > 0}, {q + 1, q%n < n-1}} {
			if next.inside && open[next.pixel] {
				open[next.pixel] = false
				group = append(group, next.pixel)
			}
		}
	}
	return group
}
