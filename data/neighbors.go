package data

import (
	"cmp"
	"slices"
)

// neighbors finds the nearest neighbours of points in the plane. It is a k-d tree without pointers: the
// middle of a range of order is its root, and the halves, split alternately by x and y, are its children.
// Unlike a grid it does not mind lines, clusters and points that coincide.
type neighbors struct {
	pos   [2][]float64 // x, y
	order []int
	found []neighbor // of the search under way, nearest first
	k     int
}

type neighbor struct {
	i  int
	d2 float64
}

func newNeighbors(x, y []float64) *neighbors {
	t := &neighbors{pos: [2][]float64{x, y}, order: make([]int, len(x))}
	for i := range t.order {
		t.order[i] = i
	}
	t.split(t.order, 0)
	return t
}

func (t *neighbors) split(order []int, axis int) {
	if len(order) < 2 {
		return
	}
	p := t.pos[axis]
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(p[a], p[b]), cmp.Compare(a, b)) })
	mid := len(order) / 2
	t.split(order[:mid], 1-axis)
	t.split(order[mid+1:], 1-axis)
}

// of returns the k points nearest to point i, without i itself, nearest first; all the others when there
// are fewer than k. The order of points at the same distance is arbitrary but fixed.
func (t *neighbors) of(i, k int) []int {
	t.found, t.k = t.found[:0], min(k, len(t.order)-1)
	t.search(t.order, 0, i)
	s := make([]int, len(t.found))
	for j, f := range t.found {
		s[j] = f.i
	}
	return s
}

func (t *neighbors) search(order []int, axis, q int) {
	if len(order) == 0 || t.k == 0 {
		return
	}
	mid := len(order) / 2
	root := order[mid]
	if root != q {
		t.offer(root, q)
	}
	near, far := order[:mid], order[mid+1:]
	gap := t.pos[axis][q] - t.pos[axis][root]
	if gap > 0 {
		near, far = far, near
	}
	t.search(near, 1-axis, q)
	if len(t.found) < t.k || gap*gap < t.found[t.k-1].d2 {
		t.search(far, 1-axis, q)
	}
}

// offer inserts point i into the k nearest found so far.
func (t *neighbors) offer(i, q int) {
	dx, dy := t.pos[0][i]-t.pos[0][q], t.pos[1][i]-t.pos[1][q]
	c := neighbor{i, dx*dx + dy*dy}
	at, _ := slices.BinarySearchFunc(t.found, c, func(a, b neighbor) int {
		return cmp.Or(cmp.Compare(a.d2, b.d2), cmp.Compare(a.i, b.i))
	})
	if at == t.k {
		return
	}
	if len(t.found) == t.k {
		t.found = t.found[:t.k-1]
	}
	t.found = slices.Insert(t.found, at, c)
}
