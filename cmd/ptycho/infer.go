package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"ptycho/model"
	"ptycho/recon"
)

type inferCmd struct {
	ModelPath string `help:"Run directory of ptycho train, or a checkpoint file." required:"" placeholder:"PATH"`
	TestData  string `help:"Scan to reconstruct." required:"" placeholder:"NPZ"`
	OutputDir string `help:"Where to write the reconstruction." default:"inference_outputs" placeholder:"DIR"`
	Config    string `help:"YAML or JSON file with flag names as keys; flags win." placeholder:"FILE"`

	NGroups        int      `name:"n-groups" aliases:"n-images" help:"Groups to reconstruct from, chosen at random; by default one for every frame." placeholder:"INT" group:"Inference"`
	SubsampleSeed  uint64   `help:"Determines the frames and groups chosen." default:"42" group:"Inference"`
	BatchSize      int      `help:"Groups that a worker takes at a time." default:"16" group:"Inference"`
	Workers        int      `help:"Does not change the result. 0 is one a core." default:"0" group:"Inference"`
	Stitch         string   `help:"How patches are put together: probe, weighted with its power, or tf, the plain mean of their central 20×20 pixels (${enum})." enum:"probe,tf" default:"probe" group:"Inference"`
	SavePatches    bool     `help:"Also save the patches that the network predicts." group:"Inference"`
	PhaseVmin      *float64 `help:"Lower end of the phase picture, rad." placeholder:"FLOAT" group:"Pictures"`
	PhaseVmax      *float64 `help:"Upper end of the phase picture, rad." placeholder:"FLOAT" group:"Pictures"`
	ComparisonPlot bool     `help:"Also draw reconstruction and known object side by side." group:"Pictures"`
	Device         string   `help:"Accepted for old scripts: this program computes on the CPU." default:"cpu" hidden:""`

	frameFlags  `embed:""`
	dataFlags   `embed:""`
	outputFlags `embed:""`
}

// Run reconstructs an object.
func (c *inferCmd) Run(ctx context.Context, o *output) error {
	o.setup(c.outputFlags)
	rec := newRunRecord("infer", o)
	if c.NGroups < 0 || c.NSubsample < 0 || c.BatchSize < 1 || c.Workers < 0 {
		return usagef("--n-groups, --n-subsample and --workers are expected not to be negative, --batch-size at least 1")
	}
	if low, high := c.PhaseVmin, c.PhaseVmax; low != nil && high != nil && !(*low < *high) {
		return usagef("--phase_vmin %g and --phase_vmax %g: expected the first to be the smaller one", *low, *high)
	}
	checkDevice(o, c.Device)
	path, err := model.Resolve(c.ModelPath)
	if err != nil {
		return err
	}
	net, _, err := model.Load(path)
	if err != nil {
		return err
	}
	rec.Config.Model = &net.Config
	o.info("", "model", path, "N", net.Config.N, "gridsize", net.Config.Gridsize)
	ds, err := c.stream(o, c.TestData)
	if err != nil {
		return err
	}
	defer ds.Close()
	if err := writable(c.OutputDir); err != nil {
		return err
	}
	if err := rec.inputs(path, c.TestData); err != nil {
		return err
	}
	start, all := time.Now(), ds.Len()
	ds = c.subsample(ds, c.NGroups, c.SubsampleSeed)
	var notes []string
	if c.NGroups > ds.Len() {
		notes = append(notes, fmt.Sprintf("--n_images %d: every group has a first frame of its own and there are %d frames", c.NGroups, ds.Len()))
	}
	r, err := recon.Infer(ctx, net, ds, recon.Options{
		NGroups: min(c.NGroups, ds.Len()), Seed: c.SubsampleSeed, Stitch: c.Stitch, Workers: c.Workers, Batch: c.BatchSize, Patches: c.SavePatches,
		Progress: func(done, total int) { o.progress(done, total, "inference") },
	})
	if err != nil {
		return err
	}
	seconds := time.Since(start).Seconds()
	o.info("", "groups", r.Groups, "frames", fmt.Sprintf("%d of %d", r.Frames, all), "object", fmt.Sprintf("%d×%d", r.Object.Rows, r.Object.Cols),
		"patterns/s", math.Round(float64(r.Groups*net.Config.Channels())/seconds))
	rec.Notes = append(notes, r.Notes...)
	for _, n := range rec.Notes {
		o.info(n)
	}
	if err := c.write(r, c.score(o, r, ds)); err != nil {
		return err
	}
	rec.Results = map[string]any{"groups": r.Groups, "frames": r.Frames, "seconds": seconds}
	o.info("", "wrote", filepath.Join(c.OutputDir, recon.ReconstructionFile))
	return rec.write(c.OutputDir)
}
