package data

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// scanPositions returns n positions of a named kind.
func scanPositions(kind string, n int) (x, y []float64) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y = make([]float64, n), make([]float64, n)
	side := int(math.Ceil(math.Sqrt(float64(n))))
	for i := range x {
		switch kind {
		case "random":
			x[i], y[i] = 100*r.Float64(), 70*r.Float64()
		case "raster":
			x[i], y[i] = float64(4*(i%side)), float64(4*(i/side))
		case "line":
			x[i], y[i] = 12, 3*float64(i)
		case "pairs":
			x[i], y[i] = float64(i/2%10), float64(i/20)
		case "identical":
			x[i], y[i] = 5, 5
		case "clusters":
			x[i], y[i] = 1e4*float64(i%2)+r.Float64(), r.Float64()
		}
	}
	return x, y
}

var scanKinds = []string{"random", "raster", "line", "pairs", "identical", "clusters"}

func TestMakeGroupsValid(t *testing.T) {
	for _, kind := range scanKinds {
		for _, mode := range []string{"", GroupRandom, GroupNearest, GroupTF} {
			for gs := 1; gs <= 3; gs++ {
				x, y := scanPositions(kind, 80)
				opt := GroupOptions{Gridsize: gs, Seed: 3, Mode: mode}
				groups, err := MakeGroups(x, y, opt)
				require.NoError(t, err)
				require.Len(t, groups, len(x))
				for i, g := range groups {
					require.Len(t, g, gs*gs)
					if mode != GroupTF || gs == 1 {
						require.Equal(t, i, g[0])
					}
					s := slices.Clone(g)
					slices.Sort(s)
					require.Len(t, slices.Compact(s), gs*gs, "frames of a group are distinct")
				}
				again, err := MakeGroups(x, y, opt)
				require.NoError(t, err)
				require.Equal(t, groups, again)
			}
		}
	}
}

func TestMakeGroupsModes(t *testing.T) {
	x, y := scanPositions("random", 300)
	near := newNeighbors(x, y)
	make2 := func(mode string, seed uint64, k int) []Group {
		g, err := MakeGroups(x, y, GroupOptions{Gridsize: 2, Neighbors: k, Seed: seed, Mode: mode})
		require.NoError(t, err)
		return g
	}
	for i, g := range make2(GroupNearest, 1, 0) {
		require.Equal(t, near.of(i, 3), g[1:])
	}
	require.Equal(t, make2(GroupNearest, 1, 0), make2(GroupNearest, 2, 9), "nearest is free of chance")

	random := make2(GroupRandom, 1, 8)
	require.NotEqual(t, random, make2(GroupRandom, 2, 8))
	drawn := make([]int, 8)
	for i, g := range random {
		pool := near.of(i, 8)
		for _, j := range g[1:] {
			at := slices.Index(pool, j)
			require.GreaterOrEqual(t, at, 0, "companions come from the pool")
			drawn[at]++
		}
	}
	for _, d := range drawn { // binomial(300, 3/8): mean 112.5, σ 8.4
		require.InDelta(t, 112.5, d, 5*8.4)
	}

	seeds := 0
	for i, g := range make2(GroupTF, 1, 6) {
		if slices.Contains(g, i) {
			seeds++
		}
	}
	require.Zero(t, seeds, "the original leaves the seed out")
}

func TestMakeGroupsTFJoinsSeed(t *testing.T) {
	x, y := scanPositions("random", 4)
	groups, err := MakeGroups(x, y, GroupOptions{Gridsize: 2, Mode: GroupTF})
	require.NoError(t, err)
	for i, g := range groups {
		require.Equal(t, i, g[0])
		slices.Sort(g)
		require.Equal(t, Group{0, 1, 2, 3}, g)
	}
}

func TestMakeGroupsSeeds(t *testing.T) {
	x, y := scanPositions("random", 100)
	all, err := MakeGroups(x, y, GroupOptions{Gridsize: 2, Seed: 5})
	require.NoError(t, err)
	some, err := MakeGroups(x, y, GroupOptions{Gridsize: 2, Seed: 5, NGroups: 20})
	require.NoError(t, err)
	require.Len(t, some, 20)
	last := -1
	for _, g := range some {
		require.Greater(t, g[0], last)
		last = g[0]
		require.Equal(t, all[g[0]], g, "a group does not depend on the number of groups")
	}
	require.Greater(t, last, 30, "seeds are spread over the scan")
}

func TestMakeGroupsErrors(t *testing.T) {
	for _, tc := range []struct {
		name string
		n    int
		opt  GroupOptions
		want []string
	}{
		{"gridsize", 9, GroupOptions{}, []string{"gridsize 0", "at least 1"}},
		{"few frames", 3, GroupOptions{Gridsize: 2}, []string{"groups of 4 frames", "only 3 frames", "smaller gridsize"}},
		{"few neighbors", 9, GroupOptions{Gridsize: 2, Neighbors: 2}, []string{"2 neighbors", "at least 3"}},
		{"few neighbors, tf", 9, GroupOptions{Gridsize: 2, Neighbors: 3, Mode: GroupTF}, []string{"at least 4"}},
		{"many groups", 9, GroupOptions{Gridsize: 1, NGroups: 10}, []string{"10 groups", "9 frames", "pass 1 to 9"}},
		{"all at once", 9, GroupOptions{Gridsize: 2, NGroups: -1, Neighbors: 1, Mode: "far"}, []string{"-1 groups", `mode "far"`, "1 neighbors"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x, y := scanPositions("random", tc.n)
			_, err := MakeGroups(x, y, tc.opt)
			for _, w := range tc.want {
				require.ErrorContains(t, err, w)
			}
		})
	}
	_, err := MakeGroups([]float64{0, math.NaN()}, []float64{0, 1}, GroupOptions{Gridsize: 1})
	require.ErrorContains(t, err, "frame 1")
	require.Panics(t, func() { _, _ = MakeGroups([]float64{0}, nil, GroupOptions{Gridsize: 1}) })
}

func TestSubsample(t *testing.T) {
	s := Subsample(1000, 100, 7)
	require.Len(t, s, 100)
	require.True(t, slices.IsSorted(s))
	require.Len(t, slices.Compact(slices.Clone(s)), 100)
	require.GreaterOrEqual(t, s[0], 0)
	require.Less(t, s[99], 1000)
	require.Equal(t, s, Subsample(1000, 100, 7))
	require.NotEqual(t, s, Subsample(1000, 100, 8))
	require.Equal(t, []int{0, 1, 2}, Subsample(3, 9, 1))

	count := make([]int, 10)
	for seed := range uint64(2000) {
		for _, i := range Subsample(10, 3, seed) {
			count[i]++
		}
	}
	for _, c := range count { // binomial(2000, 0.3): mean 600, σ 20.5
		require.InDelta(t, 600, c, 5*20.5)
	}
}

func TestMaxOffset(t *testing.T) {
	x := []float64{0, 4, 0, 4, 100}
	y := []float64{0, 0, 10, 10, 100}
	require.Equal(t, 5.0, MaxOffset([]Group{{0, 1, 2, 3}}, x, y))
	require.Equal(t, 50.0, MaxOffset([]Group{{0, 1}, {0, 4}}, x, y))
	require.Zero(t, MaxOffset([]Group{{0}, {4}}, x, y))
}

func TestCheckGroups(t *testing.T) {
	x, y := scanPositions("raster", 100)
	groups, err := MakeGroups(x, y, GroupOptions{Gridsize: 2, Mode: GroupNearest})
	require.NoError(t, err)
	require.NoError(t, CheckGroups(groups, x, y, 16))
	require.NoError(t, CheckGroups(groups, x, y, 10))

	err = CheckGroups(groups, x, y, 6)
	require.ErrorContains(t, err, "4.0 px")
	require.ErrorContains(t, err, "N = 6")
	require.ErrorContains(t, err, "gridsize 1")

	x[99] += 200
	groups, err = MakeGroups(x, y, GroupOptions{Gridsize: 2, Mode: GroupNearest})
	require.NoError(t, err)
	err = CheckGroups(groups, x, y, 64)
	require.ErrorContains(t, err, "1 of 100 groups")
	require.ErrorContains(t, err, "around frame 99")
	require.NotContains(t, err.Error(), "do not overlap")

	single, err := MakeGroups(x, y, GroupOptions{Gridsize: 1})
	require.NoError(t, err)
	require.NoError(t, CheckGroups(single, x, y, 2))
	require.NoError(t, CheckGroups(nil, x, y, 2))
}

func TestDatasetGroups(t *testing.T) {
	x, y := scanPositions("raster", 16)
	d := &Dataset{Path: "scan.npz", N: 16, X: x, Y: y}
	opt := GroupOptions{Gridsize: 2, Seed: 3, NGroups: 5}
	got, err := d.Groups(opt)
	require.NoError(t, err)
	want, err := MakeGroups(x, y, opt)
	require.NoError(t, err)
	require.Equal(t, want, got)

	_, err = d.Groups(GroupOptions{Gridsize: 5})
	require.ErrorContains(t, err, "scan.npz: data: gridsize 5 needs groups of 25 frames")
	d.N = 6
	_, err = d.Groups(opt)
	require.ErrorContains(t, err, "scan.npz: data: groups do not overlap")
}

func TestFrameCount(t *testing.T) {
	require.Equal(t, 4, FrameCount([]Group{{0, 1, 7}, {7, 1, 2}}))
	require.Zero(t, FrameCount(nil))
}

func BenchmarkMakeGroups(b *testing.B) {
	for _, kind := range scanKinds {
		b.Run(kind, func(b *testing.B) {
			x, y := scanPositions(kind, 10000)
			for b.Loop() {
				_, _ = MakeGroups(x, y, GroupOptions{Gridsize: 2})
			}
		})
	}
}
