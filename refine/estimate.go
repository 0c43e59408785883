package refine

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"ptycho/metrics"
	"ptycho/physics"
)

// EstimateProbe returns a start for the probe from the frames alone, in the unit of photons, [N,N], centred: the far
// field of a lens whose aperture the mean frame shows, with the defocus under which a few sweeps over some
// neighbouring frames explain these best. It also returns the defocus, the phase at the rim of the aperture in rad.
func EstimateProbe(ctx context.Context, frames Frames, n int, x, y []float64, seed uint64, workers int) ([]complex64, float64, error) {
	mean, err := MeanFrame(frames, n)
	if err != nil {
		return nil, 0, err
	}
	radius, _, _ := physics.ApertureOf(mean, n)
	// A probe of a larger defocus would not fit into the window.
	limit := math.Pi * radius / 2
	if !(limit > 0) {
		return nil, 0, fmt.Errorf("the mean frame shows no aperture to estimate a probe from; give a probe")
	}
	near := neighbours(x, y, 150)
	best, bestError := 0.0, math.Inf(1)
	try := func(defocus float64) error {
		probe, err := physics.ProbeFromAperture(mean, n, defocus)
		if err != nil {
			return err
		}
		f, s := Subset(frames, Start{Probe: probe, Modes: 1, X: x, Y: y}, near)
		e, err := trial(ctx, f, n, s, seed, workers)
		if err == nil && e < bestError {
			best, bestError = defocus, e
		}
		return err
	}
	const candidates = 15
	step := 2 * limit / candidates
	for k := range candidates {
		if err := try(-limit + (float64(k)+0.5)*step); err != nil {
			return nil, 0, err
		}
	}
	for _, d := range []float64{-step / 2, step / 2} { // halving the step around the best
		if err := try(best + d); err != nil {
			return nil, 0, err
		}
	}
	probe, err := physics.ProbeFromAperture(mean, n, best)
	return probe, best, err
}

// trial returns the error that a few sweeps leave.
func trial(ctx context.Context, frames Frames, n int, s Start, seed uint64, workers int) (float64, error) {
	opt := Defaults()
	opt.Iterations, opt.FitProbe, opt.Seed, opt.Workers = 3, true, seed, workers
	e, err := New(frames, n, s, opt)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	if err := e.Run(ctx, Watch{}); err != nil {
		return 0, err
	}
	fits, err := e.Fit()
	if err != nil {
		return 0, err
	}
	return Total(fits).Error(), nil
}

// neighbours returns the frames nearest to the middle of the scan.
func neighbours(x, y []float64, count int) []int {
	my, mx := middle(y), middle(x)
	index := make([]int, len(x))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(i, j int) int {
		return cmp.Compare(math.Hypot(y[i]-my, x[i]-mx), math.Hypot(y[j]-my, x[j]-mx))
	})
	index = index[:min(count, len(index))]
	slices.Sort(index)
	return index
}

func middle(v []float64) float64 { return (slices.Min(v) + slices.Max(v)) / 2 }

// MeanFrame returns the mean of what was measured in each pixel, DC at [N/2,N/2], −1 where nothing was.
func MeanFrame(frames Frames, n int) ([]float64, error) {
	frame, sum, count := make([]float32, n*n), make([]float64, n*n), make([]int, n*n)
	for i := range frames.Len() {
		if err := frames.Read(frame, i); err != nil {
			return nil, err
		}
		for k, v := range frame {
			if v >= 0 {
				sum[k] += float64(v)
				count[k]++
			}
		}
	}
	mean := make([]float64, n*n)
	for k := range mean {
		at := (k/n+n/2)%n*n + (k%n+n/2)%n
		if mean[at] = -1; count[k] > 0 {
			mean[at] = sum[k] / float64(count[k])
		}
	}
	return mean, nil
}

// Total returns the fit of all frames together.
func Total(fits []metrics.Fit) metrics.Fit {
	total := fits[0]
	for _, f := range fits[1:] {
		total = total.Plus(f)
	}
	return total
}
