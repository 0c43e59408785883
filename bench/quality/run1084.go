package main

import (
	"context"
	"fmt"
	"path/filepath"
)

func run1084Flat(ctx context.Context, p *program) (f figures, err error) {
	scan, err := p.run1084(ctx, 1e9)
	if err != nil {
		return f, err
	}
	short, e, err := p.distance(ctx, "refine", "run1084-short", scan, "--iterations", "16")
	if err != nil {
		return f, err
	}
	f.add("E after 16 sweeps", e)
	f.add("16 sweeps, s", short.run.Results.Seconds)
	whole, e, err := p.distance(ctx, "refine", "run1084-flat", scan, "--comparison_plot")
	if err != nil {
		return f, err
	}
	f.add(distance, e)
	f.add(aSweep, whole.run.Results.Sweep)
	f.pictures = []picture{{"run1084.png", filepath.Join(whole.dir, "comparison_plot.png"), "Run 1084 at 1e9 photons, refined from a flat object, beside the known object"}}
	return f, nil
}

func run1084Network(ctx context.Context, p *program) (f figures, err error) {
	scan, err := p.run1084(ctx, 1e9)
	if err != nil {
		return f, err
	}
	net, training, err := p.train(ctx, "run1084-net", scan, "--n_images", "512", "--nepochs", "50")
	if err != nil {
		return f, err
	}
	_, alone, err := p.distance(ctx, "infer", "run1084-alone", scan, "--model_path", net)
	if err != nil {
		return f, err
	}
	r, e, err := p.distance(ctx, "infer", "run1084-network", scan, "--model_path", net, "--refine", "20")
	if err != nil {
		return f, err
	}
	_, flat, err := p.distance(ctx, "refine", "run1084-as-short", scan, "--iterations", "20")
	if err != nil {
		return f, err
	}
	f.add(distance, e)
	f.add("E of the network alone", alone)
	f.add("E from flat after as many sweeps", flat)
	f.add("training, s", training)
	f.add("infer --refine, s", r.total)
	return f, nil
}

// The bounds of what few photons show. Another seed of a network changes E by about a hundredth.
var dimMust = []bound{atMost("E over that from flat", 1.01), atMost("E over that of the network", 1)}

// dim returns the case of Run 1084 with few photons.
func dim(photons float64) func(context.Context, *program) (figures, error) {
	return func(ctx context.Context, p *program) (f figures, err error) {
		scan, err := p.run1084(ctx, photons)
		if err != nil {
			return f, err
		}
		name := fmt.Sprintf("run1084-%.0e-", photons)
		net, _, err := p.train(ctx, name+"net", scan, "--n_images", "512", "--nepochs", "30", "--n_filters_scale", "1")
		if err != nil {
			return f, err
		}
		e := map[string]float64{}
		for _, s := range []struct {
			start, command string
			args           []string
		}{
			{"network", "infer", []string{"--model_path", net}},
			{"held", "infer", []string{"--model_path", net, "--refine", "50", "--holdout", "0.05"}},
			{"refined", "infer", []string{"--model_path", net, "--refine", "50"}},
			{"flat", "refine", []string{"--iterations", "50"}},
		} {
			if _, e[s.start], err = p.distance(ctx, s.command, name+s.start, scan, s.args...); err != nil {
				return f, err
			}
		}
		f.add("E from the network", e["refined"])
		f.add("E from the network with a twentieth of the pixels held out", e["held"])
		f.add("E from flat", e["flat"])
		f.add("E of the network alone", e["network"])
		f.add("E over that from flat", e["refined"]/e["flat"])
		f.add("E over that of the network", e["refined"]/e["network"])
		return f, nil
	}
}
