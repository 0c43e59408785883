package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"ptycho/data"
	"ptycho/simulate"
)

type simulateCmd struct {
	InputFile  string  `help:"NPZ file whose probe, object and positions are used, as far as it has them." placeholder:"NPZ"`
	OutputFile string  `help:"File to write." required:"" placeholder:"NPZ"`
	N          int     `name:"N" help:"Side of a frame in pixels: by default that of the probe, else 64." placeholder:"INT"`
	Object     string  `help:"file, lines, grf (Gaussian random field), deadleaves or siemens. By default the input file's, else lines." enum:",file,lines,grf,deadleaves,siemens" default:"" placeholder:"NAME"`
	ObjectSize int     `help:"Side of a synthetic object in pixels; by default as large as the scan needs." placeholder:"INT"`
	Scan       string  `help:"file, raster (with jitter), spiral (Fermat) or random. By default the input file's, else spiral." enum:",file,raster,spiral,random" default:"" placeholder:"NAME"`
	NImages    int     `name:"n-images" aliases:"frames" help:"Number of frames: by default those of the scan in the input file, else 500." placeholder:"INT"`
	Step       float64 `help:"Pitch of the scan in object pixels; by default 0.3 of the probe's diameter." placeholder:"FLOAT"`
	Jitter     float64 `help:"Random displacement as a fraction of the step; negative for none. By default 0.25 on a raster." placeholder:"FLOAT"`
	NPhotons   float64 `name:"nphotons" aliases:"n-photons" help:"Mean photons in a frame." default:"1e9"`
	Noise      bool    `help:"Poisson noise." default:"true" negatable:""`
	ProbeModes int     `help:"Incoherent modes of a synthetic probe; by default 1." placeholder:"INT"`
	ProbeSize  float64 `help:"Diameter of a synthetic probe in pixels; by default 0.36·N." placeholder:"FLOAT"`
	Defocus    float64 `help:"Curvature of a synthetic probe: its phase at the rim in units of π. By default 0.21 times the radius in pixels." placeholder:"FLOAT"`
	Seed       uint64  `help:"Determines object, positions and photons." default:"42"`
	Workers    int     `help:"Frames computed at a time; does not change them. 0 is one a core." default:"0"`
	Domain     string  `help:"Write ${enum}." enum:"counts,amplitude" default:"amplitude"`
	Layout     string  `help:"Axes of the frames: nhw, or the legacy hwn in float64 (${enum})." enum:"nhw,hwn" default:"nhw"`
	Config     string  `help:"YAML or JSON file with flag names as keys; flags win." placeholder:"FILE"`

	outputFlags `embed:""`
}

// Run simulates and writes a scan.
func (c *simulateCmd) Run(ctx context.Context, o *output) error {
	o.setup(c.outputFlags)
	opt := simulate.Options{
		N: c.N, Object: c.Object, ObjectSize: c.ObjectSize, Scan: c.Scan, Frames: c.NImages, Step: c.Step, Jitter: c.Jitter,
		NPhotons: c.NPhotons, Noise: c.Noise, Seed: c.Seed, Workers: c.Workers,
		Probe: simulate.ProbeOptions{Diameter: c.ProbeSize, Defocus: c.Defocus, Modes: c.ProbeModes},
	}
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
	if err := writable(filepath.Dir(c.OutputFile)); err != nil {
		return err
	}
	ds, err := simulate.Run(ctx, opt)
	if err != nil {
		return err
	}
	ds.Metadata.Generator = "ptycho " + version
	if err := data.Save(c.OutputFile, ds, data.SaveOptions{Domain: c.Domain, Layout: c.Layout}); err != nil {
		return err
	}
	o.info("", "wrote", c.OutputFile, "frames", ds.Len(), "N", ds.N, "photons a frame", ds.Dose,
		"object", fmt.Sprintf("%d×%d", ds.Object.Rows, ds.Object.Cols), "overlap", fmt.Sprintf("%.0f %%", 100*simulate.Overlap(ds)))
	for _, n := range ds.Notes {
		o.info(n)
	}
	return nil
}
