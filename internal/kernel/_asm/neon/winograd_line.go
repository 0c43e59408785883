package main

import "math"

func inputLine(t *transform, x []vec) []vec {
	first := t.plus(t.add(x[0], x[4]), -2.5, x[2])
	last := t.plus(t.add(x[1], x[5]), -2.5, x[3])
	y1, y2 := t.pair(t.plus(x[4], -2, x[2]), math.Sqrt2/2, t.plus(x[3], -2, x[1]))
	y3, y4 := t.pair(t.plus(x[4], -.5, x[2]), math.Sqrt2, t.plus(x[3], -.5, x[1]))
	return []vec{first, y1, y2, y3, y4, last}
}

func gradientLine(t *transform, x []vec) []vec {
	y1, y2 := t.pair(t.plus(x[0], .5, x[2]), math.Sqrt2/2, t.plus(x[1], .5, x[3]))
	y3, y4 := t.pair(t.plus(x[0], 2, x[2]), math.Sqrt2, t.plus(x[1], 2, x[3]))
	return []vec{x[0], y1, y2, y3, y4, x[3]}
}

func weightLine(t *transform, x []vec) []vec {
	third := t.by(1./3, x[2])
	y1, y2 := t.pair(t.sub(t.by(-2./3, x[0]), third), -math.Sqrt2/3, x[1])
	y3, y4 := t.pair(t.plus(third, 1./6, x[0]), math.Sqrt2/6, x[1])
	return []vec{x[0], y1, y2, y3, y4, x[2]}
}

func outputLine(t *transform, x []vec) []vec {
	even1, odd1 := t.add(x[1], x[2]), t.sub(x[1], x[2])
	even2, odd2 := t.add(x[3], x[4]), t.sub(x[3], x[4])
	return []vec{
		t.add(t.add(x[0], even1), even2),
		t.by(math.Sqrt2, t.plus(odd2, .5, odd1)),
		t.plus(t.by(.5, even1), 2, even2),
		t.plus(x[5], math.Sqrt2, t.plus(t.by(.25, odd1), 2, odd2)),
	}
}

func weightAddLine(t *transform, x []vec) []vec {
	even1, odd1 := t.add(x[1], x[2]), t.sub(x[1], x[2])
	even2, odd2 := t.add(x[3], x[4]), t.sub(x[3], x[4])
	return []vec{
		t.plus(t.plus(x[0], -2./3, even1), 1./6, even2),
		t.by(math.Sqrt2/6, t.plus(odd2, -2, odd1)),
		t.plus(x[5], 1./3, t.sub(even2, even1)),
	}
}

// pair returns the values at the points ±p, even ± p·odd.
func (t *transform) pair(even vec, p float64, odd vec) (plus, minus vec) {
	return t.plus(even, p, odd), t.plus(even, -p, odd)
}
