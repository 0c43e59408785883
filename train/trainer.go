package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"ptycho/autodiff"
	"ptycho/internal/atomicfile"
	"ptycho/internal/rng"
	"ptycho/model"
	"ptycho/optim"
)

// ErrInterrupted is returned by Run when its context ended. The last weights and the state of the run have
// been saved.
var ErrInterrupted = errors.New("training was interrupted")

// Trainer trains one network.
type Trainer struct {
	Config Config
	Net    *model.Network
	Source *model.Source
	Canvas int    // side of the canvas of a group
	Dir    string // the run directory
	Resume bool   // go on from the state in Dir, if there is one

	// OnStart is called when a run begins or goes on, once nothing can be wrong with it any more, OnEpoch after
	// every epoch and OnBatch after every batch; all may be nil.
	OnStart func() error
	OnEpoch func(Epoch)
	OnBatch func(done Progress)

	fingerprint string // of the data
	train, val  []int  // indices of groups
	pool        *pool
	shards      [][]float32 // gradients
	losses      []float64   // by sample of a batch
	excess      []float64
	adam        *optim.Adam
	schedule    optim.Schedule
	cur         cursor
	history     History
	batch       []int
	job         func(*model.Pass, *model.Sample, int)
	evalJob     func(*model.Pass, *model.Sample, int)
}

// Progress tells how far an epoch has come.
type Progress struct {
	Epoch, Epochs     int // counted from 1
	Batch, Batches    int // done, of
	Loss              float64
	PatternsPerSecond float64
	ETA               time.Duration // to the end of the last epoch
}

// Result is the outcome of a training.
type Result struct {
	Best     Epoch  // the epoch whose weights are kept as best
	Last     Epoch  // the last epoch
	Stopped  string // why training ended: "epochs" or "patience"
	Train    int    // groups trained on
	Val      int    // groups validated on
	Restored int    // epoch from which the run was resumed, 0 for a new run
}

// Run trains until the epochs are done, the validation loss has stopped falling or ctx ends. After every
// epoch it writes the best and the last weights, the state and the history.
func (t *Trainer) Run(ctx context.Context) (*Result, error) {
	if err := t.prepare(); err != nil {
		return nil, err
	}
	defer t.pool.close()
	if t.OnStart != nil {
		if err := t.OnStart(); err != nil {
			return nil, err
		}
	}
	res := &Result{Stopped: "epochs", Train: len(t.train), Val: len(t.val), Restored: t.cur.Epoch}
	for t.cur.Epoch < t.Config.Epochs {
		if t.Config.Patience > 0 && t.cur.Stale >= t.Config.Patience {
			res.Stopped = "patience"
			break
		}
		if err := t.epoch(ctx); err != nil {
			return nil, err
		}
	}
	if len(t.history) == 0 {
		return nil, fmt.Errorf("%s: there is nothing left to train", t.Dir)
	}
	res.Last = t.history[len(t.history)-1]
	res.Best = t.history[t.cur.BestEpoch-1]
	return res, t.verify()
}

// prepare makes everything that the loop needs and restores the state of a resumed run.
func (t *Trainer) prepare() error {
	c := &t.Config
	if err := c.Validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(t.path(model.BestFile)), 0o777); err != nil {
		return err
	}
	var err error
	if t.schedule, err = optim.NewSchedule(c.Schedule, c.LearningRate, c.Epochs); err != nil {
		return err
	}
	t.train, t.val = split(len(t.Source.Groups), c)
	if len(t.train) == 0 {
		return fmt.Errorf("%d groups leave none to train on with val_fraction %g and batch_size %d", len(t.Source.Groups), c.ValFraction, c.BatchSize)
	}
	t.adam = optim.NewAdam(len(t.Net.Params.Data))
	t.pool = newPool(c.workers(), func() *model.Pass {
		return t.Net.NewPass(model.PassOptions{Mode: model.Train, Canvas: t.Canvas})
	})
	t.shards = make([][]float32, c.shards())
	for i := range t.shards {
		t.shards[i] = make([]float32, len(t.Net.Params.Data))
	}
	n := max(c.BatchSize, len(t.val))
	t.losses, t.excess = make([]float64, n), make([]float64, n)
	t.job, t.evalJob = t.shard, t.evaluate
	t.fingerprint = t.Source.Fingerprint()
	t.cur, t.history = cursor{Best: math.Inf(1)}, nil
	if err := t.begin(); err != nil {
		t.pool.close()
		return err
	}
	t.Net.Params.Updated()
	return nil
}

// begin restores the state of a run that is resumed, or clears the run directory of an older run.
func (t *Trainer) begin() error {
	files := []string{model.BestFile, model.LastFile, HistoryFile, StateFile}
	for _, name := range files {
		if err := atomicfile.Sweep(t.path(name)); err != nil {
			return err
		}
	}
	if t.Resume {
		return t.restore()
	}
	// The state goes first: a run that cannot begin must not cost the older one its checkpoints.
	if err := t.saveState(); err != nil {
		return err
	}
	for _, name := range files {
		if name == StateFile {
			continue
		}
		if err := os.Remove(t.path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// split returns which groups are trained on and which validate: a random fraction of them, at least one
// batch where that leaves most for training. A fraction of zero validates on nothing.
func split(groups int, c *Config) (train, val []int) {
	order := rng.New(c.Seed, "train/split", 0).Perm(groups)
	n := 0
	if c.ValFraction > 0 {
		n = max(int(math.Round(c.ValFraction*float64(groups))), min(c.BatchSize, groups/4), min(1, groups-1))
	}
	return order[n:], order[:n]
}

// epoch trains on all groups once, from the cursor on, and then validates and saves.
func (t *Trainer) epoch(ctx context.Context) error {
	c := &t.Config
	rate := t.schedule.Rate(t.cur.Epoch)
	order := make([]int, len(t.train))
	for i, k := range rng.New(c.Seed, "train/order", uint64(t.cur.Epoch)).Perm(len(order)) {
		order[i] = t.train[k]
	}
	batches := (len(order) + c.BatchSize - 1) / c.BatchSize
	start, first := time.Now(), t.cur.Batch
	for t.cur.Batch < batches {
		if ctx.Err() != nil {
			return t.interrupt()
		}
		t.batch = order[t.cur.Batch*c.BatchSize : min((t.cur.Batch+1)*c.BatchSize, len(order))]
		norm, err := t.step(rate)
		if err != nil {
			return err
		}
		t.cur.Batch++
		t.cur.GradNorm = max(t.cur.GradNorm, norm)
		t.progress(batches, first, time.Since(start))
	}
	return t.endEpoch(rate, first, time.Since(start))
}

// step does one optimiser step on t.batch and returns the norm of its gradient before clipping.
func (t *Trainer) step(rate float64) (float64, error) {
	t.pool.run(len(t.shards), t.job)
	for i := range t.batch {
		t.cur.Loss += t.losses[i]
		t.cur.Excess += t.excess[i]
		t.cur.Samples++
	}
	sum := t.shards[0]
	for _, s := range t.shards[1:] {
		for i, v := range s {
			sum[i] += v
		}
	}
	norm := optim.ClipNorm(sum, t.Config.ClipNorm)
	if math.IsNaN(norm) || math.IsInf(norm, 0) || !finite(t.losses[:len(t.batch)]) {
		return norm, t.diverged(sum)
	}
	t.adam.Update(t.Net.Params.Data, sum, rate)
	t.Net.Params.Updated()
	return norm, nil
}

// shard computes the gradient of part i of the batch.
func (t *Trainer) shard(pass *model.Pass, sample *model.Sample, i int) {
	n, b := len(t.shards), len(t.batch)
	grad := t.shards[i]
	clear(grad)
	for k := i * b / n; k < (i+1)*b/n; k++ {
		t.Source.Fill(sample, t.batch[k])
		pass.Set(0, *sample)
		t.losses[k] = pass.Forward()
		t.excess[k] = pass.Excess()
		pass.Backward(1/float64(b), grad)
	}
}

// evaluate computes the loss of validation group i.
func (t *Trainer) evaluate(pass *model.Pass, sample *model.Sample, i int) {
	t.Source.Fill(sample, t.val[i])
	pass.Set(0, *sample)
	t.losses[i] = pass.Forward()
	t.excess[i] = pass.Excess()
}

func finite(v []float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

// diverged names the step, the pattern and the layer at which training left the finite numbers. The weights
// are still those before the step, and are saved unless they are the trouble themselves.
func (t *Trainer) diverged(grad []float32) error {
	where := "no layer"
	for _, p := range t.Net.Params.All() {
		if !finite([]float64{optim.Norm(grad[p.Offset:][:p.Shape.Size()])}) {
			where = p.Name
			break
		}
	}
	pattern := t.Source.Groups[t.batch[0]][0]
	for i, g := range t.batch {
		if !finite(t.losses[i : i+1]) {
			pattern = t.Source.Groups[g][0]
			break
		}
	}
	err := fmt.Errorf("epoch %d, step %d: the loss or its gradient is not finite (first in the gradient of %s; pattern %d): "+
		"lower --learning_rate or set --gradient_clip_val 1; the last finite weights are in %s",
		t.cur.Epoch+1, t.adam.Step+1, where, pattern, t.path(model.LastFile))
	if !finite([]float64{optim.Norm(t.Net.Params.Data)}) {
		return err
	}
	return errors.Join(err, t.saveWeights(model.LastFile))
}

// endEpoch validates, adapts the learning rate and saves.
func (t *Trainer) endEpoch(rate float64, first int, train time.Duration) error {
	start := time.Now()
	e := Epoch{
		Epoch: t.cur.Epoch + 1, LearningRate: rate, GradNorm: t.cur.GradNorm,
		TrainLoss: t.cur.Loss / float64(t.cur.Samples), Excess: t.cur.Excess / float64(t.cur.Samples),
		ValLoss: math.NaN(), ValExcess: math.NaN(),
	}
	score := e.TrainLoss
	if n := len(t.val); n > 0 {
		t.pool.run(n, t.evalJob)
		e.ValLoss, e.ValExcess = mean(t.losses[:n]), mean(t.excess[:n])
		score = e.ValLoss
	}
	if !finite([]float64{score}) {
		return fmt.Errorf("epoch %d: the validation loss is %g: lower --learning_rate or set --gradient_clip_val 1; the weights of the epoch before are in %s", e.Epoch, score, t.path(model.LastFile))
	}
	t.schedule.Observe(score)
	e.Seconds = (train + time.Since(start)).Seconds()
	patterns := len(t.train) - first*t.Config.BatchSize
	e.PatternsPerSecond = float64(patterns*t.Net.Config.Channels()) / train.Seconds()
	t.history = append(t.history, e)
	t.cur.Stale++
	better := score < t.cur.Best
	if better {
		t.cur.Best, t.cur.BestEpoch, t.cur.Stale = score, e.Epoch, 0
	}
	t.cur.nextEpoch()
	if err := t.save(better); err != nil {
		return err
	}
	if t.OnEpoch != nil {
		t.OnEpoch(e)
	}
	return nil
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

func (t *Trainer) progress(batches, first int, elapsed time.Duration) {
	if t.OnBatch == nil {
		return
	}
	done := t.cur.Batch - first
	perBatch := elapsed / time.Duration(done)
	left := batches - t.cur.Batch + (t.Config.Epochs-t.cur.Epoch-1)*batches
	patterns := float64(done*t.Config.BatchSize*t.Net.Config.Channels()) / elapsed.Seconds()
	t.OnBatch(Progress{
		Epoch: t.cur.Epoch + 1, Epochs: t.Config.Epochs, Batch: t.cur.Batch, Batches: batches,
		Loss: t.cur.Loss / float64(t.cur.Samples), PatternsPerSecond: patterns, ETA: time.Duration(left) * perBatch,
	})
}

// verify reads both checkpoints back and compares the last with the weights in memory, bit for bit: a
// checkpoint that cannot be loaded is not a success.
func (t *Trainer) verify() error {
	if _, _, err := model.Load(t.path(model.BestFile)); err != nil {
		return fmt.Errorf("reading the checkpoint back: %w", err)
	}
	net, _, err := model.Load(t.path(model.LastFile))
	if err != nil {
		return fmt.Errorf("reading the checkpoint back: %w", err)
	}
	if !sameBits(net.Params, t.Net.Params) {
		return fmt.Errorf("%s does not hold the weights that were trained", t.path(model.LastFile))
	}
	return nil
}

func sameBits(a, b *autodiff.Params) bool {
	if len(a.Data) != len(b.Data) {
		return false
	}
	for i, v := range a.Data {
		if math.Float32bits(v) != math.Float32bits(b.Data[i]) {
			return false
		}
	}
	return true
}
