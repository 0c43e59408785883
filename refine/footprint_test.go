package refine

import (
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/simulate"
)

// footprint returns the footprint of an object that is not too large.
func footprint(t testing.TB, n int, start Start, opt Options) int64 {
	t.Helper()
	bytes, err := Footprint(n, start, opt)
	require.NoError(t, err)
	return bytes
}

func TestFootprintGrows(t *testing.T) {
	x, y := raster(20)
	start := Start{Modes: 1, X: x, Y: y}
	plain := func(change func(*Options)) int64 {
		opt := sweeps(1, func(o *Options) { o.Workers = 2 })
		if change != nil {
			change(&opt)
		}
		return footprint(t, 64, start, opt)
	}
	least := plain(nil)
	require.Positive(t, least)
	for name, change := range map[string]func(*Options){
		"held-out pixels": func(o *Options) { o.Holdout = 0.1 },
		"polish":          func(o *Options) { o.Polish = 1 },
		"modes":           func(o *Options) { o.ProbeModes = 2 },
		"workers":         func(o *Options) { o.Workers = 3 },
		"room to move":    func(o *Options) { o.FitPositions, o.MaxShift = true, 20 },
	} {
		require.Greater(t, plain(change), least, name)
	}
	require.Greater(t, footprint(t, 128, start, sweeps(1, nil)), footprint(t, 64, start, sweeps(1, nil)))
	for i := range x {
		start.X[i] *= 2
	}
	require.Greater(t, plain(nil), least, "a larger object")
}

func TestObjectsBeyondMemory(t *testing.T) {
	s := small(t, 1e5)
	for _, far := range []float64{1e7, -1e15, 1e300, math.Inf(1), math.NaN()} {
		start := s.truth()
		start.X[3] = far
		_, err := New(&s.stack, s.n, start, sweeps(1, nil))
		require.ErrorContains(t, err, "more than memory is made for; are its positions in pixels?", "%g", far)
		_, err = Footprint(s.n, start, sweeps(1, nil))
		require.ErrorContains(t, err, "more than memory is made for; are its positions in pixels?", "%g", far)
	}
	start := s.truth()
	for i := range start.X {
		start.X[i] += 1e15
	}
	_, err := New(&s.stack, s.n, start, sweeps(1, nil))
	require.ErrorContains(t, err, "column 1e+15 on")
	_, err = New(&s.stack, s.n, s.truth(), sweeps(1, func(o *Options) { o.FitPositions, o.MaxShift = true, 1e9 }))
	require.ErrorContains(t, err, "more than memory is made for")
}

// TestFootprintHolds compares with what is in use after some sweeps.
func TestFootprintHolds(t *testing.T) {
	s := simulated(t, simulate.Options{N: 64, Frames: 100, Step: 12, NPhotons: 1e5, Seed: 1})
	inUse := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for name, change := range map[string]func(*Options){
		"object": func(o *Options) {},
		"everything": func(o *Options) {
			o.FitProbe, o.ProbeModes, o.FitPositions, o.FitGain, o.FitBackground, o.Holdout = true, 3, true, true, true, 0.1
		},
	} {
		opt := sweeps(2, func(o *Options) { o.Workers = 2; change(o) })
		before := inUse()
		e, _ := s.refined(t, s.truth(), opt)
		r := e.Result()
		took := inUse() - before
		want := footprint(t, s.n, s.truth(), opt)
		require.Less(t, took, want, name)
		require.Greater(t, 5*took, want, name)
		runtime.KeepAlive(r)
	}
}
