package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"ptycho/internal/pool"
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
	// every epoch, OnBatch after every batch and OnWarn with every trouble that does not stop the training; all
	// may be nil.
	OnStart func(Start) error
	OnEpoch func(Epoch)
	OnBatch func(done Progress)
	OnWarn  func(text string)

	fresh       bool   // nothing has been saved but the state, so that other files are an older run's
	fingerprint string // of the data
	train, val  []int  // indices of groups
	pool        *pool.Pool[*worker]
	grad        *reduction
	losses      []float64 // by sample of a batch
	excess      []float64
	adam        *optim.Adam
	schedule    optim.Schedule
	cur         cursor
	history     History
	batch       []int
	job         job
	updateJob   job
}

// Start is where a run begins.
type Start struct {
	Resumed bool // it goes on with an earlier run
	Epochs  int  // done before
	Batches int  // done before in the next epoch
}

// String says it to people who asked for a run to be resumed.
func (s Start) String() string {
	switch {
	case !s.Resumed:
		return "there is nothing to resume: the training starts anew"
	case s.Batches > 0:
		return fmt.Sprintf("resuming in epoch %d, after %d batches of it", s.Epochs+1, s.Batches)
	}
	return fmt.Sprintf("resuming after epoch %d", s.Epochs)
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
	Start   Start
	Best    Epoch  // the epoch whose weights are kept as best
	Last    Epoch  // the last epoch
	Stopped string // why training ended: "epochs" or "patience"
	Train   int    // groups trained on
	Val     int    // groups validated on
}

// Run trains until the epochs are done, the validation loss has stopped falling or ctx ends. After every
// epoch it writes the best and the last weights, the state and the history. A run directory that another
// process trains in, and settings or data other than those of a run to be resumed are errors, which leave
// the directory as it was.
func (t *Trainer) Run(ctx context.Context) (*Result, error) {
	if err := t.prepare(); err != nil {
		return nil, err
	}
	defer t.pool.Close()
	unlock, err := t.lockDir()
	if err != nil {
		return nil, err
	}
	defer unlock()
	start, err := t.begin()
	if err != nil {
		return nil, err
	}
	res := &Result{Start: start, Stopped: "epochs", Train: len(t.train), Val: len(t.val)}
	for t.cur.Epoch < t.Config.Epochs {
		if t.Config.Patience > 0 && t.cur.Stale >= t.Config.Patience {
			res.Stopped = "patience"
			break
		}
		if err := t.epoch(ctx); err != nil {
			return nil, err
		}
	}
	res.Last = t.history[len(t.history)-1]
	res.Best = t.history[t.cur.BestEpoch-1]
	t.grad, t.adam = nil, nil // room for reading the checkpoints
	return res, t.verify()
}

// prepare makes everything that the loop needs.
func (t *Trainer) prepare() error {
	c := &t.Config
	if err := c.Validate(); err != nil {
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
	t.pool = newPool(c.workers(), t.Net, model.PassOptions{Mode: model.Train, Canvas: t.Canvas})
	// One buffer more than workers lets a worker go on that is ahead of another one.
	t.grad = newReduction(len(t.Net.Params.Data), c.shards(), c.workers()+1)
	n := max(c.BatchSize, len(t.val))
	t.losses, t.excess = make([]float64, n), make([]float64, n)
	t.job, t.updateJob = t.shard, t.update
	t.fingerprint = t.Source.Fingerprint()
	t.cur, t.history = cursor{Best: math.Inf(1)}, nil
	return t.pool.Run(t.Net.Params.Updates(), t.updateJob)
}

// split returns which groups, chosen at random, are trained on and which validate.
func split(groups int, c *Config) (train, val []int) {
	order := rng.New(c.Seed, "train/split", 0).Perm(groups)
	n := c.ValGroups(groups)
	return order[n:], order[:n]
}

func (t *Trainer) warn(text string) {
	if t.OnWarn != nil {
		t.OnWarn(text)
	}
}
