package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"ptycho/bench"
)

type benchCmd struct {
	Quick bool `help:"Rough figures in some seconds."`
	JSON  bool `name:"json" help:"Print the figures as JSON."`

	Mode          string  `help:"Measure ${enum}; all is everything." enum:"all,kernels,train,infer,latency" default:"all"`
	NFiltersScale int     `help:"Multiplies the number of filters." default:"2"`
	Workers       int     `help:"Parts of a batch computed at the same time; 0 is one a core." default:"0"`
	Seconds       float64 `help:"How long to measure a figure; 0 is 5, or with --quick 0.4." default:"0"`

	N         *int `name:"N" help:"Side of a frame, 64, 128 or 256; by default 64." placeholder:"INT" group:"With --mode train, infer or latency"`
	Gridsize  *int `help:"A group is gridsize² frames; by default 1." placeholder:"INT" group:"With --mode train, infer or latency"`
	BatchSize *int `help:"Groups in a batch; by default 16." placeholder:"INT" group:"With --mode train, infer or latency"`
}

// Run measures what the program can do on this machine.
func (c *benchCmd) Run(ctx context.Context, o *output) error {
	if err := c.check(); err != nil {
		return err
	}
	r, err := bench.Run(ctx, c.options(o))
	if err != nil {
		return err
	}
	o.clearBar()
	if c.JSON {
		e := json.NewEncoder(o.stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return printReport(o.stdout, r)
}

func (c *benchCmd) check() error {
	one := c.Mode != "all" && c.Mode != "kernels"
	for _, f := range []struct {
		name string
		v    *int
	}{{"N", c.N}, {"gridsize", c.Gridsize}, {"batch_size", c.BatchSize}, {"n_filters_scale", &c.NFiltersScale}} {
		switch {
		case f.v == nil:
		case *f.v < 1:
			return usagef("--%s %d: expected a positive number", f.name, *f.v)
		case !one && f.v != &c.NFiltersScale:
			return usagef("--%s is of one figure: give --mode train, infer or latency too", f.name)
		}
	}
	if c.Workers < 0 || !(c.Seconds >= 0 && c.Seconds <= 3600) {
		return usagef("--workers is expected not to be negative, --seconds to be between 0 and 3600")
	}
	return nil
}

// given returns what p points to, or the default.
func given(p *int, def int) int {
	if p == nil {
		return def
	}
	return *p
}

func (c *benchCmd) options(o *output) bench.Options {
	s, batch := 5.0, 16
	if c.Quick {
		s, batch = 0.4, 4
	}
	if c.Seconds > 0 {
		s = c.Seconds
	}
	opt := bench.Options{
		Kernels:  c.Mode == "all" || c.Mode == "kernels",
		Duration: time.Duration(s * float64(time.Second)),
		Progress: o.progress,
	}
	switch c.Mode {
	case "all":
		opt.Cases = bench.Standard(c.NFiltersScale, batch, c.Workers)
	case bench.Train, bench.Infer, bench.Latency:
		opt.Cases = []bench.Case{{Mode: c.Mode, N: given(c.N, 64), Gridsize: given(c.Gridsize, 1), Filters: c.NFiltersScale, Batch: given(c.BatchSize, 16), Workers: c.Workers}}
	}
	return opt
}

// printReport writes the figures as tables.
func printReport(w io.Writer, r *bench.Report) error {
	m := r.Machine
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "machine\t%s, %d cores, %s/%s\nkernel\t%s, %s\n", m.CPU, m.Cores, m.OS, m.Arch, m.Kernel, m.Go)
	if r.Peak > 0 {
		fmt.Fprintf(t, "peak\t%.0f GFLOP/s a core (fused multiply-adds, measured)\n", r.Peak)
	}
	if len(r.Kernels) > 0 {
		fmt.Fprint(t, "\non one core\ttime\tGFLOP/s\tof the peak\n")
	}
	for _, k := range r.Kernels {
		share := "–"
		if k.Share > 0 {
			share = fmt.Sprintf("%.0f %%", 100*k.Share)
		}
		fmt.Fprintf(t, "%s\t%s\t%.1f\t%s\n", k.Name, shortTime(k.Seconds), k.GFLOPS, share)
	}
	if len(r.Results) > 0 {
		fmt.Fprint(t, "\nnetwork\tpatterns/s\ta step\tworkers\tstart\n")
	}
	for _, c := range r.Results {
		fmt.Fprintf(t, "%s\t%.1f\t%s\t%d\t%s\n", c.Case, c.Patterns, shortTime(c.Step), c.Workers, shortTime(c.Start))
	}
	if r.Memory > 0 {
		fmt.Fprintf(t, "\npeak memory\t%d MB\n", r.Memory>>20)
	}
	return t.Flush()
}

// shortTime writes seconds with three digits.
func shortTime(s float64) string {
	switch {
	case s < 1e-3:
		return fmt.Sprintf("%.3g µs", s*1e6)
	case s < 1:
		return fmt.Sprintf("%.3g ms", s*1e3)
	}
	return fmt.Sprintf("%.3g s", s)
}
