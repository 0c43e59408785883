package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"ptycho/data"
	"ptycho/model"
	"ptycho/recon"
	"ptycho/simulate"
	"ptycho/train"
)

// The modes of a Case.
const (
	Train   = "train"   // whole training steps: forward, backward, reduction, Adam
	Infer   = "infer"   // from frames to patches that are stitched
	Latency = "latency" // from one group of frames to its patches
)

// Case is one measurement of the network.
type Case struct {
	Mode     string `json:"mode"`
	N        int    `json:"N"`
	Gridsize int    `json:"gridsize"`
	Filters  int    `json:"n_filters_scale"`
	Batch    int    `json:"batch_size"` // groups
	Workers  int    `json:"workers"`    // 0 is one a core
}

// String names the case.
func (c Case) String() string {
	s := fmt.Sprintf("%s N=%d gridsize=%d", c.Mode, c.N, c.Gridsize)
	if c.Mode != Latency {
		s += fmt.Sprintf(" batch=%d", c.Batch)
	}
	return s
}

// Result is the outcome of a Case.
type Result struct {
	Case
	Step     float64 `json:"step_seconds"` // median over the repetitions: of a step, or of a batch of groups
	Patterns float64 `json:"patterns_per_second"`
	Repeats  int     `json:"repeats"`
	Start    float64 `json:"start_seconds"` // from the data in memory to the begin of the first repetition
}

// Measure repeats a case for the given time, twice at least, on a simulated scan. The first repetition warms up and
// does not count.
func Measure(ctx context.Context, c Case, d time.Duration) (Result, error) {
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	ds, err := scan(ctx, c)
	if err != nil {
		return Result{}, err
	}
	start := time.Now()
	net, err := network(c, ds)
	if err != nil {
		return Result{}, err
	}
	run, ok := map[string]func(context.Context, *stopwatch, Case, *model.Network, *data.Dataset) error{
		Train: measureTraining, Infer: measureInference, Latency: measureLatency,
	}[c.Mode]
	if !ok {
		return Result{}, fmt.Errorf("unknown benchmark %q; there are %s, %s and %s", c.Mode, Train, Infer, Latency)
	}
	w := &stopwatch{limit: d}
	if err := run(ctx, w, c, net, ds); err != nil {
		return Result{}, err
	}
	groups := c.Batch
	if c.Mode == Latency {
		groups = 1
	}
	r := Result{Case: c, Step: median(w.laps), Repeats: len(w.laps), Start: w.began.Sub(start).Seconds()}
	r.Patterns = float64(groups*c.Gridsize*c.Gridsize) / r.Step
	return r, nil
}

// scan simulates frames enough for a few batches.
func scan(ctx context.Context, c Case) (*data.Dataset, error) {
	return simulate.Run(ctx, simulate.Options{N: c.N, Frames: max(4*c.Batch, 64), Noise: true, Seed: 1})
}

// network returns an untrained network for the scan. Its loss is the Poisson likelihood, which is what peers compute.
func network(c Case, ds *data.Dataset) (*model.Network, error) {
	keep := false
	cfg, probe, err := model.Configure(ds, model.Wishes{
		Gridsize: c.Gridsize, Filters: c.Filters, ModelType: "pinn", AmpActivation: "sigmoid", ProbeBig: true, PadObject: true,
		ProbeTrainable: &keep, Loss: model.LossWishes{Kind: model.LossPoisson}, Seed: 1,
	})
	if err != nil {
		return nil, err
	}
	return model.New(cfg, probe.Planes)
}

func measureTraining(ctx context.Context, w *stopwatch, c Case, net *model.Network, ds *data.Dataset) error {
	groups, err := ds.Groups(data.GroupOptions{Gridsize: c.Gridsize, NGroups: ds.Len() / c.Batch * c.Batch, Seed: 1})
	if err != nil {
		return err
	}
	src, err := net.NewSource(ds, groups)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ptycho-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cfg := train.Defaults()
	cfg.Epochs, cfg.BatchSize, cfg.Workers, cfg.ValFraction, cfg.Patience = 1<<20, c.Batch, c.Workers, 0, 0
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := &train.Trainer{Config: cfg, Net: net, Source: src, Dir: dir, Canvas: src.Canvas()}
	t.OnStart = func(train.Start) error {
		w.start()
		return nil
	}
	t.OnBatch = func(p train.Progress) {
		if w.lap(p.Batch > 1) {
			cancel()
		}
	}
	if _, err = t.Run(ctx); errors.Is(err, train.ErrInterrupted) && w.done {
		return nil
	}
	return err
}

func measureInference(ctx context.Context, w *stopwatch, c Case, net *model.Network, ds *data.Dataset) error {
	w.start()
	for !w.done {
		if _, err := recon.Infer(ctx, net, ds, recon.Options{NGroups: c.Batch, Workers: c.Workers, Batch: c.Batch}); err != nil {
			return err
		}
		w.lap(true)
	}
	return nil
}

func measureLatency(ctx context.Context, w *stopwatch, c Case, net *model.Network, ds *data.Dataset) error {
	groups, err := ds.Groups(data.GroupOptions{Gridsize: c.Gridsize, NGroups: 1, Mode: data.GroupNearest})
	if err != nil {
		return err
	}
	src, err := net.NewInferenceSource(ds, groups)
	if err != nil {
		return err
	}
	pass := net.NewPass(model.PassOptions{Mode: model.Infer, Dose: ds.Dose, Cores: c.Workers})
	net.Params.Updated()
	var sample model.Sample
	w.start()
	for !w.done && ctx.Err() == nil {
		if err := src.Fill(&sample, 0); err != nil {
			return err
		}
		pass.Set(0, sample)
		pass.Forward()
		w.lap(true)
	}
	return ctx.Err()
}

// stopwatch collects the times of repetitions until a limit.
type stopwatch struct {
	limit time.Duration
	began time.Time
	last  time.Time // end of the last repetition, or when it all began
	spent time.Duration
	warm  bool
	laps  []float64 // seconds
	done  bool
}

func (w *stopwatch) start() {
	w.began = time.Now()
	w.last = w.began
}

// lap ends a repetition and reports whether there have been enough; one that does not count was disturbed.
func (w *stopwatch) lap(counts bool) bool {
	now := time.Now()
	switch {
	case !w.warm:
		w.warm = true
	case counts:
		w.laps = append(w.laps, now.Sub(w.last).Seconds())
		w.spent += now.Sub(w.last)
	}
	w.last = now
	w.done = len(w.laps) >= 2 && w.spent >= w.limit
	return w.done
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}
