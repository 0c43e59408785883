package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"ptycho/internal/rng"
	"ptycho/model"
	"ptycho/optim"
)

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
	return t.endEpoch(ctx, rate, first, time.Since(start))
}

// step does one optimiser step on t.batch and returns the norm of its gradient before clipping.
func (t *Trainer) step(rate float64) (float64, error) {
	t.grad.reset()
	if err := t.pool.Run(t.Config.shards(), t.job); err != nil {
		return 0, err
	}
	for i := range t.batch {
		t.cur.Loss += t.losses[i]
		t.cur.Excess += t.excess[i]
		t.cur.Samples++
	}
	sum, norm := t.grad.total()
	if math.IsNaN(norm) || math.IsInf(norm, 0) || !finite(t.losses[:len(t.batch)]) {
		return norm, t.diverged(sum)
	}
	t.adam.Update(t.Net.Params.Data, sum, optim.ClipScale(norm, t.Config.ClipNorm), rate)
	return norm, t.pool.Run(t.Net.Params.Updates(), t.updateJob)
}

// update is the i-th part of Params.Updated.
func (t *Trainer) update(_ *worker, i int) error {
	t.Net.Params.Update(i)
	return nil
}

// shard computes the gradient of part i of the batch.
func (t *Trainer) shard(w *worker, i int) error {
	n, b := t.Config.shards(), len(t.batch)
	grad := t.grad.begin(i)
	defer t.grad.end(i, grad)
	for k := i * b / n; k < (i+1)*b/n; k++ {
		if err := t.forward(w, t.batch[k], k); err != nil {
			return err
		}
		w.pass.Backward(1/float64(b), grad)
	}
	return nil
}

// evaluate computes the loss of validation group i.
func (t *Trainer) evaluate(w *worker, i int) error {
	return t.forward(w, t.val[i], i)
}

// forward computes the k-th loss, that of group g.
func (t *Trainer) forward(w *worker, g, k int) error {
	if err := t.Source.Fill(&w.sample, g); err != nil {
		return err
	}
	w.pass.Set(0, w.sample)
	t.losses[k] = w.pass.Forward()
	t.excess[k] = w.pass.Excess()
	return nil
}

// endEpoch validates, adapts the learning rate and saves.
func (t *Trainer) endEpoch(ctx context.Context, rate float64, first int, train time.Duration) error {
	start := time.Now()
	e := Epoch{
		Epoch: t.cur.Epoch + 1, LearningRate: rate, GradNorm: t.cur.GradNorm,
		TrainLoss: t.cur.Loss / float64(t.cur.Samples), Excess: t.cur.Excess / float64(t.cur.Samples),
		ValLoss: math.NaN(), ValExcess: math.NaN(),
	}
	score := e.TrainLoss
	if n := len(t.val); n > 0 {
		err := t.validate(ctx)
		if err != nil && errors.Is(err, ctx.Err()) {
			return t.interrupt()
		}
		if err != nil {
			return err
		}
		e.ValLoss, e.ValExcess = mean(t.losses[:n]), mean(t.excess[:n])
		score = e.ValLoss
	}
	if !finite([]float64{score}) {
		return fmt.Errorf("epoch %d: the validation loss is %g: lower --learning_rate or set --gradient_clip_val 1; %s", e.Epoch, score, t.lastWeights())
	}
	t.schedule.Observe(score)
	e.Seconds = (train + time.Since(start)).Seconds()
	e.PatternsPerSecond = float64(t.patterns(first)) / train.Seconds()
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

// validate computes the losses of the validation groups.
func (t *Trainer) validate(ctx context.Context) error {
	return t.pool.Run(len(t.val), func(w *worker, i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return t.evaluate(w, i)
	})
}

// patterns returns how many frames have been trained on in this epoch since batch first; the last batch may be short.
func (t *Trainer) patterns(first int) int {
	groups := func(batches int) int { return min(batches*t.Config.BatchSize, len(t.train)) }
	return (groups(t.cur.Batch) - groups(first)) * t.Net.Config.Channels()
}

func (t *Trainer) progress(batches, first int, elapsed time.Duration) {
	if t.OnBatch == nil {
		return
	}
	done := t.cur.Batch - first
	perBatch := elapsed / time.Duration(done)
	left := batches - t.cur.Batch + (t.Config.Epochs-t.cur.Epoch-1)*batches
	t.OnBatch(Progress{
		Epoch: t.cur.Epoch + 1, Epochs: t.Config.Epochs, Batch: t.cur.Batch, Batches: batches,
		Loss: t.cur.Loss / float64(t.cur.Samples), PatternsPerSecond: float64(t.patterns(first)) / elapsed.Seconds(), ETA: time.Duration(left) * perBatch,
	})
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
	var err error
	if finite([]float64{optim.Norm(t.Net.Params.Data)}) {
		err = t.saveWeights(model.LastFile)
	}
	return errors.Join(fmt.Errorf("epoch %d, step %d: the loss or its gradient is not finite (first in the gradient of %s; pattern %d): "+
		"lower --learning_rate or set --gradient_clip_val 1; %s", t.cur.Epoch+1, t.adam.Step+1, where, pattern, t.lastWeights()), err)
}

// lastWeights says where the last finite weights are.
func (t *Trainer) lastWeights() string {
	if _, err := os.Stat(t.path(model.LastFile)); err != nil || t.fresh {
		return "no weights have been saved yet"
	}
	return "the last finite weights are in " + t.path(model.LastFile)
}

func finite(v []float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}
