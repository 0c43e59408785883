package main

import (
	"fmt"
	"math"
	"time"

	"ptycho/data"
	"ptycho/physics"
	"ptycho/train"
)

// report says what will be trained on what, and what may go wrong with it; all is how many frames the file holds.
func (c *trainCmd) report(o *output, t *train.Trainer, probe *physics.Probe, all int) {
	cfg, ds, groups := &t.Net.Config, t.Source.Data, t.Source.Groups
	o.info("", "network", fmt.Sprintf("N=%d gridsize=%d", ds.N, c.Gridsize), "weights", t.Net.Weights(), "groups", len(groups),
		"frames", fmt.Sprintf("%d of %d", data.FrameCount(groups), all), "overlap", fmt.Sprintf("%.0f %%", 100*ds.Overlap()))
	o.info("", "probe_scale", probe.Scale, "intensity_scale", cfg.IntensityScale, "object amplitude", probe.ObjectAmplitude(), "seed", c.Seed)
	o.info("", "loss", cfg.Objective(), "batch", c.BatchSize, "epochs", c.NEpochs, "learning rate", c.LearningRate, "scheduler", c.Scheduler)
	if c.NGroups > ds.Len() {
		o.info(fmt.Sprintf("%d groups asked for, but every group has its own frame: there are %d", c.NGroups, ds.Len()))
	}
	c.reportSplit(o, &t.Config, len(groups))
	c.reportScan(o, ds)
	c.reportProbe(o, probe, cfg.ProbeTrainable, ds)
}

// reportSplit says when more groups validate than were asked for.
func (c *trainCmd) reportSplit(o *output, t *train.Config, groups int) {
	n := t.ValGroups(groups)
	if float64(n)-c.ValFraction*float64(groups) > 0.5 {
		o.info(fmt.Sprintf("validation takes %d of %d groups, more than --val_fraction %g: at least a batch, or a quarter of the groups where that is less", n, groups, c.ValFraction))
	}
}

// reportScan warns of a scan that does not determine the object.
func (c *trainCmd) reportScan(o *output, ds *data.Dataset) {
	if v := ds.Overlap(); v < 0.3 {
		o.warn(fmt.Sprintf("neighbouring frames overlap by %.0f %% only, too little to determine phases; check the unit of the positions (--coord_scale)", 100*v))
	}
	if c.Gridsize == 1 {
		o.warn("gridsize 1: every pattern keeps a global phase of its own, so that the stitched object is inconsistent; gridsize 2 ties neighbours together")
		if a := physics.TwinAsymmetry(ds.Probe, ds.N); a < 0.05 {
			o.warn(fmt.Sprintf("the probe is its own twin to %.1f %%: a single frame cannot tell an object from its mirror image", 100*a))
		}
	}
}

// reportProbe warns of a probe that does not suit the frames or the network.
func (c *trainCmd) reportProbe(o *output, probe *physics.Probe, trainable bool, ds *data.Dataset) {
	if m := probe.Mismatch(ds.MeanFrame()); m > physics.TrustedMismatch {
		what := "refine it in training with --probe-trainable"
		if trainable {
			what = "it is refined in training; keep it with --probe-trainable=false"
		}
		o.warn(fmt.Sprintf("the far field of the probe differs from the mean frame by %.0f %%: %s", 100*m, what))
	}
	if a := probe.ObjectAmplitude(); c.AmpActivation == "sigmoid" && a > 0.9 {
		o.warn(fmt.Sprintf("with probe_scale %.3g the object has a mean amplitude of %.2f, which a sigmoid cannot represent; leave --probe-scale at 0, or take softplus", probe.Scale, a))
	}
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

// bestLoss returns what made an epoch the best: the validation loss, or without one the training loss.
func bestLoss(e train.Epoch) float64 {
	if math.IsNaN(e.ValLoss) {
		return e.TrainLoss
	}
	return e.ValLoss
}
