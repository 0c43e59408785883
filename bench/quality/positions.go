package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"

	"ptycho/data"
	"ptycho/internal/rng"
	"ptycho/recon"
)

// againstTrue compares the objects from wrong and from true positions.
const againstTrue = "E over that at the true positions"

// negligible is the E that stands for all smaller ones in a comparison: below, all are equally good.
const negligible = 0.001

func positions(ctx context.Context, p *program) (f figures, err error) {
	scan, err := p.run1084(ctx, 1e9)
	if err != nil {
		return f, err
	}
	var x, y []float64
	wrong, err := p.altered("positions.npz", scan, func(ds *data.Dataset) (*data.Dataset, error) {
		x, y = ds.X, ds.Y
		ds.X, ds.Y = perturbed(x, y, 2)
		ds.XStart, ds.YStart = nil, nil
		return ds, nil
	})
	if err != nil {
		return f, err
	}
	r, e, err := p.distance(ctx, "refine", "positions", wrong, "--fit_positions", "--iterations", "60")
	if err != nil {
		return f, err
	}
	_, best, err := p.distance(ctx, "refine", "positions-true", scan, "--iterations", "60")
	if err != nil {
		return f, err
	}
	_, as, err := p.distance(ctx, "refine", "positions-wrong", wrong, "--iterations", "60")
	if err != nil {
		return f, err
	}
	found, err := recon.Load(filepath.Join(r.dir, recon.ReconstructionFile))
	if err != nil {
		return f, err
	}
	if len(found.X) != len(x) {
		return f, fmt.Errorf("%s: expected %d positions, found %d", r.dir, len(x), len(found.X))
	}
	f.add("positions wrong by, pixels", distanceApart(found.X, found.Y, x, y))
	f.add(distance, e)
	f.add("E at the true positions", best)
	f.add("E without --fit_positions", as)
	f.add(total, r.total)
	f.add(againstTrue, max(e, negligible)/max(best, negligible))
	return f, nil
}

// perturbed returns positions with random displacements added whose mean is zero and whose length is rms pixels.
func perturbed(x, y []float64, rms float64) (px, py []float64) {
	r := rng.New(1, "positions", 0)
	px, py = make([]float64, len(x)), make([]float64, len(y))
	for i := range px {
		px[i], py[i] = x[i]+r.NormFloat64(), y[i]+r.NormFloat64()
	}
	scale := rms / distanceApart(px, py, x, y)
	mx, my := meanDifference(px, x), meanDifference(py, y)
	for i := range px {
		px[i], py[i] = x[i]+scale*(px[i]-x[i]-mx), y[i]+scale*(py[i]-y[i]-my)
	}
	return px, py
}

// distanceApart returns the r.m.s. distance of positions from others after their mean difference, pixels.
func distanceApart(ax, ay, bx, by []float64) float64 {
	mx, my := meanDifference(ax, bx), meanDifference(ay, by)
	var sum float64
	for i := range ax {
		dx, dy := ax[i]-bx[i]-mx, ay[i]-by[i]-my
		sum += dx*dx + dy*dy
	}
	return math.Sqrt(sum / float64(len(ax)))
}

func meanDifference(a, b []float64) float64 {
	var sum float64
	for i := range a {
		sum += a[i] - b[i]
	}
	return sum / float64(len(a))
}
