package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"ptycho/data"
	"ptycho/model"
	"ptycho/recon"
	"ptycho/refine"
)

type inferCmd struct {
	ModelPath string `help:"Run directory of ptycho train, or a checkpoint file." required:"" placeholder:"PATH"`
	TestData  string `help:"Scan to reconstruct." required:"" placeholder:"NPZ"`
	OutputDir string `help:"Where to write the reconstruction." default:"inference_outputs" placeholder:"DIR"`
	Config    string `help:"YAML or JSON file with flag names as keys; flags win." placeholder:"FILE"`

	NGroups       int     `name:"n-groups" aliases:"n-images" help:"Groups to reconstruct from, chosen at random; by default one for every frame." placeholder:"INT" group:"Inference"`
	SubsampleSeed uint64  `help:"Determines the frames and groups chosen." default:"42" group:"Inference"`
	BatchSize     int     `help:"Groups that a worker takes at a time." default:"16" group:"Inference"`
	Workers       int     `help:"Does not change the result. 0 is one a core." default:"0" group:"Inference"`
	Stitch        string  `help:"How patches are put together: probe, weighted with its power, or tf, the plain mean of their central 20×20 pixels (${enum})." enum:"probe,tf" default:"probe" group:"Inference"`
	SavePatches   bool    `help:"Also save the patches that the network predicts." group:"Inference"`
	Refine        int     `help:"Then refine the object by so many sweeps over all frames; see ptycho refine for more." default:"0" placeholder:"INT" group:"Refinement"`
	Holdout       float64 `help:"Part of the pixels that the refinement leaves out; the state that explains them best is the result." default:"0" group:"Refinement"`
	Device        string  `help:"Accepted for old scripts: this program computes on the CPU." default:"cpu" hidden:""`

	frameFlags   `embed:""`
	dataFlags    `embed:""`
	pictureFlags `embed:""`
	outputFlags  `embed:""`
}

// Run reconstructs an object.
func (c *inferCmd) Run(ctx context.Context, o *output) error {
	o.setup(c.outputFlags)
	rec := newRunRecord("infer", o)
	if c.NGroups < 0 || c.NSubsample < 0 || c.BatchSize < 1 || c.Workers < 0 || c.Refine < 0 || !(c.Holdout >= 0 && c.Holdout <= 1.0/3) {
		return usagef("--n-groups, --n-subsample, --refine and --workers are expected not to be negative, --batch-size at least 1, --holdout 0 to 1/3")
	}
	if c.Holdout > 0 && c.Refine == 0 {
		return usagef("--holdout %g: expected with --refine, whose fit it leaves pixels out of", c.Holdout)
	}
	if c.SavePatches && c.Refine > 0 {
		return usagef("--save_patches and --refine: patches belong to what the network makes of the scan; save them in a run without --refine")
	}
	if err := c.pictureFlags.check(); err != nil {
		return usageError{err}
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
	rec.Results = map[string]any{"groups": r.Groups, "frames": r.Frames, "seconds": seconds}
	result := &scores{Scan: c.TestData}
	result.score(o, r, ds, false)
	if err := c.store(r, result, rec); err != nil {
		return err
	}
	if err := discard(c.OutputDir, refine.StateFile, sweepsFile); err != nil { // of an earlier refinement
		return err
	}
	if c.Refine > 0 {
		if r, result, err = c.refine(ctx, o, net, ds, r, rec); errors.Is(err, context.Canceled) {
			return fmt.Errorf("%w in the refinement; what the network makes of the scan is in %s", errInterrupted, c.OutputDir)
		} else if err != nil {
			return fmt.Errorf("refinement: %w; what the network makes of the scan is in %s", err, c.OutputDir)
		}
		o.info("", "inference, s", seconds, "in all, s", time.Since(start).Seconds())
		result.score(o, r, ds, net.Config.ProbeTrainable)
		if err := c.store(r, result, rec); err != nil {
			return err
		}
	}
	o.info("", "wrote", filepath.Join(c.OutputDir, recon.ReconstructionFile))
	return nil
}

// store writes a reconstruction and its record.
func (c *inferCmd) store(r *recon.Reconstruction, result *scores, rec *runRecord) error {
	if err := c.pictureFlags.write(c.OutputDir, r, result); err != nil {
		return err
	}
	return rec.write(c.OutputDir)
}

// refine hands the object and the probe of the network to the solver.
func (c *inferCmd) refine(ctx context.Context, o *output, net *model.Network, ds *data.Dataset, r *recon.Reconstruction, rec *runRecord) (*recon.Reconstruction, *scores, error) {
	began := time.Now()
	opt := refine.Defaults()
	opt.Iterations, opt.Holdout, opt.Seed, opt.Workers, opt.FitProbe = c.Refine, c.Holdout, c.SubsampleSeed, c.Workers, net.Config.ProbeTrainable
	frames, err := ds.Compact(data.CompactOptions{})
	if err != nil {
		return nil, nil, err
	}
	e, err := refine.New(frames, ds.N, refine.NetworkStart(r, ds.X, ds.Y), opt)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", ds.Path, err)
	}
	defer e.Close()
	before, err := e.Fit()
	if err != nil {
		return nil, nil, err
	}
	if err := e.Run(ctx, refine.Watch{
		Note: func(text string) { rec.Notes = append(rec.Notes, text); o.info(text) },
		Sweep: func(s refine.Sweep) {
			o.progress(s.Number, c.Refine, fmt.Sprintf("refinement  error %.5f  R %.4f", s.Error, s.R))
		},
	}); err != nil {
		return nil, nil, err
	}
	after, err := e.Fit()
	if err != nil {
		return nil, nil, err
	}
	was, is := refine.Total(before), refine.Total(after)
	seconds := time.Since(began).Seconds()
	o.info("", "refined, sweeps", c.Refine, "error", fmt.Sprintf("%.5g → %.5g", was.Error(), is.Error()), "R", fmt.Sprintf("%.4f → %.4f", was.R(), is.R()), "seconds", seconds)
	options := e.Options()
	rec.Config.Refine = &options
	rec.Results["refinement"] = map[string]any{"seconds": seconds, "error_before": was.Error(), "error": is.Error(), "r_factor_before": was.R(), "r_factor": is.R()}
	return e.Result(), &scores{Scan: c.TestData, Fit: newFitScores(is)}, writeSweeps(filepath.Join(c.OutputDir, sweepsFile), e.History())
}
