package refine

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/fft"
	"ptycho/internal/kernel"
	"ptycho/metrics"
	"ptycho/simulate"
)

// stack is frames in memory, as an engine takes them.
type stack struct {
	n      int
	frames [][]float32
}

func (s *stack) Len() int { return len(s.frames) }

func (s *stack) Read(dst []float32, i int) error {
	copy(dst, s.frames[i])
	return nil
}

// scan is a simulated scan.
type scan struct {
	*data.Dataset
	stack
}

// simulated makes a scan.
func simulated(t testing.TB, opt simulate.Options) *scan {
	t.Helper()
	ds, err := simulate.Run(context.Background(), opt)
	require.NoError(t, err)
	s := &scan{ds, stack{n: ds.N}}
	for f := range slices.Chunk(ds.Frames, ds.N*ds.N) {
		frame := make([]float32, len(f))
		fft.Unshift(frame, f, ds.N, ds.N)
		s.frames = append(s.frames, frame)
	}
	return s
}

// truth starts a refinement with all that is true but the object.
func (s *scan) truth() Start {
	return Start{Probe: s.Probe, Modes: s.Modes, X: slices.Clone(s.X), Y: slices.Clone(s.Y)}
}

// engine prepares a refinement that ends with the test.
func (s *scan) engine(t testing.TB, start Start, opt Options) *Engine {
	t.Helper()
	e, err := New(&s.stack, s.n, start, opt)
	require.NoError(t, err)
	t.Cleanup(e.Close)
	return e
}

// refined runs a refinement and returns it with what it noted.
func (s *scan) refined(t testing.TB, start Start, opt Options) (*Engine, []string) {
	t.Helper()
	e := s.engine(t, start, opt)
	var notes []string
	require.NoError(t, e.Run(context.Background(), Watch{Note: func(n string) { notes = append(notes, n) }}))
	return e, notes
}

// offTruth returns the distance of the object from the true one in the scan box, as a part of it, after a complex
// factor was removed, and if the probe was fitted a phase plane and a shift.
func (s *scan) offTruth(t testing.TB, e *Engine) float64 {
	t.Helper()
	r := e.Result()
	box, _ := r.ScanBox()
	rec, want, _, err := r.Overlay(s.Object, box)
	require.NoError(t, err)
	if e.opt.FitProbe || e.opt.FitPositions {
		rec, _, _, err = metrics.Align(rec, want, 8)
		require.NoError(t, err)
		const border = 4
		rec = rec.Crop(border, rec.Rows-border, border, rec.Cols-border)
		want = want.Crop(border, want.Rows-border, border, want.Cols-border)
	}
	scores, err := metrics.Compare(rec, want, metrics.Options{})
	require.NoError(t, err)
	return scores.E
}

// misfit returns how badly all frames are explained.
func misfit(t testing.TB, e *Engine) float64 {
	t.Helper()
	fits, err := e.Fit()
	require.NoError(t, err)
	return Total(fits).Error()
}

// long skips a test of whole refinements where they take long.
func long(t testing.TB) {
	t.Helper()
	if testing.Short() || kernel.Name() == "generic" {
		t.Skip("whole refinements")
	}
}
