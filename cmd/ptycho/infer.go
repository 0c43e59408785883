package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"ptycho/data"
	"ptycho/metrics"
	"ptycho/model"
	"ptycho/recon"
)

type inferCmd struct {
	ModelPath string `help:"Run directory of ptycho train, or a checkpoint file." required:"" placeholder:"PATH"`
	TestData  string `help:"Scan to reconstruct." required:"" placeholder:"NPZ"`
	OutputDir string `help:"Where to write the reconstruction." default:"inference_outputs" placeholder:"DIR"`
	Config    string `help:"YAML or JSON file with flag names as keys; flags win." placeholder:"FILE"`

	NGroups        int      `name:"n-groups" aliases:"n-images" help:"Groups to reconstruct from, chosen at random; by default one for every frame." placeholder:"INT" group:"Inference"`
	NSubsample     int      `name:"n-subsample" help:"Use only so many frames of the file, chosen at random." placeholder:"INT" group:"Inference"`
	SubsampleSeed  uint64   `help:"Determines the frames and groups chosen." default:"42" group:"Inference"`
	BatchSize      int      `aliases:"inference-batch-size" help:"Groups that a worker takes at a time." default:"16" group:"Inference"`
	Workers        int      `aliases:"num-workers" help:"Does not change the result. 0 is one a core." default:"0" group:"Inference"`
	Stitch         string   `help:"How patches are put together: probe, weighted with its power, or tf, the plain mean of their central 20×20 pixels (${enum})." enum:"probe,tf" default:"probe" group:"Inference"`
	SavePatches    bool     `help:"Also save the patches that the network predicts." group:"Inference"`
	PhaseVmin      *float64 `help:"Lower end of the phase picture, rad." placeholder:"FLOAT" group:"Pictures"`
	PhaseVmax      *float64 `help:"Upper end of the phase picture, rad." placeholder:"FLOAT" group:"Pictures"`
	ComparisonPlot bool     `help:"Also draw reconstruction and known object side by side." group:"Pictures"`
	Device         string   `aliases:"accelerator" help:"Accepted for old scripts: this program computes on the CPU." default:"cpu" hidden:""`

	ignoredFlags `embed:""`
	dataFlags    `embed:""`
	outputFlags  `embed:""`
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
	ds, err := c.load(o, c.TestData, 0)
	if err != nil {
		return err
	}
	if err := writable(c.OutputDir); err != nil {
		return err
	}
	if err := rec.inputs(path, c.TestData); err != nil {
		return err
	}
	start, all := time.Now(), ds.Len()
	ds = subsample(ds, c.NSubsample, c.SubsampleSeed)
	r, err := recon.Infer(ctx, net, ds, recon.Options{
		NGroups: c.NGroups, Seed: c.SubsampleSeed, Stitch: c.Stitch, Workers: c.Workers, Batch: c.BatchSize, Patches: c.SavePatches,
		Progress: func(done, total int) { o.progress(done, total, "inference") },
	})
	if err != nil {
		return err
	}
	seconds := time.Since(start).Seconds()
	o.info("", "groups", r.Groups, "frames", fmt.Sprintf("%d of %d", r.Frames, all), "object", fmt.Sprintf("%d×%d", r.Object.Rows, r.Object.Cols),
		"patterns/s", math.Round(float64(r.Groups*net.Config.Channels())/seconds))
	for _, n := range r.Notes {
		o.info(n)
	}
	rec.Notes = r.Notes
	scores, err := c.score(o, r, ds)
	if err != nil {
		return err
	}
	if err := c.write(r, ds, scores); err != nil {
		return err
	}
	rec.Results = map[string]any{"groups": r.Groups, "frames": r.Frames, "seconds": seconds}
	o.info("", "wrote", filepath.Join(c.OutputDir, recon.ReconstructionFile))
	return rec.write(c.OutputDir)
}

// scores are the contents of metrics.json: the reconstruction against the known object inside the scan.
type scores struct {
	Box           recon.Box      `json:"box"` // in object pixels
	Gauge         metrics.Scores `json:"gauge"`
	GaugeAndPlane metrics.Scores `json:"gauge_and_plane"`
}

// score compares with the known object, if there is one, and warns of a flat reconstruction.
func (c *inferCmd) score(o *output, r *recon.Reconstruction, ds *data.Dataset) (*scores, error) {
	b, img := r.ScanBox()
	if s := metrics.Spread(img); s < 1e-3 {
		o.warn(fmt.Sprintf("the object is flat: its amplitude varies by %.2g of its mean; the training has collapsed, try another --seed", s))
	}
	if ds.Object == nil {
		return nil, nil
	}
	rec, truth, b, err := r.Overlay(ds.Object, b)
	if err != nil {
		o.warn("no comparison with the known object: " + err.Error())
		return nil, nil
	}
	s := &scores{Box: b}
	var errs [2]error
	s.Gauge, errs[0] = metrics.Compare(rec, truth, metrics.Options{})
	s.GaugeAndPlane, errs[1] = metrics.Compare(rec, truth, metrics.Options{RemovePlane: true})
	if err := errors.Join(errs[:]...); err != nil {
		o.warn("no comparison with the known object: " + err.Error())
		return nil, nil
	}
	g := s.GaugeAndPlane
	o.info("against the known object", "E", g.E, "phase SSIM", g.PhaseSSIM, "amplitude SSIM", g.AmpSSIM, "phase MAE", g.PhaseMAE)
	return s, nil
}
