package refine

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDefaultsAreValid(t *testing.T) {
	opt := Defaults()
	require.NoError(t, opt.Validate())
}

func TestOptionsThatAreRefused(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for want, change := range map[string]func(*Options){
		"iterations -1":   func(o *Options) { o.Iterations = -1 },
		"polish -1":       func(o *Options) { o.Polish = -1 },
		"batch_size -1":   func(o *Options) { o.BatchSize = -1 },
		"batches dense":   func(o *Options) { o.Batches = "dense" },
		"loss gauss":      func(o *Options) { o.Loss = "gauss" },
		"step -0.1":       func(o *Options) { o.Step = -0.1 },
		"step 2.1":        func(o *Options) { o.Step = 2.1 },
		"step NaN":        func(o *Options) { o.Step = nan },
		"momentum 1":      func(o *Options) { o.Momentum = 1 },
		"momentum NaN":    func(o *Options) { o.Momentum = nan },
		"probe_modes -1":  func(o *Options) { o.ProbeModes = -1 },
		"probe_modes 33":  func(o *Options) { o.ProbeModes = 33 },
		"max_shift -1":    func(o *Options) { o.MaxShift = -1 },
		"max_shift +Inf":  func(o *Options) { o.MaxShift = inf },
		"max_shift NaN":   func(o *Options) { o.MaxShift = nan },
		"holdout 0.6":     func(o *Options) { o.Holdout = 0.6 },
		"holdout NaN":     func(o *Options) { o.Holdout = nan },
		"patience 0":      func(o *Options) { o.Patience = 0 },
		"workers -1":      func(o *Options) { o.Workers = -1 },
		"affine true: ex": func(o *Options) { o.Affine = true },
	} {
		opt := sweeps(1, change)
		require.ErrorContains(t, opt.Validate(), want)
		_, err := New(&stack{n: 8, frames: [][]float32{make([]float32, 64)}}, 8, Start{}, opt)
		require.ErrorContains(t, err, want)
	}
	opt := sweeps(-1, func(o *Options) { o.Patience, o.Loss = 0, "" })
	require.Len(t, strings.Split(opt.Validate().Error(), "\n"), 3, "all at once")
}

func TestResolvedOptions(t *testing.T) {
	for _, tt := range []struct {
		frames int
		mean   float64
		change func(*Options)
		batch  int
		loss   string
		shift  float64
	}{
		{1000, 10, nil, 32, Amplitude, 16},
		{1000, 9.9, nil, 32, Poisson, 16},
		{1024, 100, func(o *Options) { o.Loss = Poisson }, 32, Poisson, 16},
		{1025, 1, func(o *Options) { o.Loss = Amplitude }, 33, Amplitude, 16},
		{100, 100, nil, 8, Amplitude, 16},
		{3, 100, nil, 3, Amplitude, 16},
		{3, 100, func(o *Options) { o.BatchSize, o.MaxShift = 50, 2 }, 3, Amplitude, 2},
	} {
		opt := sweeps(1, tt.change)
		opt.resolve(tt.frames, 64, tt.mean)
		require.Equal(t, []any{tt.batch, tt.loss, tt.shift}, []any{opt.BatchSize, opt.Loss, opt.MaxShift})
		require.Positive(t, opt.Step)
		again := opt
		again.resolve(tt.frames, 64, tt.mean)
		require.Equal(t, opt, again)
	}
	opt := sweeps(1, func(o *Options) { o.Step = 0.123 })
	opt.resolve(100, 64, 100)
	require.Equal(t, 0.123, opt.Step)
}

func TestLengthOfSteps(t *testing.T) {
	opt := sweeps(50, nil)
	require.Equal(t, 0.3, opt.length(0))
	require.InDelta(t, 0.003, opt.length(50), 1e-12)
	opt.Batches = Compact
	require.Equal(t, 0.15, opt.length(0))
}

func TestModesThatCannotBeFitted(t *testing.T) {
	s := small(t, 1e5)
	modes := func(count int, fit bool) Options {
		return sweeps(1, func(o *Options) { o.ProbeModes, o.FitProbe = count, fit })
	}
	_, err := New(&s.stack, s.n, s.truth(), modes(2, false))
	require.ErrorContains(t, err, "probe_modes 2: expected at most 1, with which the probe begins, as it is not fitted; fit it")
	s.engine(t, s.truth(), modes(1, false))
	require.Equal(t, 2, s.engine(t, s.truth(), modes(2, true)).modes)
}

func TestAnnealing(t *testing.T) {
	const sweeps = 50
	for i := range 16 {
		require.Equal(t, 1.0, annealing(i, sweeps))
	}
	for i := 16; i <= sweeps; i++ {
		require.Less(t, annealing(i, sweeps), annealing(i-1, sweeps))
	}
	require.InDelta(t, 0.01, annealing(sweeps, sweeps), 1e-12)
	require.Equal(t, 1.0, annealing(0, 0))
	require.InDelta(t, 0.505, annealing(65, 100), 1e-12, "half way down")
}
