package refine

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHeldOutPixels(t *testing.T) {
	const n, seed = 32, 7
	counts := make([]float32, n*n)
	for i := range counts {
		counts[i] = float32(i)
	}
	counts[40], counts[41] = -1, -1
	for _, part := range []float64{1. / 3, 0.3, 0.25, 0.1, 1. / n, 0.02, leastHeld(n)} {
		var held heldPixels
		sum, pixels := 0.0, map[int32]bool{}
		const frames = 400
		for frame := range frames {
			k := slices.Clone(counts)
			held.hide(k, n, seed, frame, part)
			require.NotEmpty(t, held.at)
			require.InDelta(t, part*n*n, float64(len(held.at)), 4, "part %g", part)
			sum += float64(len(held.at)) / frames / (n*n - 2)
			hidden, columns := 0, map[int32]bool{}
			for i, v := range k {
				if v != counts[i] {
					hidden++
					require.EqualValues(t, -1, v)
				}
			}
			require.Equal(t, len(held.at), hidden, "pixels that were not measured cannot be held out")
			for i, p := range held.at {
				require.Equal(t, counts[p], held.counts[i])
				columns[p%n], pixels[p] = true, true
			}
			if part >= 0.1 {
				require.Len(t, columns, n, "every frame looks at all columns")
			}
			again := slices.Clone(counts)
			(&heldPixels{}).hide(again, n, seed, frame, part)
			require.Equal(t, k, again)
		}
		require.InEpsilon(t, part, sum, 0.04, "the part is what was asked for")
		require.Greater(t, len(pixels), n*n*3/4, "every frame has other pixels")
	}
}

func TestPartsThatCannotBeHeldOut(t *testing.T) {
	s := small(t, 1e5)
	for part, want := range map[float64]string{
		0.0039: "holdout 0.0039: expected at least 0.0039, four pixels of a frame of 32×32, or 0",
		1e-300: "holdout 1e-300: expected at least 0.0039",
		0.34:   "holdout 0.34: expected a part of the pixels, 0 to 1/3",
		-0.1:   "holdout -0.1: expected a part",
	} {
		_, err := New(&s.stack, s.n, s.truth(), sweeps(1, func(o *Options) { o.Holdout = part }))
		require.ErrorContains(t, err, want)
	}
	s.engine(t, s.truth(), sweeps(1, func(o *Options) { o.Holdout = 1. / 3 }))
	s.engine(t, s.truth(), sweeps(1, func(o *Options) { o.Holdout = leastHeld(s.n) }))
}

func TestTheBestStateIsTheOneThatWasMeasured(t *testing.T) {
	s := small(t, 1e4)
	start := s.truth()
	start.Object = s.Object
	e := s.engine(t, start, sweeps(12, func(o *Options) { o.Holdout, o.Patience, o.Step, o.Seed = 0.05, 2, 0.05, 1 }))
	states := [][2][]float32{object(e)}
	var notes []string
	require.NoError(t, e.Run(t.Context(), Watch{
		Sweep: func(Sweep) { states = append(states, object(e)) },
		Note:  func(n string) { notes = append(notes, n) },
	}))
	best := 0
	for i, h := range e.History() { // of the state before
		if h.Held < e.History()[best].Held {
			best = i
		}
	}
	require.Positive(t, best)
	require.Less(t, best, len(states)-1)
	require.Equal(t, states[best], object(e))
	require.Contains(t, notes[len(notes)-1], fmt.Sprintf("explained best after sweep %d,", best))
}

func TestLossOfHeldOutPixels(t *testing.T) {
	const epsilon = 0.5
	counts, lambda := []float32{4, 9, 0, 7, -1, 2}, []float32{5, 8, 1, 3, 9, 2}
	var held heldPixels
	held.at, held.counts = []int32{0, 1, 2, 3, 5}, []float32{4, 9, 0, 7, 2}
	var amplitude, poisson float64
	for i, k := range counts {
		if k >= 0 {
			l, k := float64(lambda[i])+epsilon, float64(k)
			amplitude += math.Pow(math.Sqrt(l)-math.Sqrt(k), 2)
			poisson += l - k
			if k > 0 {
				poisson += k * math.Log(k/l)
			}
		}
	}
	require.InEpsilon(t, amplitude, held.loss(lambda, Amplitude, epsilon), 1e-5)
	require.InEpsilon(t, poisson, held.loss(lambda, Poisson, epsilon), 1e-5)
}

func TestHeldOutPixelsDoNotCount(t *testing.T) {
	s := small(t, 1e5)
	all := s.engine(t, s.truth(), sweeps(1, nil))
	part := s.engine(t, s.truth(), sweeps(1, func(o *Options) { o.Holdout = 0.1 }))
	require.InDelta(t, 0.9, part.counts/all.counts, 0.02)
	require.Equal(t, all.dose, part.dose, "the unit of the probe stays")
	require.Equal(t, misfit(t, all), misfit(t, part), "the fit is that of all pixels")
}
