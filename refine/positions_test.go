package refine

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireAffine checks that an affine map has moved the positions about their mean.
func requireAffine(t *testing.T, e *Engine) {
	t.Helper()
	y, x := slices.Clone(e.y), slices.Clone(e.x)
	e.toAffine()
	require.InDeltaSlice(t, e.y, y, 1e-9)
	require.InDeltaSlice(t, e.x, x, 1e-9)
	copy(e.y, y)
	copy(e.x, x)
}

func TestAffineMapsOfFewPositions(t *testing.T) {
	s := small(t, 1e5)
	for name, place := range map[string]func(i int) (y, x float64){
		"a column":   func(i int) (float64, float64) { return 3 * float64(i), 40 },
		"a diagonal": func(i int) (float64, float64) { return 3 * float64(i), -4 * float64(i) },
		"a place":    func(int) (float64, float64) { return 7, 8 },
	} {
		for _, count := range []int{1, 2, 3, 20} {
			start := Start{Probe: s.Probe, Modes: 1}
			var index []int
			for i := range count {
				y, x := place(i)
				start.Y, start.X, index = append(start.Y, y), append(start.X, x), append(index, i)
			}
			e, err := New(subset{&s.stack, index}, s.n, start, sweeps(1, func(o *Options) { o.FitPositions, o.Affine = true, true }))
			require.NoError(t, err)
			t.Cleanup(e.Close)
			r := rand.New(rand.NewPCG(1, 2))
			for i := range e.y {
				e.y[i] += 0.2*(e.y0[i]-mean(e.y0)) + 0.5*r.NormFloat64()
				e.x[i] += 0.5 * r.NormFloat64()
			}
			e.settlePositions()
			along := e.x0
			if name != "a place" {
				along = e.y0
			}
			norm, slope := 0.0, [2]float64{}
			for i, a := range along {
				a -= mean(along)
				norm += a * a
				slope[0] += a * (e.y[i] - e.y0[i])
				slope[1] += a * (e.x[i] - e.x0[i])
			}
			for i, a := range along {
				a = (a - mean(along)) / max(norm, 1e-300)
				require.InDelta(t, slope[0]*a, e.y[i]-e.y0[i], 1e-9, "%d of %s", count, name)
				require.InDelta(t, slope[1]*a, e.x[i]-e.x0[i], 1e-9, "%d of %s", count, name)
			}
			if count == 20 && name != "a place" {
				require.InDelta(t, 0.2, slope[0]/norm, 0.05, name)
			}
		}
	}
}

func TestAffineMapsStayWithinBounds(t *testing.T) {
	s := small(t, 1e5)
	e := s.engine(t, s.truth(), sweeps(1, func(o *Options) { o.FitPositions, o.Affine, o.MaxShift = true, true, 1.5 }))
	my := mean(e.y0)
	for i := range e.y {
		e.y[i] += e.y0[i] - my
	}
	e.settlePositions()
	farthest := 0.0
	for i := range e.y {
		farthest = max(farthest, math.Abs(e.y[i]-e.y0[i]), math.Abs(e.x[i]-e.x0[i]))
	}
	require.InDelta(t, 1.5, farthest, 1e-9)
	requireAffine(t, e)
}

func TestEverySweepEndsWithAnAffineMap(t *testing.T) {
	s := small(t, 1e6)
	start := s.truth()
	start.X[20] += 4
	start.Y[40] -= 4
	e := s.engine(t, start, sweeps(20, func(o *Options) { o.FitPositions, o.Affine = true, true }))
	require.NoError(t, e.Run(t.Context(), Watch{Sweep: func(Sweep) { requireAffine(t, e) }}))
	moved, err := e.search()
	require.NoError(t, err)
	require.Positive(t, moved, "there is something to find")
}

// refinedNear refines a scan that is true but for one frame.
func refinedNear(t *testing.T, s *scan, frame int, change func(*Options)) *Engine {
	start := s.truth()
	start.X[frame] += 3
	e, _ := s.refined(t, start, sweeps(20, nil)) // the object
	moving := s.engine(t, start, sweeps(20, func(o *Options) { o.FitPositions = true; change(o) }))
	r := e.Result()
	moving.setObject(r.Object, r.Origin)
	return moving
}

// lossOf returns the loss of a frame, and how far the search moves it.
func lossOf(t *testing.T, e *Engine, frame int) (loss, dy, dx float64) {
	t.Helper()
	require.NoError(t, e.pool.Run(1, func(v *view, _ int) error {
		s := &e.slots[0]
		s.frame = frame
		if err := e.explain(v, s); err != nil {
			return err
		}
		loss = s.tally.loss
		err := e.searchAround(v, s)
		dy, dx = s.dy, s.dx
		return err
	}))
	return loss, dy, dx
}

func TestSearchStaysWithinBounds(t *testing.T) {
	const frame = 30
	s := small(t, 1e6)
	for shift := 0.5; shift < 4; shift += 0.25 {
		e := refinedNear(t, s, frame, func(o *Options) { o.MaxShift = shift })
		before, dy, dx := lossOf(t, e, frame)
		if shift > 3.3 {
			require.InDelta(t, -3, dx, 0.3, "it is found")
		}
		require.LessOrEqual(t, max(math.Abs(dy), math.Abs(dx)), shift)
		e.moveTo(frame, e.y[frame]+dy, e.x[frame]+dx)
		if after, _, _ := lossOf(t, e, frame); dy != 0 || dx != 0 {
			require.Less(t, after, 0.7*before, "what it was moved for is there, %g", shift)
		}
	}
}

func TestSearchDoesNotSeeHeldOutPixels(t *testing.T) {
	const frame = 30
	s := small(t, 1e6)
	e := refinedNear(t, s, frame, func(o *Options) { o.Holdout = 0.2 })
	_, dy, dx := lossOf(t, e, frame)
	require.NotZero(t, dx)
	seen := slices.Clone(s.frames[frame])
	var held heldPixels
	held.hide(seen, s.n, e.opt.Seed, frame, e.opt.Holdout)
	for _, p := range held.at {
		s.frames[frame][p] = 1e4 * float32(p)
	}
	_, y, x := lossOf(t, e, frame)
	require.Equal(t, [2]float64{dy, dx}, [2]float64{y, x})
}

// TestSoftDirection holds for valleys in any direction; of the two signs, either will do.
func TestSoftDirection(t *testing.T) {
	for degrees := 0.0; degrees < 180; degrees += 15 {
		y, x := math.Sincos(degrees * math.Pi / 180) // along the valley
		const along, across = 1, 100
		m := normal{
			yy: along*y*y + across*x*x, yx: (along - across) * y * x, xx: along*x*x + across*y*y,
		}
		gotY, gotX := m.soft()
		require.InDelta(t, 1, math.Abs(gotY*y+gotX*x), 1e-12, "a valley %g° from the x axis", degrees)
	}
}
