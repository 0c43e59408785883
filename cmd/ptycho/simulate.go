package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"ptycho/data"
	"ptycho/simulate"
)

type simulateCmd struct {
	InputFile  string   `help:"NPZ file whose probe, object and positions are used, as far as it has them." placeholder:"NPZ"`
	OutputFile string   `help:"File to write." required:"" placeholder:"NPZ"`
	N          *int     `name:"N" help:"Side of a frame in pixels: by default that of the probe, else 64." placeholder:"INT"`
	Object     string   `help:"file, lines, grf (Gaussian random field), deadleaves or siemens. By default the input file's, else lines." enum:",file,lines,grf,deadleaves,siemens" default:"" placeholder:"NAME"`
	ObjectSize *int     `help:"Side of a synthetic object in pixels; by default as large as the scan needs." placeholder:"INT"`
	Scan       string   `help:"file, raster (with jitter), spiral (Fermat) or random. By default the input file's, else spiral." enum:",file,raster,spiral,random" default:"" placeholder:"NAME"`
	NImages    *int     `name:"n-images" aliases:"frames" help:"Number of frames: by default those of the scan in the input file, else 500." placeholder:"INT"`
	Step       *float64 `help:"Pitch of the scan in object pixels; by default 0.3 of the probe's diameter." placeholder:"FLOAT"`
	Jitter     *float64 `help:"Random displacement as a fraction of the step; 0 for none. By default 0.25 on a raster." placeholder:"FLOAT"`
	NPhotons   float64  `name:"nphotons" aliases:"n-photons" help:"Mean photons in a frame." default:"1e9"`
	Noise      bool     `help:"Poisson noise." default:"true" negatable:""`
	ProbeModes *int     `help:"Incoherent modes of a synthetic probe; by default 1." placeholder:"INT"`
	ProbeSize  *float64 `help:"Diameter of a synthetic probe in pixels; by default 0.36·N." placeholder:"FLOAT"`
	Defocus    *float64 `help:"Curvature of a synthetic probe: its phase at the rim in units of π. By default 0.21 times the radius in pixels." placeholder:"FLOAT"`
	Seed       uint64   `help:"Determines object, positions and photons." default:"42"`
	Workers    int      `help:"Frames computed at a time; does not change them. 0 is one a core." default:"0"`
	Domain     string   `help:"Write ${enum}." enum:"counts,amplitude" default:"amplitude"`
	Layout     string   `help:"Axes of the frames: nhw, or the legacy hwn in float64 (${enum})." enum:"nhw,hwn" default:"nhw"`
	Config     string   `help:"YAML or JSON file with flag names as keys; flags win." placeholder:"FILE"`

	outputFlags `embed:""`
}

// Run simulates and writes a scan.
func (c *simulateCmd) Run(ctx context.Context, o *output) error {
	o.setup(c.outputFlags)
	opt := c.options()
	if c.InputFile != "" {
		in, err1 := os.Stat(c.InputFile)
		out, err2 := os.Stat(c.OutputFile)
		if err1 == nil && err2 == nil && os.SameFile(in, out) {
			return usagef("--output-file %s is the input file: expected another name, so that no scan is lost", c.OutputFile)
		}
		setup, err := data.LoadSetup(c.InputFile, data.LoadOptions{})
		if err != nil {
			return err
		}
		opt.Setup = setup
	}
	if err := c.check(opt); err != nil {
		return err
	}
	if err := writable(filepath.Dir(c.OutputFile)); err != nil {
		return err
	}
	ds, err := simulate.Run(ctx, opt)
	if err != nil && c.InputFile == "" {
		return usageError{err} // there is nothing else that could be wrong
	}
	if err != nil {
		return err
	}
	ds.Metadata.Generator = "ptycho " + version
	if err := data.Save(c.OutputFile, ds, data.SaveOptions{Domain: c.Domain, Layout: c.Layout}); err != nil {
		return err
	}
	o.info("", "wrote", c.OutputFile, "frames", ds.Len(), "N", ds.N, "photons a frame", ds.Dose,
		"object", fmt.Sprintf("%d×%d", ds.Object.Rows, ds.Object.Cols), "overlap", fmt.Sprintf("%.0f %%", 100*ds.Overlap()))
	for _, n := range ds.Notes {
		o.info(n)
	}
	return nil
}

// options translates the flags; those that are not given are left at zero, their default.
func (c *simulateCmd) options() simulate.Options {
	opt := simulate.Options{
		N: value(c.N), Object: c.Object, ObjectSize: value(c.ObjectSize), Scan: c.Scan, Frames: value(c.NImages), Step: value(c.Step), Jitter: value(c.Jitter),
		NPhotons: c.NPhotons, Noise: c.Noise, Seed: c.Seed, Workers: c.Workers,
		Probe: simulate.ProbeOptions{Diameter: value(c.ProbeSize), Defocus: value(c.Defocus), Modes: value(c.ProbeModes)},
	}
	if c.Jitter != nil && *c.Jitter == 0 {
		opt.Jitter = -1
	}
	if c.Defocus != nil && *c.Defocus == 0 {
		opt.Probe.Defocus = math.SmallestNonzeroFloat64
	}
	return opt
}

// check reports all that is wrong with the flags, zeros included that would pass for a default.
func (c *simulateCmd) check(opt simulate.Options) error {
	var errs []error
	zero := func(name string, is bool) {
		if is {
			errs = append(errs, fmt.Errorf("%s 0 is not positive; leave it out for the default", name))
		}
	}
	zero("N", isZero(c.N))
	zero("object_size", isZero(c.ObjectSize))
	zero("n_images", isZero(c.NImages))
	zero("step", isZero(c.Step))
	zero("nphotons", isZero(&c.NPhotons))
	zero("probe_modes", isZero(c.ProbeModes))
	zero("probe_size", isZero(c.ProbeSize))
	if err := errors.Join(append(errs, opt.Validate())...); err != nil {
		return usageError{fmt.Errorf("%w\nsee ptycho simulate --help", err)}
	}
	return nil
}

func isZero[T int | float64](p *T) bool { return p != nil && *p == 0 }

// value returns what p points to, zero for nil.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
