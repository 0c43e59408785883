package data

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"ptycho/internal/rng"
)

// The ways in which MakeGroups finds the companions of a seed frame.
const (
	GroupRandom  = "random"  // drawn from the nearest neighbours, for training
	GroupNearest = "nearest" // the nearest neighbours themselves, for inference
	GroupTF      = "tf"      // the rule of PtychoPINN's TensorFlow code, for comparison
)

// GroupOptions says how frames are grouped.
type GroupOptions struct {
	// Gridsize fixes the C = Gridsize² frames of a group, at least 1.
	Gridsize int
	// Neighbors is K, the number of nearest frames from which the companions of a seed are drawn: at
	// least C-1, and at least C in mode "tf". Zero stands for the larger of 6 and C (mode "tf": of 4 and
	// C). A scan of fewer frames offers all its other frames.
	Neighbors int
	// NGroups is the number of seeds, chosen at random without replacement; zero makes every frame a
	// seed once.
	NGroups int
	// Seed determines every random choice. The group of a frame depends on Seed and on the frame only,
	// not on NGroups.
	Seed uint64
	// Mode is GroupRandom, GroupNearest or GroupTF; empty stands for GroupRandom.
	Mode string
}

// Group is the frames of one network sample. Group[0] is the seed and the others follow by their distance
// from it; in mode "tf" all of them follow by it, and the seed is in general not among them.
type Group = []int

// MakeGroups returns groups of C = Gridsize² distinct frames that lie close together, in ascending order
// of their seeds. x and y are the positions of the frames in object pixels.
//
// In mode "random" C-1 companions are drawn from the K nearest frames of the seed, in mode "nearest" they
// are the C-1 nearest. Mode "tf" draws all C frames from the K nearest, so that a group does not in
// general hold its seed, which joins only where there are too few neighbours. A frame never counts as its
// own neighbour, but another frame at the same position does. At Gridsize 1 a group is its seed.
//
// An error reports all the options that do not suit the scan.
func MakeGroups(x, y []float64, opt GroupOptions) ([]Group, error) {
	if len(x) != len(y) {
		panic("data: length mismatch")
	}
	n := len(x)
	opt = opt.withDefaults(n)
	if err := opt.check(x, y); err != nil {
		return nil, err
	}
	c := opt.Gridsize * opt.Gridsize
	seeds := choose(rng.New(opt.Seed, "group seeds", 0), n, opt.NGroups)
	groups := make([]Group, len(seeds))
	if c == 1 {
		for g, seed := range seeds {
			groups[g] = Group{seed}
		}
		return groups, nil
	}
	near := newNeighbors(x, y)
	for g, seed := range seeds {
		groups[g] = opt.group(seed, c, near)
	}
	return groups, nil
}

func (opt GroupOptions) withDefaults(n int) GroupOptions {
	if opt.Mode == "" {
		opt.Mode = GroupRandom
	}
	if opt.Neighbors == 0 {
		opt.Neighbors = 6
		if opt.Mode == GroupTF {
			opt.Neighbors = 4
		}
		opt.Neighbors = max(opt.Neighbors, opt.Gridsize*opt.Gridsize)
	}
	if opt.NGroups == 0 {
		opt.NGroups = n
	}
	return opt
}

func (opt GroupOptions) check(x, y []float64) error {
	n, c := len(x), opt.Gridsize*opt.Gridsize
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("data: "+format, args...)) }
	need := c - 1
	switch opt.Mode {
	case GroupRandom, GroupNearest:
	case GroupTF:
		need = c
	default:
		fail("unknown group mode %q; pass %q, %q or %q", opt.Mode, GroupRandom, GroupNearest, GroupTF)
	}
	switch {
	case opt.Gridsize < 1:
		fail("gridsize %d; pass at least 1", opt.Gridsize)
	case n < c:
		fail("gridsize %d needs groups of %d frames, but there are only %d frames; pass a smaller gridsize or keep more frames",
			opt.Gridsize, c, n)
	case c > 1 && opt.Neighbors < need:
		fail("%d neighbors are too few for groups of %d frames in mode %q; pass at least %d", opt.Neighbors, c, opt.Mode, need)
	}
	if opt.NGroups < 0 || opt.NGroups > n {
		fail("%d groups asked for, but every group has its own seed and there are %d frames; pass 1 to %d, or 0 for all",
			opt.NGroups, n, n)
	}
	for i := range x {
		if !finite(x[i]) || !finite(y[i]) {
			fail("position of frame %d is (x %g, y %g), want finite object pixels", i, x[i], y[i])
			break
		}
	}
	return errors.Join(errs...)
}

// group returns the group of c frames around seed.
func (opt GroupOptions) group(seed, c int, near *neighbors) Group {
	k := opt.Neighbors
	if opt.Mode == GroupNearest {
		k = c - 1
	}
	pool := near.of(seed, k)
	g := make(Group, 0, c)
	want := c
	if opt.Mode != GroupTF || len(pool) < c {
		g = append(g, seed)
		want--
	}
	for _, i := range choose(rng.New(opt.Seed, "group neighbors", uint64(seed)), len(pool), want) {
		g = append(g, pool[i])
	}
	return g
}

// Subsample returns count of the indices 0 … n-1, chosen at random without replacement and in ascending
// order; all of them when count ≥ n.
func Subsample(n, count int, seed uint64) []int {
	return choose(rng.New(seed, "subsample", 0), n, count)
}

// choose returns min(n, count) of 0 … n-1 in ascending order.
func choose(r *rand.Rand, n, count int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	if count >= n {
		return s
	}
	for i := range count {
		j := i + r.IntN(n-i)
		s[i], s[j] = s[j], s[i]
	}
	s = s[:count:count]
	slices.Sort(s)
	return s
}

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

// MedianStep returns the median distance, in pixels, of a frame to its nearest other frame. It is zero
// for fewer than two frames.
func MedianStep(x, y []float64) float64 {
	if len(x) < 2 {
		return 0
	}
	near := newNeighbors(x, y)
	d := make([]float64, len(x))
	for i := range d {
		j := near.of(i, 1)[0]
		d[i] = math.Hypot(x[i]-x[j], y[i]-y[j])
	}
	return median(d)
}

// median sorts d and returns its upper median.
func median(d []float64) float64 {
	slices.Sort(d)
	return d[len(d)/2]
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

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
