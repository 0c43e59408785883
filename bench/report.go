package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/klauspost/cpuid/v2"

	"ptycho/internal/kernel"
	"ptycho/internal/usage"
)

// Machine is what figures were measured on.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"` // that the program may use
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	Go     string `json:"go"`
	Kernel string `json:"kernel"`
}

// Report is all that was measured.
type Report struct {
	Machine Machine  `json:"machine"`
	Peak    float64  `json:"peak_gflops,omitempty"` // fused multiply-adds of one core, measured; 0 where it is unknown
	Kernels []Kernel `json:"kernels,omitempty"`     // on one core
	Results []Result `json:"results,omitempty"`
	Memory  int64    `json:"peak_rss_bytes"` // of the whole process; 0 where the system does not tell
}

// Options says what to measure.
type Options struct {
	Kernels  bool
	Cases    []Case
	Duration time.Duration                      // about how long every figure of a network is measured
	Progress func(done, total int, what string) // told what is measured next; may be nil
}

// Standard lists the cases that describe a machine.
func Standard(filters, batch, workers int) []Case {
	var cases []Case
	for _, mode := range []string{Train, Infer, Latency} {
		for _, size := range [][2]int{{64, 1}, {64, 2}, {128, 1}} {
			cases = append(cases, Case{Mode: mode, N: size[0], Gridsize: size[1], Filters: filters, Batch: batch, Workers: workers})
		}
	}
	return cases
}

// Run measures. It stops between two figures when ctx ends.
func Run(ctx context.Context, opt Options) (*Report, error) {
	r := &Report{Machine: Machine{
		CPU: cpuid.CPU.BrandName, Cores: runtime.GOMAXPROCS(0), OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(), Kernel: kernel.Name(),
	}}
	if opt.Progress == nil {
		opt.Progress = func(int, int, string) {}
	}
	if opt.Kernels {
		opt.Progress(0, len(opt.Cases)+1, "kernels")
		var err error
		r.Peak = Peak(opt.Duration / 10)
		if r.Kernels, err = Kernels(opt.Duration/20, r.Peak); err != nil {
			return nil, err
		}
	}
	for i, c := range opt.Cases {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		opt.Progress(i+1, len(opt.Cases)+1, c.String())
		res, err := Measure(ctx, c, opt.Duration)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c, err)
		}
		r.Results = append(r.Results, res)
	}
	r.Memory = usage.Now().Peak
	return r, nil
}
