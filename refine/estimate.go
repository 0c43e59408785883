package refine

import (
	"cmp"
	"context"
	"errors"
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
	best, least, err := minimum(limit, func(defocus float64) (float64, error) {
		probe, err := physics.ProbeFromAperture(mean, n, defocus)
		if err != nil {
			return 0, err
		}
		f, s := Subset(frames, Start{Probe: probe, Modes: 1, X: x, Y: y}, near)
		return trial(ctx, f, n, s, seed, workers)
	})
	if err != nil {
		return nil, 0, err
	}
	if math.IsInf(least, 1) {
		return nil, 0, fmt.Errorf("refinements diverge under every defocus of the aperture that the mean frame shows; give a probe")
	}
	probe, err := physics.ProbeFromAperture(mean, n, best)
	return probe, best, err
}

// minimum looks for the least f between −limit and limit: at the middles of 15 equal parts, then on both sides of the best
// of them, half a part away.
func minimum(limit float64, f func(float64) (float64, error)) (best, least float64, err error) {
	const parts = 15
	step := 2 * limit / parts
	var places []float64
	for k := range parts {
		places = append(places, -limit+(float64(k)+0.5)*step)
	}
	least = math.Inf(1)
	for range 2 {
		for _, x := range places {
			v, err := f(x)
			if err != nil {
				return 0, 0, err
			}
			if v < least {
				best, least = x, v
			}
		}
		places = []float64{best - step/2, best + step/2}
	}
	return best, least, nil
}

// trial returns the error that a few sweeps leave, infinity if they diverge.
func trial(ctx context.Context, frames Frames, n int, s Start, seed uint64, workers int) (float64, error) {
	opt := Defaults()
	opt.Iterations, opt.FitProbe, opt.Seed, opt.Workers = 3, true, seed, workers
	e, err := New(frames, n, s, opt)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	if err := e.Run(ctx, Watch{}); errors.Is(err, ErrDiverged) {
		return math.Inf(1), nil
	} else if err != nil {
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
