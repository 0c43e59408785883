package doctor

import (
	"context"
	"errors"
	"math"
	"slices"

	"ptycho/data"
	"ptycho/internal/rng"
	"ptycho/metrics"
	"ptycho/refine"
)

// Trials take some seconds: they look at so many pixels in all, of frames that are neighbours, in so many sweeps.
const (
	trialPixels = 5 << 19
	trialSweeps = 5
	fewFrames   = 20 // too few to tell anything
	manyFrames  = 1000
)

// trials are short refinements of a part of a scan.
type trials struct {
	opt    Options
	part   *data.Dataset
	frames [data.Orientations]*data.Compact // turned, nil until they are needed
	mask   []bool
	limit  float32 // count from which pixels are saturated
}

func newTrials(ds *data.Dataset, d *data.Defects, leave []int, opt Options) *trials {
	count := min(max(trialPixels/(ds.N*ds.N), 3*fewFrames), manyFrames)
	t := &trials{opt: opt, part: ds.Select(neighbourhood(ds.X, ds.Y, leave, count)), limit: d.Ceiling}
	bad := data.Defects{N: d.N, Dead: d.Dead, Hot: d.Hot}
	t.mask = bad.Mask()
	return t
}

// neighbourhood returns the frames nearest to the middle of the scan, count of them or all, in ascending order and without
// those to leave out.
func neighbourhood(x, y []float64, leave []int, count int) []int {
	frames := rest(len(x), leave)
	my, mx := mean(y, frames), mean(x, frames)
	slices.SortStableFunc(frames, func(i, j int) int {
		a, b := math.Hypot(x[i]-mx, y[i]-my), math.Hypot(x[j]-mx, y[j]-my)
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
	frames = frames[:min(count, len(frames))]
	slices.Sort(frames)
	return frames
}

// turnPositions does to positions what LoadOptions do with the flags that the bits of o stand for: negate the rows (FlipY),
// the columns (FlipX), then exchange both (Transpose).
func turnPositions(o data.Orientation, x, y []float64) (tx, ty []float64) {
	tx, ty = slices.Clone(x), slices.Clone(y)
	for i := range tx {
		if o&data.FlipX != 0 {
			tx[i] = -tx[i]
		}
		if o&data.FlipY != 0 {
			ty[i] = -ty[i]
		}
	}
	if o&data.Transpose != 0 {
		return ty, tx
	}
	return tx, ty
}

// shuffled exchanges positions among the frames: a control, in which no object explains the frames together.
func (t *trials) shuffled() (x, y []float64) {
	for _, j := range rng.New(t.opt.Seed, "doctor/control", 0).Perm(t.part.Len()) {
		x, y = append(x, t.part.X[j]), append(y, t.part.Y[j])
	}
	return x, y
}

// try refines frames turned by o at the given positions and returns the R-factor, 1 or more where the refinement diverges.
func (t *trials) try(ctx context.Context, o data.Orientation, x, y []float64, fitProbe bool) (float64, error) {
	if t.frames[o] == nil {
		c, err := t.part.Compact(data.CompactOptions{Mask: t.mask, Ceiling: t.limit, Orientation: o})
		if err != nil {
			return 0, err
		}
		t.frames[o] = c
	}
	opt := refine.Defaults()
	opt.Iterations, opt.Polish, opt.FitProbe, opt.Seed, opt.Workers = trialSweeps, 0, fitProbe, t.opt.Seed, t.opt.Workers
	e, err := refine.New(t.frames[o], t.part.N, refine.Start{Probe: t.part.Probe, Modes: t.part.Modes, X: x, Y: y}, opt)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	switch err := e.Run(ctx, refine.Watch{}); {
	case errors.Is(err, refine.ErrDiverged):
		return math.Inf(1), nil
	case err != nil:
		return 0, err
	}
	fits, err := e.Fit()
	if err != nil {
		return 0, err
	}
	all := fits[0]
	for _, f := range fits[1:] {
		all = all.Plus(f)
	}
	return finiteR(all), nil
}

func finiteR(f metrics.Fit) float64 {
	if r := f.R(); !math.IsNaN(r) {
		return r
	}
	return math.Inf(1)
}

// mean returns the mean of the given elements.
func mean(v []float64, of []int) float64 {
	s := 0.0
	for _, i := range of {
		s += v[i]
	}
	return s / float64(max(1, len(of)))
}
