package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ptycho/data"
	"ptycho/model"
	"ptycho/optim"
	"ptycho/physics"
	"ptycho/simulate"
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
	NSubsample    int     `name:"n-subsample" help:"Use only so many frames of the file, chosen at random." placeholder:"INT" group:"Training"`
	Gridsize      int     `help:"A group is gridsize² overlapping frames. With 1 the patches of the object have no phase in common." default:"2" group:"Training"`
	Neighbors     int     `name:"neighbor-count" help:"Nearest frames among which the others of a group are drawn." default:"6" group:"Training"`
	GroupMode     string  `help:"How groups are drawn: random, nearest, or tf as the original program does (${enum})." enum:"random,nearest,tf" default:"random" group:"Training"`
	ValFraction   float64 `help:"Part of the groups that is kept for validation." default:"0.05" group:"Training"`
	Patience      int     `aliases:"early-stop-patience" help:"Stop after so many epochs without a better validation loss; 0 never." default:"10" group:"Training"`
	Seed          uint64  `help:"Determines weights, groups, split and order." default:"42" group:"Training"`
	SubsampleSeed *uint64 `help:"Determines the frames of --n-subsample; by default the seed." placeholder:"INT" group:"Training"`
	Workers       int     `aliases:"num-workers" help:"Parts of a batch computed at the same time; does not change the result. 0 is one a core." default:"0" group:"Training"`

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

	Device string `aliases:"accelerator" help:"Accepted for old scripts: this program computes on the CPU." default:"cpu" hidden:""`

	ignoredFlags `embed:""`

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
	t.OnStart = func() error { return rec.write(c.OutputDir) }
	c.watch(o, t)
	res, err := t.Run(ctx)
	if errors.Is(err, train.ErrInterrupted) {
		return fmt.Errorf("%w; go on with --resume; weights so far: %s", err, filepath.Join(c.OutputDir, model.LastFile))
	}
	if err != nil {
		return err
	}
	rec.Results = map[string]any{"best": res.Best.Record(), "last": res.Last.Record(), "stopped": res.Stopped, "groups": res.Train, "validation_groups": res.Val}
	if test != nil {
		if rec.Results["test"], err = c.evaluate(ctx, o, test); err != nil {
			return err
		}
	}
	o.info("", "best epoch", res.Best.Epoch, "loss", bestLoss(res.Best), "checkpoint", filepath.Join(c.OutputDir, filepath.FromSlash(model.BestFile)))
	return rec.write(c.OutputDir)
}

// bestLoss returns what made an epoch the best: the validation loss, or without one the training loss.
func bestLoss(e train.Epoch) float64 {
	if math.IsNaN(e.ValLoss) {
		return e.TrainLoss
	}
	return e.ValLoss
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
	m := c.modelConfig()
	m.N, m.ProbeModes, m.IntensityScale, m.MeanCount = model.Sides()[0], 1, 1, 1 // the data decide on these
	if err := errors.Join(append(errs, err, t.Validate(), m.Validate())...); err != nil {
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

// trainer builds the network for a dataset, and what trains it.
func (c *trainCmd) trainer(o *output, ds *data.Dataset) (*train.Trainer, error) {
	subSeed := c.Seed
	if c.SubsampleSeed != nil {
		subSeed = *c.SubsampleSeed
	}
	full := ds.Len()
	ds = subsample(ds, c.NSubsample, subSeed)
	groups, err := data.MakeGroups(ds.X, ds.Y, data.GroupOptions{
		Gridsize: c.Gridsize, Neighbors: max(c.Neighbors, c.Gridsize*c.Gridsize-1), NGroups: c.NGroups, Seed: c.Seed, Mode: c.GroupMode,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ds.Path, err)
	}
	if err := data.CheckGroups(groups, ds.X, ds.Y, ds.N); err != nil {
		return nil, fmt.Errorf("%s: %w", ds.Path, err)
	}
	cfg, probe, err := c.model(ds)
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
	t := &train.Trainer{Net: net, Source: src, Dir: c.OutputDir, Resume: c.Resume}
	if t.Config, err = c.config(); err != nil {
		return nil, err
	}
	if c.Gridsize > 1 {
		t.Canvas = physics.CanvasSide(ds.N, data.MaxOffset(groups, ds.X, ds.Y))
		if t.Canvas > 2*ds.N {
			return nil, fmt.Errorf("%s: the frames of a group lie up to %.1f pixels from its centre, more than frames of %d pixels can overlap; "+
				"lower --gridsize or --neighbor-count, or check the unit of the positions (--coord-scale)", ds.Path, data.MaxOffset(groups, ds.X, ds.Y), ds.N)
		}
	}
	c.report(o, net, probe, ds, groups, full)
	return t, nil
}

// model resolves the configuration of the network for a dataset.
func (c *trainCmd) model(ds *data.Dataset) (model.Config, *physics.Probe, error) {
	if !slices.Contains(model.Sides(), ds.N) {
		return model.Config{}, nil, fmt.Errorf("%s: expected frames with a side of one of %v pixels, for which there are networks, found %d; crop or pad the frames and the probe",
			ds.Path, model.Sides(), ds.N)
	}
	probe, err := physics.NewProbe(ds.Probe, ds.N, ds.Modes, c.ProbeScale, c.ProbeMask)
	if err != nil {
		return model.Config{}, nil, fmt.Errorf("%s: key probeGuess: %w", ds.Path, err)
	}
	cfg := c.modelConfig()
	cfg.N, cfg.ProbeModes, cfg.ProbeScale, cfg.ProbeDivisor = ds.N, ds.Modes, probe.Scale, probe.Divisor
	cfg.IntensityScale, cfg.MeanCount = model.IntensityScale(ds.Dose, ds.N), ds.Dose/float64(ds.N*ds.N)
	cfg.Loss = c.lossConfig(cfg.MeanCount)
	if c.ProbeTrainable == nil {
		cfg.ProbeTrainable = probe.Mismatch(ds.MeanFrame()) > trustedProbe
	}
	if err := cfg.Validate(); err != nil {
		return cfg, nil, fmt.Errorf("%s: %w", ds.Path, err)
	}
	return cfg, probe, nil
}

// modelConfig returns the configuration of the network as far as flags determine it.
func (c *trainCmd) modelConfig() model.Config {
	cfg := model.Config{
		Gridsize: c.Gridsize, Filters: c.NFiltersScale, ModelType: c.ModelType, AmpActivation: c.AmpActivation,
		ObjectBig: c.Gridsize > 1, ProbeBig: c.ProbeBig, PadObject: c.PadObject,
		ProbeMask: c.ProbeMask, ProbeTrainable: c.ProbeTrainable != nil && *c.ProbeTrainable, Loss: c.lossConfig(brightFrames), Seed: c.Seed,
	}
	if c.ObjectBig != nil {
		cfg.ObjectBig = *c.ObjectBig
	}
	return cfg
}

// trustedProbe is the mismatch to the mean frame up to which a probe is kept as it is; true probes stay below
// 0.03, and one that keeps a network from learning a measured scan has 0.15.
const trustedProbe = 0.05

// brightFrames is the mean number of photons a pixel from which --loss auto compares amplitudes: there √k
// has a variance of 1/4 whatever k, and dim pixels do not dominate the gradient.
const brightFrames = 10

// lossConfig resolves --loss for frames of the given mean count. Weights that are given turn auto into the
// original program's loss, whose weights are 1 for the likelihood and 0 for the MAE unless they are given.
func (c *trainCmd) lossConfig(meanCount float64) model.LossConfig {
	l := model.LossConfig{Realspace: c.RealspaceWeight, TV: c.TVWeight, RealspaceMAE: c.RealspaceMAEWeight}
	auto, weighted := c.Loss == "auto", c.NLLWeight != nil || c.MAEWeight != nil
	switch {
	case c.Loss == "poisson", auto && (weighted || meanCount < brightFrames):
		l.NLL = 1
	case c.Loss == "mae":
		l.MAE = 1
	case c.Loss == "amp-mse", auto:
		l.MSE = 1
	}
	if c.NLLWeight != nil {
		l.NLL = *c.NLLWeight
	}
	if c.MAEWeight != nil {
		l.MAE = *c.MAEWeight
	}
	return l
}

// lossName lists the terms of the loss with their weights.
func lossName(c *model.Config) string {
	if c.ModelType == "supervised" {
		return "difference to the known object"
	}
	l := c.Loss
	var terms []string
	for _, t := range []struct {
		name   string
		weight float64
	}{{"poisson", l.NLL}, {"mae", l.MAE}, {"amp-mse", l.MSE}, {"tv", l.Realspace * l.TV}, {"realspace mae", l.Realspace * l.RealspaceMAE}} {
		switch {
		case t.weight == 1:
			terms = append(terms, t.name)
		case t.weight != 0:
			terms = append(terms, fmt.Sprintf("%g %s", t.weight, t.name))
		}
	}
	return strings.Join(terms, " + ")
}

// report says what will be trained on what, and what may go wrong with it.
func (c *trainCmd) report(o *output, net *model.Network, probe *physics.Probe, ds *data.Dataset, groups []data.Group, full int) {
	o.info("", "network", fmt.Sprintf("N=%d gridsize=%d", ds.N, c.Gridsize), "weights", net.Weights(), "groups", len(groups),
		"frames", fmt.Sprintf("%d of %d", framesIn(groups), full), "overlap", fmt.Sprintf("%.0f %%", 100*simulate.Overlap(ds)))
	o.info("", "probe_scale", probe.Scale, "intensity_scale", net.Config.IntensityScale, "object amplitude", probe.ObjectAmplitude(), "seed", c.Seed)
	o.info("", "loss", lossName(&net.Config), "batch", c.BatchSize, "epochs", c.NEpochs, "learning rate", c.LearningRate, "scheduler", c.Scheduler)
	if v := simulate.Overlap(ds); v < 0.3 {
		o.warn(fmt.Sprintf("neighbouring frames overlap by %.0f %% only, too little to determine phases; check the unit of the positions (--coord_scale)", 100*v))
	}
	if m := probe.Mismatch(ds.MeanFrame()); m > trustedProbe {
		what := "it is refined in training; keep it with --probe-trainable=false"
		if !net.Config.ProbeTrainable {
			what = "refine it in training with --probe-trainable"
		}
		o.warn(fmt.Sprintf("the far field of the probe differs from the mean frame by %.0f %%: %s", 100*m, what))
	}
	if a := probe.ObjectAmplitude(); c.AmpActivation == "sigmoid" && a > 0.9 {
		o.warn(fmt.Sprintf("with probe_scale %.3g the object has a mean amplitude of %.2f, which a sigmoid cannot represent; leave --probe-scale at 0, or take softplus", probe.Scale, a))
	}
	if c.Gridsize == 1 {
		o.warn("gridsize 1: every pattern keeps a global phase of its own, so that the stitched object is inconsistent; gridsize 2 ties neighbours together")
		if a := simulate.TwinAsymmetry(ds.Probe, ds.N); a < 0.05 {
			o.warn(fmt.Sprintf("the probe is its own twin to %.1f %%: a single frame cannot tell an object from its mirror image", 100*a))
		}
	}
}

func framesIn(groups []data.Group) int {
	seen := map[int]bool{}
	for _, g := range groups {
		for _, f := range g {
			seen[f] = true
		}
	}
	return len(seen)
}

// watch prints the progress of a training.
func (c *trainCmd) watch(o *output, t *train.Trainer) {
	var last train.Progress
	t.OnBatch = func(p train.Progress) {
		last = p
		o.progress(p.Batch, p.Batches, fmt.Sprintf("epoch %d/%d  loss %.5g  %.0f patterns/s  ETA %s", p.Epoch, p.Epochs, p.Loss, p.PatternsPerSecond, p.ETA.Round(time.Second)))
	}
	t.OnEpoch = func(e train.Epoch) {
		kv := []any{"epoch", fmt.Sprintf("%d/%d", e.Epoch, t.Config.Epochs), "loss", e.TrainLoss}
		if !math.IsNaN(e.ValLoss) {
			kv = append(kv, "val", e.ValLoss)
		}
		kv = append(kv, "excess NLL", e.Excess, "lr", e.LearningRate, "patterns/s", math.Round(e.PatternsPerSecond), "ETA", last.ETA)
		if o.logger != nil {
			kv = e.Pairs()
		}
		o.info("", kv...)
	}
}

// testScan is a scan on which the trained network is evaluated.
type testScan struct {
	*data.Dataset
	groups []data.Group
}

// loadTest reads the test scan, before any time is spent on training.
func (c *trainCmd) loadTest(o *output, net *model.Network) (*testScan, error) {
	ds, err := c.load(o, c.TestDataFile, net.Config.N)
	if err != nil {
		return nil, err
	}
	groups, err := data.MakeGroups(ds.X, ds.Y, data.GroupOptions{
		Gridsize: c.Gridsize, NGroups: min(c.NGroups, ds.Len()), Mode: data.GroupNearest, Seed: c.Seed,
	})
	if err == nil {
		err = data.CheckGroups(groups, ds.X, ds.Y, ds.N)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ds.Path, err)
	}
	if _, err := net.NewSource(ds, groups); err != nil {
		return nil, err
	}
	return &testScan{ds, groups}, nil
}

// evaluate evaluates the best weights on the test scan.
func (c *trainCmd) evaluate(ctx context.Context, o *output, test *testScan) (map[string]any, error) {
	net, _, err := model.Load(filepath.Join(c.OutputDir, filepath.FromSlash(model.BestFile)))
	if err != nil {
		return nil, err
	}
	loss, excess, err := train.Evaluate(ctx, net, test.Dataset, test.groups, c.Workers)
	if err != nil {
		return nil, err
	}
	o.info("", "test", test.Path, "groups", len(test.groups), "loss", loss, "excess NLL", excess)
	return map[string]any{"file": test.Path, "groups": len(test.groups), "loss": loss, "excess_nll": excess}, nil
}

// checkDevice tells scripts that ask for a GPU what they get.
func checkDevice(o *output, device string) {
	if d := strings.ToLower(device); d != "cpu" && d != "auto" {
		o.warn(fmt.Sprintf("--device %s: this build runs on the CPU, and goes on with it", device))
	}
}
