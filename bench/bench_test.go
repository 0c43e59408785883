package bench

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ptycho/internal/kernel"
)

func TestMeasure(t *testing.T) {
	for _, c := range []Case{
		{Mode: Train, N: 64, Gridsize: 1, Filters: 1, Batch: 2, Workers: 1},
		{Mode: Train, N: 64, Gridsize: 2, Filters: 1, Batch: 3},
		{Mode: Infer, N: 64, Gridsize: 2, Filters: 1, Batch: 2},
		{Mode: Latency, N: 64, Gridsize: 1, Filters: 1, Batch: 5},
	} {
		t.Run(c.String(), func(t *testing.T) {
			r, err := Measure(t.Context(), c, 0)
			require.NoError(t, err)
			groups := c.Batch
			if c.Mode == Latency {
				groups = 1
			}
			require.Equal(t, 2, r.Repeats)
			require.Positive(t, r.Step)
			require.InEpsilon(t, float64(groups*c.Gridsize*c.Gridsize), r.Patterns*r.Step, 1e-9)
			require.Positive(t, r.Workers)
			require.Positive(t, r.Start)
		})
	}
}

func TestStopwatch(t *testing.T) {
	w := &stopwatch{limit: time.Hour}
	w.start()
	for _, counts := range []bool{true, true, false, true} { // the first one warms up
		require.False(t, w.lap(counts))
	}
	require.Len(t, w.laps, 2)
	w.spent = time.Hour
	require.True(t, w.lap(true))
	require.True(t, w.done)
}

func TestMeasureRefuses(t *testing.T) {
	_, err := Measure(t.Context(), Case{Mode: "fly", N: 64, Gridsize: 1, Filters: 1, Batch: 1}, 0)
	require.ErrorContains(t, err, `"fly"`)
	_, err = Measure(t.Context(), Case{Mode: Train, N: 80, Gridsize: 1, Filters: 1, Batch: 1}, 0)
	require.ErrorContains(t, err, "found 80")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Run(ctx, Options{Cases: Standard(1, 1, 1)})
	require.ErrorIs(t, err, context.Canceled)
}

func TestKernels(t *testing.T) {
	peak := Peak(0)
	require.Equal(t, kernel.PeakFlops(1) > 0, peak > 0)
	list, err := Kernels(0, 100)
	require.NoError(t, err)
	names := map[string]bool{}
	for _, k := range list {
		require.Positive(t, k.GFLOPS, k.Name)
		require.InEpsilon(t, k.GFLOPS/100, k.Share, 1e-9, k.Name)
		require.False(t, names[k.Name], k.Name)
		names[k.Name] = true
	}
}

func TestMedian(t *testing.T) {
	require.Equal(t, 2.0, median([]float64{9, 1, 2}))
	require.Equal(t, 1.5, median([]float64{2, 1, 9, 0}))
}
