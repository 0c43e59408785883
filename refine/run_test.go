package refine

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/internal/kernel"
)

// requireFinite checks that the object holds numbers.
func requireFinite(t *testing.T, e *Engine) {
	t.Helper()
	square := kernel.SumSquares(e.object[0]) + kernel.SumSquares(e.object[1])
	require.False(t, math.IsNaN(square) || math.IsInf(square, 0), "%g", square)
}

func TestTheStartIsMeasuredWithAllFrames(t *testing.T) {
	s := small(t, 1e5)
	for i, f := range s.frames { // which are not alike
		for k := range f {
			f[k] *= float32(1 + i%9)
		}
	}
	e := s.engine(t, s.truth(), sweeps(1, func(o *Options) { o.Loss = Amplitude }))
	before := misfit(t, e)
	require.NoError(t, e.Run(t.Context(), Watch{}))
	require.InEpsilon(t, before, e.entry, 1e-6)
}

// TestOneStepASweep has sweeps whose loss tells nothing of the state they end in.
func TestOneStepASweep(t *testing.T) {
	s := small(t, 1e5)
	for name, change := range map[string]func(*Options){
		"all frames": func(o *Options) { o.BatchSize, o.Step, o.Momentum = 70, 2, 0.99 },
		"compact":    func(o *Options) { o.BatchSize, o.Step, o.Momentum, o.Batches = 35, 2, 0.95, Compact },
	} {
		t.Run(name, func(t *testing.T) {
			e := s.engine(t, s.truth(), sweeps(200, change))
			before := misfit(t, e)
			require.NoError(t, e.Run(t.Context(), Watch{}))
			require.Less(t, e.slow, 1.0)
			require.Greater(t, e.slow, 0.01)
			require.Less(t, misfit(t, e), before)
			for i, s := range e.History() {
				require.Equal(t, i+1, s.Number)
			}
		})
	}
	frame, start := Subset(&s.stack, s.truth(), []int{11})
	e, err := New(frame, s.n, start, sweeps(60, func(o *Options) { o.Step, o.Momentum = 2, 0.99 }))
	require.NoError(t, err)
	t.Cleanup(e.Close)
	require.NoError(t, e.Run(t.Context(), Watch{}))
	require.Less(t, e.slow, 1.0)
}

// spoilt runs a refinement whose state breaks after some sweeps, as if in the last batch.
func spoilt(e *Engine, t *testing.T, after func(sweep int) bool) error {
	return e.Run(t.Context(), Watch{Sweep: func(s Sweep) {
		if after(s.Number) {
			e.object[0][len(e.object[0])/2+e.cols/2] = float32(math.NaN())
			e.keep(&e.last, 0)
		}
	}})
}

func TestAStateThatBreaksInTheLastBatchIsNotKept(t *testing.T) {
	s := small(t, 1e5)
	const all = 6
	for _, holdout := range []float64{0, 0.1} {
		for _, sweep := range []int{1, 3, all} {
			e := s.engine(t, s.truth(), sweeps(all, func(o *Options) { o.Holdout = holdout }))
			before, times := misfit(t, e), 0
			require.NoError(t, spoilt(e, t, func(k int) bool {
				if k == sweep {
					times++
				}
				return k == sweep && times == 1
			}))
			require.Equal(t, 2, times, "the sweep was done again")
			require.Equal(t, 0.5, e.slow)
			require.Len(t, e.History(), all)
			requireFinite(t, e)
			require.Less(t, misfit(t, e), before)
		}
	}
}

func TestTheBestStateIsLeftByADivergence(t *testing.T) {
	s := small(t, 1e5)
	e := s.engine(t, s.truth(), sweeps(9, nil))
	before := misfit(t, e)
	err := spoilt(e, t, func(k int) bool { return k >= 4 })
	require.ErrorIs(t, err, ErrDiverged)
	require.ErrorContains(t, err, "sweep 5 has a loss of NaN")
	requireFinite(t, e)
	require.Equal(t, 3, e.done)
	require.Len(t, e.History(), 3)
	require.Less(t, misfit(t, e), before)
}

func TestAnObjectThatExplainsNothingAtAll(t *testing.T) {
	s := small(t, 1e5)
	e := s.engine(t, s.truth(), sweeps(3, nil))
	e.object[0][len(e.object[0])/2+e.cols/2] = float32(math.NaN())
	require.ErrorIs(t, e.Run(t.Context(), Watch{}), ErrDiverged)
}
