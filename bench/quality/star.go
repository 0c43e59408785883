package main

import (
	"context"
	"fmt"
	"path/filepath"
)

// refineStar refines the Siemens star.
func refineStar(ctx context.Context, p *program, name string, args ...string) (*reconstruction, error) {
	scan, err := p.star()
	if err != nil {
		return nil, err
	}
	return p.reconstruct(ctx, "refine", name, scan, args...)
}

func starOneMode(ctx context.Context, p *program) (f figures, err error) {
	r, err := refineStar(ctx, p, "star-1", "--iterations", "24")
	if err != nil {
		return f, err
	}
	f.add(anError, r.run.Results.Error)
	f.add(total, r.total)
	return f, nil
}

func starThreeModes(ctx context.Context, p *program) (f figures, err error) {
	r, err := refineStar(ctx, p, "star-3", "--probe_modes", "3", "--iterations", "40")
	if err != nil {
		return f, err
	}
	f.add(anError, r.run.Results.Error)
	f.add(total, r.total)
	f.pictures = []picture{{"star.png", filepath.Join(r.dir, "reconstructed_phase.png"), "Phase of the Siemens star, refined with three modes of the probe"}}
	return f, nil
}

func starSweep(ctx context.Context, p *program) (f figures, err error) {
	r, err := refineStar(ctx, p, "star-sweep", "--iterations", "24")
	if err != nil {
		return f, err
	}
	f.add(aSweep, r.run.Results.Sweep)
	return f, nil
}

func starSplit(ctx context.Context, p *program) (f figures, err error) {
	r, err := refineStar(ctx, p, "star-split", "--split")
	if err != nil {
		return f, err
	}
	if r.metrics.Halves == nil {
		return f, fmt.Errorf("%s: metrics.json: expected the correlation of half sets, found none", r.dir)
	}
	f.add(total, r.total)
	for _, t := range []struct{ key, quantity string }{{"half_bit", "resolution at half a bit, pixels"}, {"0.5", "resolution at 0.5, pixels"}} {
		v, ok := r.metrics.Halves.Resolution[t.key]
		switch {
		case !ok:
			return f, fmt.Errorf("%s: metrics.json: half_sets: expected resolution %s, found none", r.dir, t.key)
		case v.Crossed:
			f.add(t.quantity, v.Pixels)
		default: // the curve stays above the threshold: only the pixel limits the resolution
			f.add(t.quantity, nyquist)
		}
	}
	return f, nil
}

// nyquist is the finest full period that pixels can show.
const nyquist = 2
