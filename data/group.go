package data

import (
	"errors"
	"fmt"
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

// Groups returns MakeGroups of the scan. It fails, too, where the frames of the groups cannot constrain each other
// (CheckGroups). An error names the file.
func (d *Dataset) Groups(opt GroupOptions) ([]Group, error) {
	groups, err := MakeGroups(d.X, d.Y, opt)
	if err == nil {
		err = CheckGroups(groups, d.X, d.Y, d.N)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Path, err)
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

// FrameCount returns the number of different frames in the groups.
func FrameCount(groups []Group) int {
	seen := map[int]bool{}
	for _, g := range groups {
		for _, f := range g {
			seen[f] = true
		}
	}
	return len(seen)
}
