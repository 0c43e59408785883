package main

import "context"

// memory refines a scan of which not everything fits into the memory that is given. Its frames alone are 655 MB as float32.
func memory(ctx context.Context, p *program) (f figures, err error) {
	scan := p.path("big.npz")
	_, simulation, err := p.command(ctx, "simulate", "--output_file", scan, "--N", "128", "--n_images", "10000", "--object", "deadleaves", "--scan", "spiral",
		"--step", "8", "--nphotons", "1e6", "--domain", "counts")
	if err != nil {
		return f, err
	}
	r, err := p.reconstruct(ctx, "refine", "memory", scan, "--memory", "1GiB", "--iterations", "10")
	if err != nil {
		return f, err
	}
	f.add("peak memory, GiB", r.run.PeakMemory/(1<<30))
	f.add("frames", r.run.Results.Frames)
	f.add(total, r.total)
	f.add("simulation, s", simulation)
	return f, nil
}
