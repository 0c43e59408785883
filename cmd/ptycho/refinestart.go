package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"ptycho/data"
	"ptycho/model"
	"ptycho/physics"
	"ptycho/recon"
	"ptycho/refine"
)

// start collects where the refinement begins.
func (c *refineCmd) start(ctx context.Context, o *output, ds *data.Dataset, note func(string)) (refine.Start, error) {
	s := refine.Start{Probe: ds.Probe, Modes: ds.Modes, X: ds.X, Y: ds.Y}
	var r *recon.Reconstruction
	var err error
	switch {
	case c.ModelPath != "":
		r, err = c.infer(ctx, o, ds)
	case c.Init != "":
		if r, err = recon.Load(c.Init); err == nil && slices.Equal(r.XStart, ds.X) && slices.Equal(r.YStart, ds.Y) {
			s.X, s.Y = r.X, r.Y
			note("the start's corrected positions are used")
		}
	default:
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Object, s.Origin = r.Object, r.Origin
	if c.Probe == "file" || c.Probe == "estimate" {
		return s, nil
	}
	if r.N != ds.N {
		return s, fmt.Errorf("%s: probe: expected %d×%d pixels like the frames, found %d×%d; give --probe file", c.Init, ds.N, ds.N, r.N, r.N)
	}
	s.Probe, s.Modes = r.Probe, r.Modes
	return s, nil
}

// infer reconstructs the scan with the network.
func (c *refineCmd) infer(ctx context.Context, o *output, ds *data.Dataset) (*recon.Reconstruction, error) {
	path, err := model.Resolve(c.ModelPath)
	if err != nil {
		return nil, err
	}
	net, _, err := model.Load(path)
	if err != nil {
		return nil, err
	}
	o.info("", "model", path, "N", net.Config.N, "gridsize", net.Config.Gridsize)
	return recon.Infer(ctx, net, ds, recon.Options{
		Seed: c.Seed, Workers: c.Workers,
		Progress: func(done, total int) { o.progress(done, total, "inference") },
	})
}

// fitsProbe decides whether the probe is fitted.
func (c *refineCmd) fitsProbe(n int, frames *data.Compact, s refine.Start, note func(string)) (bool, error) {
	if c.FitProbe != nil {
		return *c.FitProbe, nil
	}
	if c.Probe == "estimate" || c.ProbeModes > s.Modes {
		return true, nil
	}
	p, err := physics.NewProbe(s.Probe, n, s.Modes, 0, false)
	if err != nil {
		return false, err
	}
	mean, err := refine.MeanFrame(frames, n)
	if err != nil {
		return false, err
	}
	for i, v := range mean {
		mean[i] = math.Max(v, 0)
	}
	m := p.Mismatch(mean)
	if m > physics.TrustedMismatch {
		note(fmt.Sprintf("the far field of the probe differs from the mean frame by %.0f %%: it is fitted; keep it with --fit-probe=false", 100*m))
	}
	return m > physics.TrustedMismatch, nil
}
