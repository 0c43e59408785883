package refine

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/metrics"
	"ptycho/simulate"
)

func TestHalvesAgreeWhereThereIsLight(t *testing.T) {
	resolved := func(photons float64) *Halves {
		s := simulated(t, simulate.Options{N: 32, Frames: 200, Step: 3, NPhotons: photons, Noise: true, Seed: 1})
		h, err := Split(t.Context(), &s.stack, s.n, s.truth(), sweeps(30, nil), Watch{})
		require.NoError(t, err)
		return h
	}
	bright, dim := resolved(1e7), resolved(300)
	at := func(h *Halves) float64 {
		f, ok := h.Curve.Crossing(metrics.HalfBit)
		if !ok {
			return 0.5
		}
		return f
	}
	for i, f := range bright.Curve.Freq {
		if f < 0.15 {
			require.Greater(t, bright.Curve.Corr[i], 0.97, "%g cycles a pixel", f)
		}
	}
	require.Greater(t, at(bright), 1.5*at(dim))
	require.Less(t, bright.Error[0], dim.Error[0])
	require.InEpsilon(t, bright.Error[0], bright.Error[1], 0.5)
	require.NotEqual(t, bright.Error[0], bright.Error[1])
	require.Greater(t, bright.Box.R1-bright.Box.R0, 2*metrics.MinSide)
}

func TestHalvesBeginFlat(t *testing.T) {
	s := simulated(t, simulate.Options{N: 32, Frames: 120, Step: 3, NPhotons: 100, Noise: true, Seed: 1})
	opt := sweeps(3, nil)
	want, err := Split(t.Context(), &s.stack, s.n, s.truth(), opt, Watch{})
	require.NoError(t, err)
	start := s.truth()
	all, _ := s.refined(t, start, sweeps(20, nil))
	r := all.Result()
	start.Object, start.Origin = r.Object, r.Origin
	got, err := Split(t.Context(), &s.stack, s.n, start, opt, Watch{})
	require.NoError(t, err)
	require.Equal(t, want, got, "an object made from all frames would bring its noise into both halves")
}

func TestHalvesOfAPolishAlone(t *testing.T) {
	s := simulated(t, simulate.Options{N: 32, Frames: 120, Step: 3, NPhotons: 1e5, Noise: true, Seed: 1})
	h, err := Split(t.Context(), &s.stack, s.n, s.truth(), sweeps(0, func(o *Options) { o.Polish = 3 }), Watch{})
	require.NoError(t, err)
	require.Positive(t, h.Error[1])
}

func TestSplitRefuses(t *testing.T) {
	s := small(t, 1e5)
	split := func(frames Frames, start Start, opt Options) error {
		_, err := Split(t.Context(), frames, s.n, start, opt, Watch{})
		return err
	}
	few, start := Subset(&s.stack, s.truth(), []int{0, 1, 2})
	require.ErrorContains(t, split(few, start, sweeps(1, nil)), "expected at least 4 frames to compare halves of, found 3")
	four, start := Subset(&s.stack, s.truth(), []int{0, 1, 2, 3})
	require.ErrorContains(t, split(four, start, sweeps(1, nil)), "too small for a ring correlation")
	require.ErrorContains(t, split(&s.stack, s.truth(), sweeps(-1, nil)), "the even frames: iterations -1")
	large := simulated(t, simulate.Options{N: 32, Frames: 100, Step: 4, NPhotons: 1e5, Seed: 5})
	require.ErrorContains(t, split(&large.stack, large.truth(), sweeps(0, nil)), "expected structure")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Split(ctx, &s.stack, s.n, s.truth(), sweeps(1, nil), Watch{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestSubset(t *testing.T) {
	s := small(t, 1e5)
	f, start := Subset(&s.stack, s.truth(), []int{7, 2})
	require.Equal(t, 2, f.Len())
	require.Equal(t, []float64{s.X[7], s.X[2]}, start.X)
	require.Equal(t, []float64{s.Y[7], s.Y[2]}, start.Y)
	frame := make([]float32, s.n*s.n)
	require.NoError(t, f.Read(frame, 1))
	require.Equal(t, s.frames[2], frame)
}
