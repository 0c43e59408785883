package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"ptycho/data"
	"ptycho/model"
	"ptycho/optim"
	"ptycho/train"
)

type trainCmd struct {
	TrainDataFile string `help:"Scan to train on." required:"" placeholder:"NPZ"`
	TestDataFile  string `help:"Scan on which the trained network is evaluated at the end." placeholder:"NPZ"`
	OutputDir     string `help:"Run directory: checkpoints, history.csv, run.json." default:"training_outputs" placeholder:"DIR"`
	Config        string `help:"YAML or JSON file with flag names as keys; flags win." placeholder:"FILE"`
	Resume        bool   `help:"Go on with the run in the output directory."`

	NEpochs       int     `name:"nepochs" aliases:"max-epochs,epochs" help:"Epochs." default:"50" group:"Training"`
	BatchSize     int     `help:"Groups a step." default:"16" group:"Training"`
	NGroups       int     `name:"n-groups" aliases:"n-images" help:"Groups to train on: that many frames, each with its neighbours. By default every frame." placeholder:"INT" group:"Training"`
	Gridsize      int     `help:"A group is gridsize² overlapping frames. With 1 the patches of the object have no phase in common." default:"2" group:"Training"`
	Neighbors     int     `name:"neighbor-count" help:"Nearest frames among which the others of a group are drawn." default:"6" group:"Training"`
	GroupMode     string  `help:"How groups are drawn: random, nearest, or tf as the original program does (${enum})." enum:"random,nearest,tf" default:"random" group:"Training"`
	ValFraction   float64 `help:"Part of the groups that is kept for validation." default:"0.05" group:"Training"`
	Patience      int     `aliases:"early-stop-patience" help:"Stop after so many epochs without a better validation loss; 0 never." default:"10" group:"Training"`
	Seed          uint64  `help:"Determines weights, groups, split and order." default:"42" group:"Training"`
	SubsampleSeed *uint64 `help:"Determines the frames of --n-subsample; by default the seed." placeholder:"INT" group:"Training"`
	Workers       int     `help:"Parts of a batch computed at the same time; does not change the result. 0 is one a core." default:"0" group:"Training"`

	LearningRate    float64 `help:"Learning rate of Adam." default:"1e-3" group:"Optimiser"`
	Scheduler       string  `help:"Learning rate: plateau, constant, exponential or cosine; also ReduceLROnPlateau, Default, Exponential, WarmupCosine, CosineAnnealing." default:"plateau" group:"Optimiser"`
	LRWarmupEpochs  int     `help:"Epochs of linear warm-up." default:"0" group:"Optimiser"`
	LRGamma         float64 `help:"Exponential: factor an epoch." default:"0.95" group:"Optimiser"`
	LRMinRatio      float64 `help:"Cosine: final rate as a part of the first." default:"0.1" group:"Optimiser"`
	PlateauFactor   float64 `help:"Plateau: factor." default:"0.5" group:"Optimiser"`
	PlateauPatience int     `help:"Plateau: epochs to wait." default:"2" group:"Optimiser"`
	PlateauMinLR    float64 `name:"plateau-min-lr" help:"Plateau: smallest rate." default:"1e-4" group:"Optimiser"`
	GradientClipVal float64 `help:"Limit of the norm of the gradient; 0 is none." default:"0" group:"Optimiser"`

	N              int     `name:"N" help:"Side of a frame, 64, 128 or 256; that of the data, checked." placeholder:"INT" group:"Model"`
	NFiltersScale  int     `help:"Multiplies the number of filters." default:"2" group:"Model"`
	ModelType      string  `help:"pinn learns from the frames, supervised from the known object (${enum})." enum:"pinn,supervised" default:"pinn" group:"Model"`
	AmpActivation  string  `help:"Activation of the amplitude: ${enum}." enum:"sigmoid,swish,softplus,relu" default:"sigmoid" group:"Model"`
	ObjectBig      *bool   `help:"Predict a patch for every frame of a group and merge them; by default when gridsize > 1." group:"Model"`
	ProbeBig       bool    `help:"Predict the object outside the central half of the patch, too." default:"true" negatable:"" group:"Model"`
	PadObject      bool    `help:"Confine the main decoder to the central half of the patch." default:"true" negatable:"" group:"Model"`
	ProbeMask      bool    `help:"Cut the probe to a disk of half the frame." group:"Model"`
	ProbeTrainable *bool   `help:"Refine the probe in training; by default when its far field does not look like the mean frame." group:"Model"`
	ProbeScale     float64 `help:"The mean of the normalised |P| is its reciprocal; 0 chooses it from probe and data." default:"0" group:"Model"`

	Loss               string   `help:"Loss on the frames: poisson likelihood, mae or amp-mse of the amplitudes, or auto: amp-mse from ten photons a pixel on, poisson below (${enum})." enum:"auto,poisson,mae,amp-mse" default:"auto" group:"Loss"`
	NLLWeight          *float64 `name:"nll-weight" help:"Weight of the Poisson likelihood. This or --mae-weight turns --loss auto into poisson." placeholder:"FLOAT" group:"Loss"`
	MAEWeight          *float64 `name:"mae-weight" help:"Weight of the amplitude MAE beside it." placeholder:"FLOAT" group:"Loss"`
	RealspaceWeight    float64  `help:"Multiplies the two weights below." default:"0" group:"Loss"`
	TVWeight           float64  `name:"tv-weight" help:"Weight of the total variation of the object." default:"0" group:"Loss"`
	RealspaceMAEWeight float64  `name:"realspace-mae-weight" help:"Weight of the difference to the known object." default:"0" group:"Loss"`

	Device string `help:"Accepted for old scripts: this program computes on the CPU." default:"cpu" hidden:""`

	frameFlags  `embed:""`
	dataFlags   `embed:""`
	outputFlags `embed:""`
}

// Run trains a network.
func (c *trainCmd) Run(ctx context.Context, o *output) error {
	o.setup(c.outputFlags)
	rec := newRunRecord("train", o)
	if err := c.check(); err != nil {
		return err
	}
	checkDevice(o, c.Device)
	ds, err := c.load(o, c.TrainDataFile, c.N)
	if err != nil {
		return err
	}
	if err := writable(c.OutputDir); err != nil {
		return err
	}
	t, err := c.trainer(o, ds)
	if err != nil {
		return err
	}
	var test *testScan
	if c.TestDataFile != "" {
		if test, err = c.loadTest(o, t.Net); err != nil {
			return err
		}
	}
	if err := rec.inputs(c.TrainDataFile, c.TestDataFile); err != nil {
		return err
	}
	rec.Config.Model, rec.Config.Train = &t.Net.Config, &t.Config
	if text, err := json.Marshal(rec.Config); err == nil {
		o.detail("configuration", "config", string(text))
	}
	t.OnStart = func(s train.Start) error {
		if c.Resume {
			o.info(s.String())
		}
		if s.Resumed {
			rec.resume(c.OutputDir)
		}
		return rec.write(c.OutputDir)
	}
	t.OnWarn = func(text string) { o.warn(text) }
	c.watch(o, t)
	res, err := t.Run(ctx)
	if errors.Is(err, train.ErrInterrupted) {
		if err := rec.write(c.OutputDir); err != nil {
			o.warn(err.Error())
		}
		return fmt.Errorf("%w; go on with --resume; weights so far: %s", err, filepath.Join(c.OutputDir, filepath.FromSlash(model.LastFile)))
	}
	if err != nil {
		return err
	}
	rec.Results = map[string]any{"best": res.Best.Record(), "last": res.Last.Record(), "stopped": res.Stopped, "groups": res.Train, "validation_groups": res.Val}
	o.info("", "best epoch", res.Best.Epoch, "loss", bestLoss(res.Best), "checkpoint", filepath.Join(c.OutputDir, filepath.FromSlash(model.BestFile)))
	if err := rec.write(c.OutputDir); err != nil || test == nil {
		return err
	}
	scores, err := c.evaluate(ctx, o, test)
	if err != nil {
		return err
	}
	rec.Results["test"] = scores
	return rec.write(c.OutputDir)
}

// check reports what the parser cannot see.
func (c *trainCmd) check() error {
	var errs []error
	for _, f := range []struct {
		name string
		v    int
	}{{"n_groups", c.NGroups}, {"n_subsample", c.NSubsample}, {"neighbor_count", c.Neighbors}} {
		if f.v < 0 {
			errs = append(errs, fmt.Errorf("%s %d is negative", f.name, f.v))
		}
	}
	t, err := c.config()
	w := c.wishes()
	if err := errors.Join(append(errs, err, t.Validate(), w.Validate())...); err != nil {
		return usageError{fmt.Errorf("%w\nsee ptycho train --help", err)}
	}
	return nil
}

// config returns how to train.
func (c *trainCmd) config() (train.Config, error) {
	t := train.Defaults()
	t.Epochs, t.BatchSize, t.LearningRate = c.NEpochs, c.BatchSize, c.LearningRate
	t.ClipNorm, t.ValFraction, t.Patience, t.Seed, t.Workers = c.GradientClipVal, c.ValFraction, c.Patience, c.Seed, c.Workers
	s, err := c.schedule()
	if err == nil {
		t.Schedule = s
	}
	return t, err
}

// schedule translates --scheduler, which knows the original program's names too.
func (c *trainCmd) schedule() (optim.ScheduleConfig, error) {
	s := optim.ScheduleConfig{Warmup: c.LRWarmupEpochs, Factor: c.PlateauFactor, Patience: c.PlateauPatience, MinRate: c.PlateauMinLR, FloorFrac: c.LRMinRatio}
	switch strings.ToLower(c.Scheduler) {
	case "plateau", "reducelronplateau":
		s.Name = "plateau"
	case "constant", "default":
		s.Name = "constant"
	case "exponential":
		s.Name, s.Factor = "exponential", c.LRGamma
	case "cosine", "warmupcosine", "cosineannealing":
		s.Name = "cosine"
	default:
		return s, fmt.Errorf("--scheduler %s: expected one of %v", c.Scheduler, optim.ScheduleNames())
	}
	return s, nil
}

// wishes returns what is asked of the network.
func (c *trainCmd) wishes() model.Wishes {
	return model.Wishes{
		Gridsize: c.Gridsize, Filters: c.NFiltersScale, ModelType: c.ModelType, AmpActivation: c.AmpActivation,
		ObjectBig: c.ObjectBig, ProbeBig: c.ProbeBig, PadObject: c.PadObject,
		ProbeMask: c.ProbeMask, ProbeTrainable: c.ProbeTrainable, ProbeScale: c.ProbeScale, Seed: c.Seed,
		Loss: model.LossWishes{
			Kind: c.Loss, NLL: c.NLLWeight, MAE: c.MAEWeight,
			Realspace: c.RealspaceWeight, TV: c.TVWeight, RealspaceMAE: c.RealspaceMAEWeight,
		},
	}
}

// trainer builds the network for a dataset, and what trains it.
func (c *trainCmd) trainer(o *output, ds *data.Dataset) (*train.Trainer, error) {
	seed := c.Seed
	if c.SubsampleSeed != nil {
		seed = *c.SubsampleSeed
	}
	all := ds.Len()
	ds = c.subsample(ds, c.NGroups, seed)
	groups, err := ds.Groups(data.GroupOptions{
		Gridsize: c.Gridsize, Neighbors: max(c.Neighbors, c.Gridsize*c.Gridsize-1), NGroups: min(c.NGroups, ds.Len()), Seed: c.Seed, Mode: c.GroupMode,
	})
	if err != nil {
		return nil, err
	}
	cfg, probe, err := model.Configure(ds, c.wishes())
	if err != nil {
		return nil, err
	}
	net, err := model.New(cfg, probe.Planes)
	if err != nil {
		return nil, err
	}
	src, err := net.NewSource(ds, groups)
	if err != nil {
		return nil, err
	}
	t := &train.Trainer{Net: net, Source: src, Canvas: src.Canvas(), Dir: c.OutputDir, Resume: c.Resume}
	if t.Config, err = c.config(); err != nil {
		return nil, err
	}
	c.report(o, t, probe, all)
	return t, nil
}

// checkDevice tells scripts that ask for a GPU what they get.
func checkDevice(o *output, device string) {
	if d := strings.ToLower(device); d != "cpu" && d != "auto" {
		o.warn(fmt.Sprintf("--device %s: this build runs on the CPU, and goes on with it", device))
	}
}
