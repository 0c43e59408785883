package refine

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/ckpt"
)

// requireSameState compares all that a refinement has come to.
func requireSameState(t testing.TB, want, got *Engine) {
	t.Helper()
	require.Equal(t, want.object, got.object)
	require.Equal(t, want.params.Data, got.params.Data)
	require.Equal(t, want.gain, got.gain)
	require.Equal(t, [2][]float64{want.y, want.x}, [2][]float64{got.y, got.x})
	require.Equal(t, want.history, got.history)
	require.Equal(t, want.done, got.done)
}

// all fits everything and leaves pixels out.
func all(o *Options) {
	o.FitProbe, o.ProbeModes, o.FitPositions, o.FitGain, o.FitBackground, o.Holdout, o.Patience = true, 2, true, true, true, 0.05, 2
}

// statesOf runs a refinement to its end and saves its state after each sweep.
func statesOf(t testing.TB, s *scan, start Start, opt Options) (e *Engine, states []string) {
	dir := t.TempDir()
	e = s.engine(t, start, opt)
	require.NoError(t, e.Run(t.Context(), Watch{Sweep: func(w Sweep) {
		path := filepath.Join(dir, w.String())
		require.NoError(t, e.SaveState(path))
		states = append(states, path)
	}}))
	return e, states
}

func TestResumeFromEverySweep(t *testing.T) {
	s := small(t, 1e4)
	for name, change := range map[string]func(*Options){
		"object alone": nil,
		"everything":   all,
		"gains":        func(o *Options) { o.FitGain = true },
		"one mode":     func(o *Options) { o.FitProbe = true },
		"steps that diverge": func(o *Options) {
			o.Step, o.Momentum, o.BatchSize = 2, 0.98, 1
		},
		"one batch":  func(o *Options) { o.Step, o.Momentum, o.BatchSize = 2, 0.98, 70 },
		"compact":    func(o *Options) { o.Batches = Compact },
		"ends early": func(o *Options) { o.Holdout, o.Patience, o.Step, o.Seed = 0.05, 2, 0.05, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			opt := sweeps(12, change)
			start := jittered(s.truth(), 0.3)
			if name == "ends early" {
				start, start.Object = s.truth(), s.Object // from where a fit to noise only leads away
			}
			want, states := statesOf(t, s, start, opt)
			switch name {
			case "ends early":
				require.Less(t, len(states), 12)
			case "steps that diverge":
				require.Less(t, want.slow, 1.0)
			}
			for _, state := range states {
				e := s.engine(t, start, opt)
				require.NoError(t, e.Resume(state))
				require.NoError(t, e.Run(t.Context(), Watch{}))
				requireSameState(t, want, e)
			}
		})
	}
}

// TestResumeAfterAnInterruption ends the context at many moments, not only between sweeps.
func TestResumeAfterAnInterruption(t *testing.T) {
	s := small(t, 1e4)
	for name, change := range map[string]func(*Options){
		"everything":         all,
		"steps that diverge": func(o *Options) { o.Step, o.Momentum, o.BatchSize = 2, 0.98, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			opt := sweeps(8, change)
			want, _ := s.refined(t, s.truth(), opt)
			path := filepath.Join(t.TempDir(), StateFile)
			for reads := int64(80); reads < 700; reads += 41 {
				ctx, stop := context.WithCancel(t.Context())
				e, err := New(&counted{Frames: &s.stack, stop: stop, stopAt: reads}, s.n, s.truth(), opt)
				require.NoError(t, err)
				err = e.Run(ctx, Watch{})
				e.Close()
				stop()
				if err == nil {
					continue
				}
				require.ErrorIs(t, err, context.Canceled)
				require.NoError(t, e.SaveState(path))
				again := s.engine(t, s.truth(), opt)
				require.NoError(t, again.Resume(path))
				require.NoError(t, again.Run(t.Context(), Watch{}))
				requireSameState(t, want, again)
			}
		})
	}
}

func TestResumeOfAPolish(t *testing.T) {
	const rounds = 12
	s := small(t, 1e4)
	opt := sweeps(rounds, func(o *Options) { o.Polish, o.Holdout, o.Step = 2, 0.05, 0.05 })
	start := s.truth()
	start.Object = s.Object // from where a fit to noise only leads away: the last sweep is not the best one
	_, states := statesOf(t, s, start, opt)
	require.Len(t, states, rounds+opt.Polish)
	for i, state := range states[rounds:] {
		e := s.engine(t, start, opt)
		require.NoError(t, e.Resume(state))
		before := object(e)
		require.NoError(t, e.Run(t.Context(), Watch{}))
		require.Len(t, e.History(), rounds+opt.Polish)
		if i == opt.Polish-1 {
			require.Equal(t, before, object(e), "there is nothing left to do")
		}
	}
}

func TestResumeRefuses(t *testing.T) {
	s := small(t, 1e5)
	opt := sweeps(3, func(o *Options) { o.FitGain, o.Holdout = true, 0.05 })
	e, states := statesOf(t, s, s.truth(), opt)
	good := states[1]

	other := s.truth()
	other.Object = s.Object
	moved := s.truth()
	moved.X[3] += 0.5
	for want, begin := range map[string]func() (Start, Options){
		"options.seed: then 0, now 1":         func() (Start, Options) { opt := opt; opt.Seed = 1; return s.truth(), opt },
		"options.iterations: then 3, now 4":   func() (Start, Options) { opt := opt; opt.Iterations = 4; return s.truth(), opt },
		"options.holdout: then 0.05, now 0.1": func() (Start, Options) { opt := opt; opt.Holdout = 0.1; return s.truth(), opt },
		"start: then ":                        func() (Start, Options) { return other, opt },
		" now ":                               func() (Start, Options) { return moved, opt },
	} {
		start, opt := begin()
		fresh := s.engine(t, start, opt)
		before := object(fresh)
		err := fresh.Resume(good)
		require.ErrorContains(t, err, good+": the interrupted refinement had another scan, start or other options")
		require.ErrorContains(t, err, want)
		require.Equal(t, before, object(fresh), "nothing is half taken over")
		require.Empty(t, fresh.History())
	}
	few, start := Subset(&s.stack, s.truth(), []int{0, 1, 2, 3, 4, 5, 6, 7})
	fresh, err := New(few, s.n, start, opt)
	require.NoError(t, err)
	t.Cleanup(fresh.Close)
	require.ErrorContains(t, fresh.Resume(good), "data: then 70 frames of 32×32")

	workers := opt
	workers.Workers = 3
	require.NoError(t, s.engine(t, s.truth(), workers).Resume(good), "workers may change")

	path := filepath.Join(t.TempDir(), StateFile)
	for want, change := range map[string]func(f *ckpt.File){
		`found "picture"`:   func(f *ckpt.File) { f.Meta["format"] = "picture" },
		`of version "7"`:    func(f *ckpt.File) { f.Meta["format_version"] = "7" },
		"history":           func(f *ckpt.File) { f.Tensors = f.Tensors[:len(f.Tensors)-1] },
		`"now.object.re"`:   func(f *ckpt.File) { f.Tensors = f.Tensors[1:] },
		`"now.velocity.re"`: func(f *ckpt.File) { v := &f.Tensors[2]; v.Data, v.Shape = v.Data[:9], []int{9} },
		"slow: ":            func(f *ckpt.File) { f.Meta["slow"] = "very" },
		"entry: ":           func(f *ckpt.File) { delete(f.Meta, "entry") },
		"now.sweep: ":       func(f *ckpt.File) { f.Meta["now.sweep"] = "x" },
		"now.score: ":       func(f *ckpt.File) { f.Meta["now.score"] = "x" },
		"good.sweep: ":      func(f *ckpt.File) { f.Meta["good.sweep"] = "x" },
		"best.sweep: ":      func(f *ckpt.File) { f.Meta["best.sweep"] = "x" },
		"it cannot be read": func(f *ckpt.File) { f.Meta["identity"] = "{" },
		`unexpected (1): "x`: func(f *ckpt.File) {
			f.Tensors = append(f.Tensors, ckpt.Tensor{Name: "x", Shape: []int{1}, Data: []float32{1}})
		},
	} {
		f, err := ckpt.Read(good)
		require.NoError(t, err)
		change(f)
		require.NoError(t, ckpt.Write(path, f))
		err = e.Resume(path)
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, want)
	}
	require.ErrorIs(t, e.Resume(filepath.Join(t.TempDir(), "absent")), os.ErrNotExist)
	require.Error(t, e.SaveState(filepath.Join(path, "below")))
}
