package refine

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/internal/kernel"
	"ptycho/internal/testutil"
	"ptycho/simulate"
)

// counted counts the frames that are read, and fails or calls off the refinement when told to.
type counted struct {
	Frames
	reads  atomic.Int64
	failAt int64
	err    error
	stopAt int64
	stop   func()
}

func (c *counted) Read(dst []float32, i int) error {
	n := c.reads.Add(1)
	if c.failAt > 0 && n >= c.failAt {
		return c.err
	}
	if c.stopAt > 0 && n == c.stopAt {
		c.stop()
	}
	return c.Frames.Read(dst, i)
}

// small is a scan that is refined in no time.
func small(t testing.TB, photons float64) *scan {
	return simulated(t, simulate.Options{N: 32, Frames: 70, Step: 2.5, NPhotons: photons, Noise: true, Seed: 5})
}

// begun refines a scan in a few sweeps.
func begun(t testing.TB, s *scan, start Start, opt Options) (*Engine, *counted) {
	t.Helper()
	c := &counted{Frames: &s.stack}
	opt.Iterations = 10
	e, err := New(c, s.n, start, opt)
	require.NoError(t, err)
	t.Cleanup(e.Close)
	require.NoError(t, e.Run(t.Context(), Watch{}))
	c.reads.Store(0)
	return e, c
}

func TestPolishLowersTheLoss(t *testing.T) {
	const iterations = 30
	for _, c := range []struct {
		name    string
		photons float64
		change  func(*Options)
	}{
		{"amplitude", 1e7, func(*Options) {}},
		{"probe", 1e7, func(o *Options) { o.FitProbe = true }},
		{"poisson", 1e4, func(o *Options) { o.Loss, o.Step = Poisson, 0.1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, opt := small(t, c.photons), Defaults()
			c.change(&opt)
			start := s.truth()
			if opt.FitProbe {
				var err error
				start.Probe, err = simulate.Probe(s.n, simulate.ProbeOptions{Defocus: 1})
				require.NoError(t, err)
			}
			e, frames := begun(t, s, start, opt)
			before := e.History()
			first, off := misfit(t, e), s.offTruth(t, e)
			background, gain, y := e.params.Data[e.probe.Shape.Size():], e.gain, slices.Clone(e.y)
			frames.reads.Store(0)
			var told []Sweep
			require.NoError(t, e.polish(t.Context(), iterations, &Watch{Sweep: func(s Sweep) { told = append(told, s) }}))

			passes := float64(frames.reads.Load()) / float64(frames.Len())
			require.LessOrEqual(t, passes, 1.2*float64(len(told))+2, "a pass an iteration")
			require.Equal(t, append(before, told...), e.History())
			loss := before[len(before)-1].Loss
			for i, s := range told {
				require.Equal(t, e.done+i+1, s.Number)
				require.Zero(t, s.Step)
				require.Less(t, s.Loss, loss)
				loss = s.Loss
			}
			require.Less(t, misfit(t, e), 0.98*first)
			require.Less(t, s.offTruth(t, e), 0.9*off)
			require.Equal(t, y, e.y)
			require.Equal(t, gain, e.gain)
			require.Equal(t, background, e.params.Data[e.probe.Shape.Size():])
			require.InEpsilon(t, e.dose, kernel.SumSquares(e.params.View(e.probe)), 1e-5, "the probe has its power again")
			if opt.Loss != Poisson {
				require.InEpsilon(t, loss, misfit(t, e), 5e-3, "the last iteration is the result")
			}
		})
	}
}

func TestPolishDescendsAlongTheGradient(t *testing.T) {
	s, opt := small(t, 1e5), Defaults()
	opt.FitProbe = true
	e, _ := begun(t, s, s.truth(), opt)
	p := &polisher{e: e, ctx: t.Context(), w: &Watch{}}
	x := p.start()
	grad := make([]float64, len(x))
	p.gradient(grad, x)
	require.InDelta(t, 1, testutil.Norm(grad), 1e-6)
	const h = 0.05
	along := func(by float64) float64 {
		moved := slices.Clone(x)
		for i, g := range grad {
			moved[i] += by * g
		}
		return p.loss(moved)
	}
	require.InDelta(t, 1, (along(h)-along(-h))/(2*h), 0.01)
}

// object returns a copy of the object.
func object(e *Engine) [2][]float32 {
	return [2][]float32{slices.Clone(e.object[0]), slices.Clone(e.object[1])}
}

func TestPolishEndsWhenNothingIsGained(t *testing.T) {
	s := small(t, 1e6)
	e, _ := begun(t, s, s.truth(), Defaults())
	require.NoError(t, e.polish(t.Context(), 1000, &Watch{}))
	require.Less(t, len(e.History()), 500)
	loss := misfit(t, e)
	e.history = nil
	require.NoError(t, e.polish(t.Context(), 20, &Watch{}))
	require.InEpsilon(t, loss, misfit(t, e), 1e-4)
	require.LessOrEqual(t, misfit(t, e), loss*(1+1e-6))
}

func TestPolishKeepsTheBestHeldOut(t *testing.T) {
	s, opt := small(t, 300), Defaults()
	opt.Holdout = 0.1
	start := s.truth()
	start.Object = s.Object // a fit to noise only leads away from it
	e := s.engine(t, start, opt)
	var off []float64
	require.NoError(t, e.polish(t.Context(), 100, &Watch{Sweep: func(Sweep) { off = append(off, s.offTruth(t, e)) }}))
	require.Less(t, len(off), 2*opt.Patience)
	best := 0
	for i, s := range e.History() {
		if s.Held < e.History()[best].Held {
			best = i
		}
	}
	require.Equal(t, off[best], s.offTruth(t, e))
	require.Less(t, off[best], off[len(off)-1])
}

func TestPolishLeavesTheDarkAlone(t *testing.T) {
	s := small(t, 1e6)
	e, _ := begun(t, s, s.truth(), Defaults())
	before, light := object(e), e.coverage()
	require.NoError(t, e.polish(t.Context(), 5, &Watch{}))
	dark, top := 0, slices.Max(light)
	for i, l := range light {
		if l <= polishLight*top {
			dark++
			require.Equal(t, before[0][i], e.object[0][i])
		}
	}
	require.Positive(t, dark)
	require.NotEqual(t, before, e.object)
}

func TestPolishThatIsCalledOffGoesOn(t *testing.T) {
	const iterations = 8
	s, opt := small(t, 1e7), Defaults()
	opt.Polish = iterations
	opt.Iterations = 10
	ctx, stop := context.WithCancel(t.Context())
	passes := int64(1 + opt.Iterations + 4) // survey, sweeps, and some of the polish
	c := &counted{Frames: &s.stack, stop: stop, stopAt: passes * int64(s.stack.Len())}
	e, err := New(c, s.n, s.truth(), opt)
	require.NoError(t, err)
	t.Cleanup(e.Close)
	require.ErrorIs(t, e.Run(ctx, Watch{}), context.Canceled)
	h := e.History()
	require.Greater(t, len(h), opt.Iterations)
	require.Less(t, len(h), opt.Iterations+iterations)
	require.InEpsilon(t, h[len(h)-1].Loss, misfit(t, e), 5e-3, "the best state is kept")

	require.NoError(t, e.Run(t.Context(), Watch{}))
	all := e.History()
	require.Len(t, all, opt.Iterations+iterations)
	for i, s := range all {
		require.Equal(t, i+1, s.Number)
	}
	require.Less(t, all[len(all)-1].Loss, h[len(h)-1].Loss)
}

func TestPolishReportsFramesThatCannotBeRead(t *testing.T) {
	broken := errors.New("broken")
	s := small(t, 1e7)
	for _, passes := range []int64{0, 3} {
		e, c := begun(t, s, s.truth(), Defaults())
		loss := misfit(t, e)
		c.reads.Store(0)
		c.failAt, c.err = passes*int64(c.Len())+1, broken
		require.ErrorIs(t, e.polish(t.Context(), 10, &Watch{}), broken)
		require.Len(t, e.History(), 10+max(0, int(passes)-1))
		c.failAt = 0
		require.LessOrEqual(t, misfit(t, e), loss)
	}
}
