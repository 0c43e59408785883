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
func (c *refineCmd) start(ctx context.Context, o *output, network string, ds *data.Dataset, note func(string)) (refine.Start, error) {
	s := refine.Start{Probe: ds.Probe, Modes: ds.Modes, X: ds.X, Y: ds.Y}
	var r *recon.Reconstruction
	var err error
	switch {
	case c.ModelPath != "":
		r, err = c.infer(ctx, o, network, ds)
	case c.Init != "":
		if r, err = recon.Load(c.Init); err == nil {
			err = checkStart(c.Init, r, ds)
		}
		if err == nil && slices.Equal(r.XStart, ds.X) && slices.Equal(r.YStart, ds.Y) {
			s.X, s.Y = r.X, r.Y
			note("the start's corrected positions are used")
		}
		if err == nil && (r.Gain != nil || r.Background != nil) {
			note("gains and background of the start are not used: they are fitted anew if that is asked for")
		}
	default:
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Object, s.Origin = r.Object, r.Origin
	if c.ModelPath != "" {
		s.Object = refine.NetworkStart(r, s.X, s.Y).Object
	}
	if c.Probe == "file" || c.Probe == "estimate" {
		return s, nil
	}
	if r.N != ds.N {
		return s, fmt.Errorf("%s: probe: expected %d×%d pixels like the frames, found %d×%d; give --probe file", c.Init, ds.N, ds.N, r.N, r.N)
	}
	s.Probe, s.Modes = r.Probe, r.Modes
	return s, nil
}

// checkStart reports what makes a reconstruction no start for a scan.
func checkStart(path string, r *recon.Reconstruction, ds *data.Dataset) error {
	for _, v := range []struct {
		key    string
		values []complex64
	}{{"object", r.Object.Pix}, {"probe", r.Probe}} {
		power := 0.0
		for _, z := range v.values {
			power += float64(real(z))*float64(real(z)) + float64(imag(z))*float64(imag(z))
		}
		if !(power > 0) || math.IsInf(power, 0) {
			return fmt.Errorf("%s: %s: expected finite values that are not all zero, found a sum of squares of %g; give another start", path, v.key, power)
		}
	}
	row, col, half := int(r.Origin[0]), int(r.Origin[1]), float64(ds.N)/2
	meets := func(from, size int, at []float64) bool {
		return float64(from) < slices.Max(at)+half && float64(from+size) > slices.Min(at)-half
	}
	if !meets(row, r.Object.Rows, ds.Y) || !meets(col, r.Object.Cols, ds.X) {
		return fmt.Errorf("%s: object: expected one that this scan shows, found %d×%d pixels from row %d, column %d on, where it has no frame; give a start from the same scan",
			path, r.Object.Rows, r.Object.Cols, row, col)
	}
	return nil
}

// network returns the checkpoint of the network to start from, if any.
func (c *refineCmd) network() (string, error) {
	if c.ModelPath == "" {
		return "", nil
	}
	return model.Resolve(c.ModelPath)
}

// infer reconstructs the scan with the network in a file.
func (c *refineCmd) infer(ctx context.Context, o *output, path string, ds *data.Dataset) (*recon.Reconstruction, error) {
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
	m := p.Mismatch(mean)
	if m > physics.TrustedMismatch {
		note(fmt.Sprintf("the far field of the probe differs from the mean frame by %.0f %%: it is fitted; keep it with --fit-probe=false", 100*m))
	}
	return m > physics.TrustedMismatch, nil
}
