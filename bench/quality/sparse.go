package main

import (
	"context"
	"fmt"
	"math"
	"math/cmplx"
	"strconv"

	"ptycho/data"
	"ptycho/fft"
)

// sparse starts on a scan with little overlap and a wrong probe. The network has the true frames, and the wrong probe, too.
func sparse(ctx context.Context, p *program) (f figures, err error) {
	whole, err := p.run1084(ctx, 1e9)
	if err != nil {
		return f, err
	}
	scan, err := p.altered("sparse.npz", whole, func(ds *data.Dataset) (*data.Dataset, error) {
		var every []int
		for i := 0; i < ds.Len(); i += 4 {
			every = append(every, i)
		}
		s := ds.Select(every)
		c := curvature(s.Probe[:s.N*s.N], s.N)
		f.add("curvature of the true probe's far field, rad/pixel²", c)
		s.Probe = defocused(s.Probe[:s.N*s.N], s.N, 0.2*c)
		s.Modes = 1
		return s, nil
	})
	if err != nil {
		return f, err
	}
	net, training, err := p.train(ctx, "sparse-net", scan, "--nepochs", "60", "--n_filters_scale", "1")
	if err != nil {
		return f, err
	}
	_, alone, err := p.distance(ctx, "infer", "sparse-alone", scan, "--model_path", net)
	if err != nil {
		return f, err
	}
	f.add("E of the network alone", alone)
	f.add("training, s", training)
	f.table = &table{title: "E on the sparse scan", header: []string{"sweeps", "from a flat object", "from the network", "the network is ahead by"}}
	for _, sweeps := range []int{3, 5, 10, 20, 50} {
		n := strconv.Itoa(sweeps)
		_, flat, err := p.distance(ctx, "refine", "sparse-flat-"+n, scan, "--fit_probe=true", "--iterations", n)
		if err != nil {
			return f, err
		}
		_, warm, err := p.distance(ctx, "refine", "sparse-network-"+n, scan, "--fit_probe=true", "--iterations", n, "--model_path", net)
		if err != nil {
			return f, err
		}
		ahead := 100 * (1 - warm/flat)
		f.table.rows = append(f.table.rows, []string{n, number(flat), number(warm), fmt.Sprintf("%.0f %%", ahead)})
		f.add(fmt.Sprintf("network ahead after %d sweeps, %%", sweeps), ahead)
	}
	return f, nil
}

// defocused returns a probe with the phase c·q² added to its far field, q in pixels.
func defocused(probe []complex64, n int, c float64) []complex64 {
	v := farField(probe, n)
	bend(v, n, c)
	fft.NewDouble(n, n).Inverse(v)
	out := make([]complex64, n*n)
	for i, z := range v {
		out[i] = complex64(z)
	}
	return out
}

// curvature returns the c, rad/pixel², for which the far field of a probe without its phase c·q² has the sharpest focus, the largest Σ|P|⁴.
func curvature(probe []complex64, n int) float64 {
	far, plan := farField(probe, n), fft.NewDouble(n, n)
	v := make([]complex128, n*n)
	const most, steps = 0.05, 1000
	var best, c float64
	for k := -steps; k <= steps; k++ {
		try := most * float64(k) / steps
		copy(v, far)
		bend(v, n, -try)
		plan.Inverse(v)
		var sharp float64
		for _, z := range v {
			power := real(z)*real(z) + imag(z)*imag(z)
			sharp += power * power
		}
		if sharp > best {
			best, c = sharp, try
		}
	}
	return c
}

func farField(probe []complex64, n int) []complex128 {
	v := make([]complex128, n*n)
	for i, z := range probe {
		v[i] = complex128(z)
	}
	fft.NewDouble(n, n).Forward(v)
	return v
}

// bend multiplies a far field, DC at [0, 0], by exp(i·c·q²).
func bend(v []complex128, n int, c float64) {
	frequency := func(k int) float64 {
		if k >= n/2 {
			k -= n
		}
		return float64(k)
	}
	for i := range v {
		y, x := frequency(i/n), frequency(i%n)
		v[i] *= cmplx.Rect(1, math.Mod(c*(y*y+x*x), 2*math.Pi))
	}
}
