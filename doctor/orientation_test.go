package doctor

import (
	"context"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/simulate"
)

// The scans of these tests have frames of 32 pixels.
const side = 32

// probeOf returns a probe of a function of the distance from the centre in pixels.
func probeOf(f func(y, x float64) complex128) []complex64 {
	p := make([]complex64, side*side)
	for i := range p {
		p[i] = complex64(f(float64(i/side-side/2), float64(i%side-side/2)))
	}
	return p
}

func gaussian(y, x float64) float64 { return math.Exp(-(y*y + x*x) / 32) }

// crooked is a probe without any symmetry, round one with that of a circle, plain one that is real, too.
var (
	crooked = probeOf(func(y, x float64) complex128 {
		return cmplx.Rect(gaussian(y, x)*(1+0.3*math.Tanh(x/3)-0.2*math.Tanh(y/4)), (x*x+y*y)/14+0.01*x*x*x-0.006*y*y*x+0.02*y*y*y)
	})
	round = probeOf(func(y, x float64) complex128 { return cmplx.Rect(gaussian(y, x), (x*x+y*y)/14) })
	plain = probeOf(func(y, x float64) complex128 { return complex(gaussian(y, x), 0) })
)

func scanWith(t testing.TB, probe []complex64, photons float64) *data.Dataset {
	ds, err := simulate.Run(context.Background(), simulate.Options{
		Setup: &data.Dataset{N: side, Probe: probe, Modes: 1}, Object: simulate.DeadLeaves, Scan: simulate.Random,
		Frames: 400, Step: 2.5, NPhotons: photons, Noise: true, Seed: 3,
	})
	require.NoError(t, err)
	return ds
}

// oriented examines the orientation of a scan only.
func oriented(t testing.TB, ds *data.Dataset) *Report {
	r := &Report{whole: true}
	var err error
	r.defects, err = ds.Defects()
	require.NoError(t, err)
	require.NoError(t, r.checkOrientation(context.Background(), ds))
	return r
}

func turnedScan(t testing.TB, ds *data.Dataset, detector, positions data.Orientation) *data.Dataset {
	s, err := ds.Oriented(detector)
	require.NoError(t, err)
	s.X, s.Y = turnPositions(positions, ds.X, ds.Y)
	return s
}

func TestTurnedDetector(t *testing.T) {
	ds := scanWith(t, crooked, 1e6)
	for o := range data.Orientation(data.Orientations) {
		r := oriented(t, turnedScan(t, ds, o, data.AsStored))
		require.Equal(t, o.Inverse(), r.detector, "%v: %v", o, r.Findings)
		require.Equal(t, data.AsStored, r.positions)
		require.Equal(t, o != data.AsStored, r.Fatal())
		require.Equal(t, &Orientation{Frames: o.Inverse().String()}, r.Orientation)
	}
}

func TestTurnedPositions(t *testing.T) {
	ds := scanWith(t, crooked, 1e6)
	for o := data.FlipY; o < data.Orientations; o++ {
		if testing.Short() && o != data.Rot180 && o != data.Rot90 {
			continue
		}
		r := oriented(t, turnedScan(t, ds, data.AsStored, o))
		require.Equal(t, o.Inverse(), r.positions, "%v: %v", o, r.Findings)
		require.Equal(t, data.AsStored, r.detector)
		require.True(t, r.Fatal())
		require.Contains(t, r.Findings[0].Remedy, flagsOf(o.Inverse()))
	}
}

// Under a round probe it makes no difference whether the frames or the positions are turned, and both remedies work.
func TestRoundProbeHasTwoRemedies(t *testing.T) {
	ds := scanWith(t, round, 1e6)
	for _, o := range []data.Orientation{data.FlipX, data.Rot90, data.Rot270} {
		wrong := turnedScan(t, ds, o, data.AsStored)
		r := oriented(t, wrong)
		require.Equal(t, o.Inverse(), r.detector, "%v", r.Findings)
		require.Contains(t, r.Findings[0].Remedy, flagsOf(o.Inverse()))
		for _, right := range []*data.Dataset{turnedScan(t, wrong, r.detector, data.AsStored), turnedScan(t, wrong, data.AsStored, r.detector)} {
			require.False(t, oriented(t, right).Fatal(), "%v", o)
		}
	}
}

func TestRealProbeLeavesPair(t *testing.T) {
	ds := scanWith(t, plain, 1e6)
	for _, tt := range []struct {
		turn  data.Orientation
		names []string
		fatal bool
	}{
		{data.AsStored, []string{"right way round or rot180", "probe is real"}, false},
		{data.Rot180, []string{"right way round or rot180"}, false},
		{data.Rot90, []string{"rot90", "rot270", "cannot be told apart"}, true},
		{data.FlipX, []string{"flip_x", "flip_y", "cannot be told apart"}, true},
	} {
		r := oriented(t, turnedScan(t, ds, tt.turn, data.AsStored))
		require.Equal(t, tt.fatal, r.Fatal(), "%v", r.Findings)
		require.True(t, r.Orientation.Pair)
		text := ""
		for _, f := range r.Findings {
			text += f.Text
		}
		for _, name := range tt.names {
			require.Contains(t, text, name)
		}
	}
}

func TestUselessProbeNamesNothing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	useless := map[string][]complex64{
		"noise": probeOf(func(_, _ float64) complex128 { return complex(rnd.NormFloat64(), rnd.NormFloat64()) }),
		"flat":  probeOf(func(_, _ float64) complex128 { return 1 }),
		"delta": probeOf(func(y, x float64) complex128 {
			if x == 0 && y == 0 {
				return 1
			}
			return 0
		}),
	}
	ds := scanWith(t, crooked, 1e6)
	for name, probe := range useless {
		for _, o := range []data.Orientation{data.AsStored, data.Rot90} {
			s := turnedScan(t, ds, o, data.AsStored)
			s.Probe = probe
			r := oriented(t, s)
			require.Len(t, r.Findings, 1)
			require.Nil(t, r.Orientation)
			require.Contains(t, r.Findings[0].Text, "cannot tell", "%s", name)
			require.Equal(t, Warn, r.Findings[0].Severity)
		}
	}
	few := oriented(t, ds.Select([]int{1, 2, 3, 4, 5}))
	require.Contains(t, few.Findings[0].Text, "too few")
}

func TestDecide(t *testing.T) {
	row := func(best data.Orientation, r, second float64) (v [data.Orientations]float64) {
		for o := range v {
			v[o] = second
		}
		v[best] = r
		return v
	}
	both := func(a, b [data.Orientations]float64) contest {
		return contest{r: [2][data.Orientations]float64{a, b}, control: [2]float64{0.5, 0.5}}
	}
	pair := row(data.FlipX, 0.1, 0.4)
	pair[data.FlipY] = 0.102
	almost := row(data.FlipX, 0.1, 0.4)
	almost[data.FlipY] = 0.2
	inf := row(data.Rot90, math.Inf(1), math.Inf(1))
	for name, tt := range map[string]struct {
		contest contest
		want    verdict
	}{
		"clear":                      {both(row(data.Rot90, 0.1, 0.4), row(data.Rot90, 0.1, 0.4)), verdict{data.Rot90, false, true}},
		"clear in one":               {both(row(data.Rot90, 0.1, 0.15), row(data.Rot90, 0.1, 0.4)), verdict{data.Rot90, false, true}},
		"hardly in the other":        {both(row(data.Rot90, 0.1, 0.11), row(data.Rot90, 0.1, 0.4)), verdict{}},
		"different winners":          {both(row(data.Rot90, 0.1, 0.4), row(data.FlipX, 0.1, 0.4)), verdict{}},
		"supported by both only":     {both(row(data.Rot90, 0.1, 0.2), row(data.Rot90, 0.1, 0.2)), verdict{}},
		"no better than the control": {both(row(data.Rot90, 0.48, 0.7), row(data.Rot90, 0.48, 0.7)), verdict{}},
		"pair":                       {both(pair, pair), verdict{data.FlipX, true, true}},
		"neither pair nor single":    {both(almost, almost), verdict{best: data.FlipX}},
		"opposite winners":           {both(row(data.Rot90, 0.1, 0.4), row(data.Rot270, 0.1, 0.4)), verdict{best: data.Rot90}},
		"diverged":                   {both(inf, inf), verdict{}},
	} {
		require.Equal(t, tt.want, tt.contest.decide(), name)
	}
}

func TestOpposite(t *testing.T) {
	frame := make([]float32, 16)
	for i := range frame {
		frame[i] = float32(i * i)
	}
	once, twice, want := make([]float32, 16), make([]float32, 16), make([]float32, 16)
	for o := range data.Orientation(data.Orientations) {
		o.Apply(once, frame, 4)
		data.Rot180.Apply(twice, once, 4)
		opposite(o).Apply(want, frame, 4)
		require.Equal(t, want, twice, "%v", o)
	}
}

func TestNeighbourhood(t *testing.T) {
	x, y := []float64{0, 1, 2, 3, 4}, []float64{0, 0, 0, 0, 0}
	require.Equal(t, []int{1, 2, 3}, neighbourhood(x, y, nil, 3))
	require.Equal(t, []int{1, 3, 4}, neighbourhood(x, y, []int{0, 2}, 3))
	require.Equal(t, []int{0, 1, 2, 3, 4}, neighbourhood(x, y, nil, 9))
}

// Measured frames, turned in all ways.
func TestMeasuredOrientation(t *testing.T) {
	const path = "../../shared/data/siemens-star-small.npz.bz2"
	if _, err := os.Stat(path); err != nil || testing.Short() {
		t.Skipf("needs %s and more time than -short allows", path)
	}
	ds, err := data.Load(path, data.LoadOptions{})
	require.NoError(t, err)
	for o := range data.Orientation(data.Orientations) {
		r := oriented(t, turnedScan(t, ds, o, data.AsStored))
		require.Equal(t, o.Inverse(), r.detector, "%v: %v", o, r.Findings)
		require.Equal(t, data.AsStored, r.positions)
	}
	noise := ds.Select(make([]int, 0))
	noise.X, noise.Y, noise.Frames = ds.X, ds.Y, ds.Frames
	rnd := rand.New(rand.NewPCG(1, 2))
	noise.Probe = slices.Clone(ds.Probe)
	for i := range noise.Probe {
		noise.Probe[i] = complex(float32(rnd.NormFloat64()), float32(rnd.NormFloat64()))
	}
	require.Contains(t, oriented(t, noise).Findings[0].Text, "cannot tell")
}
