package train

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/internal/kernel"
	"ptycho/model"
	"ptycho/optim"
)

func TestTrainingLowersTheLoss(t *testing.T) {
	long(t)
	for _, gridsize := range []int{1, 2} {
		tr, err := tiny(t.TempDir(), gridsize)
		require.NoError(t, err)
		tr.Config.Epochs, tr.Config.BatchSize = 5, 3
		res, err := tr.Run(context.Background())
		require.NoError(t, err)
		h, err := ReadHistory(tr.Dir)
		require.NoError(t, err)
		require.Len(t, h, 5)
		require.Equal(t, 15, res.Train+res.Val)
		require.Equal(t, 3, res.Val)
		require.Equal(t, h[4], res.Last)
		require.Less(t, h[4].TrainLoss, h[0].TrainLoss)
		require.Less(t, h[4].Excess, h[0].Excess)
		for i, e := range h {
			require.Equal(t, i+1, e.Epoch)
			require.GreaterOrEqual(t, e.Excess, 0.0)
			require.GreaterOrEqual(t, e.ValExcess, 0.0)
			require.Positive(t, e.GradNorm)
			require.Positive(t, e.PatternsPerSecond)
			require.Equal(t, 1e-3, e.LearningRate)
		}
	}
}

// rates returns the learning rate of every optimiser step of a run, worked out from what the step did to the
// weight that it moved most.
func rates(tr *Trainer) (steps *[]float64, onBatch func(Progress)) {
	steps = &[]float64{}
	before := slices.Clone(tr.Net.Params.Data)
	return steps, func(Progress) {
		now, a := tr.Net.Params.Data, tr.adam
		k, most := 0, 0.0
		for i, v := range now {
			if d := math.Abs(float64(v) - float64(before[i])); d > most {
				k, most = i, d
			}
		}
		m := float64(a.M[k]) / (1 - math.Pow(a.Beta1, float64(a.Step)))
		v := float64(a.V[k]) / (1 - math.Pow(a.Beta2, float64(a.Step)))
		*steps = append(*steps, (float64(before[k])-float64(now[k]))*(math.Sqrt(v)+a.Epsilon)/m)
		copy(before, now)
	}
}

func TestLearningRatesAreSteppedAsWritten(t *testing.T) {
	long(t)
	for _, tt := range []struct {
		name     string
		schedule optim.ScheduleConfig
		epochs   int
		want     func(e int, h History) float64
	}{
		{
			"cosine with warm-up",
			optim.ScheduleConfig{Name: "cosine", Warmup: 2, FloorFrac: 0.1},
			4,
			func(e int, _ History) float64 {
				return []float64{0.005, 0.01, 0.01, 0.001 + 0.009*0.5}[e]
			},
		},
		{
			"exponential",
			optim.ScheduleConfig{Name: "exponential", Factor: 0.5},
			3,
			func(e int, _ History) float64 { return []float64{0.01, 0.005, 0.0025}[e] },
		},
		{
			"plateau",
			optim.ScheduleConfig{Name: "plateau", Factor: 0.5, MinRate: 0.004},
			6,
			func(e int, h History) float64 {
				rate, best := 0.01, math.Inf(1)
				for _, past := range h[:e] {
					if past.ValLoss < best {
						best = past.ValLoss
					} else {
						rate = max(rate/2, 0.004)
					}
				}
				return rate
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr, err := tiny(t.TempDir(), 1)
			require.NoError(t, err)
			tr.Config.Epochs, tr.Config.Schedule, tr.Config.LearningRate, tr.Config.Patience = tt.epochs, tt.schedule, 0.01, 0
			steps, onBatch := rates(tr)
			tr.OnBatch = onBatch
			tr.OnEpoch = func(e Epoch) {
				if e.Epoch == 2 { // later epochs look worse
					for _, g := range tr.val {
						frame := tr.Source.Data.Frame(tr.Source.Groups[g][0])
						for i := range frame {
							frame[i] *= 9
						}
					}
				}
			}
			_, err = tr.Run(context.Background())
			require.NoError(t, err)
			h, err := ReadHistory(tr.Dir)
			require.NoError(t, err)
			require.Len(t, *steps, 3*tt.epochs)
			different := map[float64]bool{}
			for i, got := range *steps {
				e := i / 3
				require.InEpsilon(t, tt.want(e, h), h[e].LearningRate, 1e-12, "epoch %d", e+1)
				require.InEpsilon(t, h[e].LearningRate, got, 1e-3, "step %d", i+1)
				different[h[e].LearningRate] = true
			}
			require.Greater(t, len(different), 1, "the rate changes at all")
		})
	}
}

func TestGradientsAreClipped(t *testing.T) {
	tr, err := tiny(t.TempDir(), 1)
	require.NoError(t, err)
	tr.Config.Epochs, tr.Config.ClipNorm = 1, 1e-3
	checked := 0
	tr.OnBatch = func(Progress) {
		require.LessOrEqual(t, optim.Norm(tr.adam.M), 1e-3*(1+1e-5), "the mean of clipped gradients")
		checked++
	}
	res, err := tr.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, 3, checked)
	require.Greater(t, res.Last.GradNorm, 1e-3, "the history tells the norm before clipping")
}

func TestBestWeightsAreThoseOfTheBestEpoch(t *testing.T) {
	long(t)
	tr, err := tiny(t.TempDir(), 1)
	require.NoError(t, err)
	tr.Config.Epochs, tr.Config.LearningRate, tr.Config.Patience = 6, 0.02, 0
	var after [][]float32
	tr.OnEpoch = func(e Epoch) {
		after = append(after, slices.Clone(tr.Net.Params.Data))
		if e.Epoch == 5 { // the last one starts from worse weights
			for i := range tr.Net.Params.Data {
				tr.Net.Params.Data[i] *= 2
			}
			tr.Net.Params.Updated()
		}
	}
	res, err := tr.Run(context.Background())
	require.NoError(t, err)
	h, err := ReadHistory(tr.Dir)
	require.NoError(t, err)
	best := 0
	for i, e := range h {
		if e.ValLoss < h[best].ValLoss {
			best = i
		}
	}
	require.Less(t, best, 5, "a later epoch is worse")
	require.Equal(t, h[best], res.Best)
	net, meta, err := model.Load(tr.Dir)
	require.NoError(t, err)
	require.Equal(t, after[best], net.Params.Data)
	require.Equal(t, []string{strconv.Itoa(best + 1), strconv.Itoa(best + 1), strconv.Itoa(3 * (best + 1))}, []string{meta["best_epoch"], meta["epochs"], meta["steps"]})

	var val []data.Group
	for _, g := range tr.val {
		val = append(val, tr.Source.Groups[g])
	}
	loss, excess, err := Evaluate(context.Background(), net, tr.Source.Data, val, 2)
	require.NoError(t, err)
	require.InEpsilon(t, h[best].ValLoss, loss, 1e-12)
	require.InEpsilon(t, h[best].ValExcess, excess, 1e-12)
}

func TestTrainingStopsWhenTheValidationLossDoes(t *testing.T) {
	dir := t.TempDir()
	still := func(tr *Trainer) {
		tr.Config.Epochs, tr.Config.LearningRate, tr.Config.Patience = 9, 1e-30, 2
		for i, v := range tr.Net.Params.Data {
			if v == 0 { // so small a rate changes no weight but these
				tr.Net.Params.Data[i] = 1e-3
			}
		}
	}
	res := run(t, dir, still)
	require.Equal(t, "patience", res.Stopped)
	require.Equal(t, 1, res.Best.Epoch)
	require.Equal(t, 3, res.Last.Epoch, "two epochs after the best")

	res = run(t, dir, func(tr *Trainer) { still(tr); tr.Resume = true })
	require.Equal(t, "patience", res.Stopped)
	require.Equal(t, 3, res.Last.Epoch)

	res = run(t, dir, func(tr *Trainer) { still(tr); tr.Resume, tr.Config.Patience, tr.Config.Epochs = true, 0, 5 })
	require.Equal(t, "epochs", res.Stopped)
	require.Equal(t, 5, res.Last.Epoch)
}

func TestWithoutValidationTheTrainingLossDecides(t *testing.T) {
	long(t)
	dir := t.TempDir()
	res := run(t, dir, func(tr *Trainer) { tr.Config.ValFraction = 0 })
	require.Equal(t, []int{15, 0}, []int{res.Train, res.Val})
	require.True(t, math.IsNaN(res.Last.ValLoss))
	require.NotContains(t, res.Last.Record(), "val_loss")
	require.Contains(t, res.Last.Record(), "train_loss")
	_, meta, err := model.Load(dir)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(res.Best.Epoch), meta["best_epoch"])
	h, err := ReadHistory(dir)
	require.NoError(t, err)
	require.True(t, math.IsNaN(h[0].ValLoss))
}

func TestDivergenceNamesWhereAndKeepsFiniteWeights(t *testing.T) {
	last := func(tr *Trainer) *model.Network {
		net, _, err := model.Load(tr.path(model.LastFile))
		require.NoError(t, err)
		require.False(t, math.IsNaN(optim.Norm(net.Params.Data)))
		return net
	}
	t.Run("huge learning rate", func(t *testing.T) {
		tr, err := tiny(t.TempDir(), 1)
		require.NoError(t, err)
		tr.Config.LearningRate = 1e30
		_, err = tr.Run(context.Background())
		require.ErrorContains(t, err, "epoch 1, step 2: the loss or its gradient is not finite")
		require.ErrorContains(t, err, "lower --learning_rate or set --gradient_clip_val 1")
		require.Equal(t, tr.Net.Params.Data, last(tr).Params.Data)
	})
	t.Run("weight", func(t *testing.T) {
		tr, err := tiny(t.TempDir(), 1)
		require.NoError(t, err)
		p := tr.Net.Params.All()[0]
		var good []float32
		tr.OnEpoch = func(Epoch) {
			good = slices.Clone(tr.Net.Params.Data)
			tr.Net.Params.View(p)[0] = float32(math.NaN())
			tr.Net.Params.Updated()
		}
		_, err = tr.Run(context.Background())
		require.ErrorContains(t, err, "epoch 2, step 4")
		require.ErrorContains(t, err, "first in the gradient of "+p.Name)
		require.ErrorContains(t, err, tr.path(model.LastFile))
		require.Equal(t, good, last(tr).Params.Data, "those of the epoch before")
	})
	t.Run("before any weights were saved", func(t *testing.T) {
		tr, err := tiny(t.TempDir(), 1)
		require.NoError(t, err)
		p := tr.Net.Params.All()[0]
		tr.Net.Params.View(p)[0] = float32(math.NaN())
		_, err = tr.Run(context.Background())
		require.ErrorContains(t, err, "epoch 1, step 1")
		require.ErrorContains(t, err, "no weights have been saved yet")
		require.NotContains(t, err.Error(), "last.safetensors")

		tr, err = tiny(t.TempDir(), 1)
		require.NoError(t, err)
		tr.OnBatch = func(Progress) { tr.Source.Data.Frame(tr.Source.Groups[tr.val[0]][0])[5] = float32(math.Inf(1)) }
		_, err = tr.Run(context.Background())
		require.ErrorContains(t, err, "epoch 1: the validation loss is")
		require.ErrorContains(t, err, "no weights have been saved yet")
	})
	t.Run("weights that cannot be saved", func(t *testing.T) {
		tr, err := tiny(t.TempDir(), 1)
		require.NoError(t, err)
		tr.Config.LearningRate = 1e30
		tr.OnBatch = func(Progress) {
			require.NoError(t, os.RemoveAll(filepath.Dir(tr.path(model.LastFile))))
		}
		_, err = tr.Run(context.Background())
		require.ErrorContains(t, err, "no weights have been saved yet")
		require.ErrorContains(t, err, "cannot write "+tr.path(model.LastFile))
	})
	t.Run("pattern", func(t *testing.T) {
		ds, err := scan(15)
		require.NoError(t, err)
		tr, err := trainer(t.TempDir(), ds, 1)
		require.NoError(t, err)
		tr.Config.ValFraction = 0
		ds.Frame(11)[2000] = float32(math.NaN())
		_, err = tr.Run(context.Background())
		require.ErrorContains(t, err, "pattern 11)")
		last(tr)
	})
	t.Run("validation", func(t *testing.T) {
		ds, err := scan(15)
		require.NoError(t, err)
		tr, err := trainer(t.TempDir(), ds, 1)
		require.NoError(t, err)
		_, val := split(15, &tr.Config)
		tr.OnEpoch = func(Epoch) { ds.Frame(tr.Source.Groups[val[0]][0])[5] = float32(math.Inf(1)) }
		_, err = tr.Run(context.Background())
		require.ErrorContains(t, err, "epoch 2: the validation loss is")
		require.ErrorContains(t, err, tr.path(model.LastFile))
		last(tr)
	})
}

func TestSplit(t *testing.T) {
	c := Defaults()
	for _, tt := range []struct {
		groups, batch int
		fraction      float64
		val           int
	}{
		{1000, 16, 0.05, 50},
		{200, 16, 0.05, 16}, // a batch
		{40, 16, 0.05, 10},  // a quarter
		{3, 16, 0.05, 1},    // at least one
		{1, 16, 0.05, 0},
		{100, 16, 0, 0},
		{100, 16, 0.99, 99},
		{10, 16, 0.99, 10},
	} {
		c.BatchSize, c.ValFraction, c.Seed = tt.batch, tt.fraction, 42
		train, val := split(tt.groups, &c)
		require.Len(t, val, tt.val, "%+v", tt)
		all := append(slices.Clone(train), val...)
		slices.Sort(all)
		for i, g := range all {
			require.Equal(t, i, g, "every group once")
		}
		require.Len(t, all, tt.groups)
		_, again := split(tt.groups, &c)
		require.Equal(t, val, again)
		if c.Seed++; tt.groups >= 40 && tt.val > 0 {
			_, other := split(tt.groups, &c)
			require.NotEqual(t, val, other, "the seed chooses")
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"epochs", func(c *Config) { c.Epochs = 0 }, "nepochs 0 is not positive"},
		{"batch", func(c *Config) { c.BatchSize = -1 }, "batch_size -1 is not positive"},
		{"clip", func(c *Config) { c.ClipNorm = -1 }, "gradient_clip_val -1 is negative"},
		{"fraction", func(c *Config) { c.ValFraction = 1 }, "val_fraction 1 is not in [0, 1)"},
		{"infinite clip", func(c *Config) { c.ClipNorm = math.Inf(1) }, "gradient_clip_val +Inf is negative or not finite"},
		{"NaN clip", func(c *Config) { c.ClipNorm = math.NaN() }, "gradient_clip_val NaN is negative or not finite"},
		{"infinite fraction", func(c *Config) { c.ValFraction = math.Inf(-1) }, "val_fraction -Inf"},
		{"NaN fraction", func(c *Config) { c.ValFraction = math.NaN() }, "val_fraction NaN"},
		{"patience", func(c *Config) { c.Patience = -1 }, "patience -1 is negative"},
		{"shards", func(c *Config) { c.Shards = 0 }, "shards 0 is not positive"},
		{"workers", func(c *Config) { c.Workers = -2 }, "workers -2 is negative"},
		{"rate", func(c *Config) { c.LearningRate = 0 }, "learning_rate 0 is not positive"},
		{"infinite rate", func(c *Config) { c.LearningRate = math.Inf(1) }, "learning_rate +Inf is not positive and finite"},
		{"warm-up", func(c *Config) { c.Schedule.Warmup = -1 }, "lr_warmup_epochs -1 is negative"},
		{"schedule", func(c *Config) { c.Schedule.Name = "step" }, `unknown schedule "step"`},
		{"nothing to train on", func(c *Config) { c.ValFraction = 0.99 }, "15 groups leave none to train on with val_fraction 0.99 and batch_size 5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr, err := tiny(t.TempDir(), 1)
			require.NoError(t, err)
			tt.change(&tr.Config)
			_, err = tr.Run(context.Background())
			require.ErrorContains(t, err, tt.want)
		})
	}
	c := Defaults()
	require.NoError(t, c.Validate())
	c.Epochs, c.Patience = 0, -1
	require.ErrorContains(t, c.Validate(), "nepochs 0 is not positive\npatience -1 is negative")
}

func TestOnStart(t *testing.T) {
	dir := t.TempDir()
	started := 0
	start := func(tr *Trainer) { tr.Config.Epochs, tr.OnStart = 1, func(Start) error { started++; return nil } }
	run(t, dir, start)
	require.Equal(t, 1, started)

	tr, err := tiny(dir, 1)
	require.NoError(t, err)
	start(tr)
	tr.Resume, tr.Config.Seed = true, 5
	_, err = tr.Run(context.Background())
	require.Error(t, err)
	require.Equal(t, 1, started, "a run that is refused does not start")

	tr, err = tiny(dir, 1)
	require.NoError(t, err)
	tr.OnStart = func(Start) error { return os.ErrPermission }
	_, err = tr.Run(context.Background())
	require.ErrorIs(t, err, os.ErrPermission)
}

func TestStart(t *testing.T) {
	for want, s := range map[string]Start{
		"there is nothing to resume: the training starts anew": {},
		"resuming after epoch 3":                               {Resumed: true, Epochs: 3},
		"resuming in epoch 4, after 2 batches of it":           {Resumed: true, Epochs: 3, Batches: 2},
	} {
		require.Equal(t, want, s.String())
	}
}

func TestProgress(t *testing.T) {
	tr, err := tiny(t.TempDir(), 1)
	require.NoError(t, err)
	var seen []Progress
	tr.OnBatch = func(p Progress) { seen = append(seen, p) }
	_, err = tr.Run(context.Background())
	require.NoError(t, err)
	require.Len(t, seen, 6)
	for i, p := range seen {
		require.Equal(t, [4]int{i/3 + 1, 2, i%3 + 1, 3}, [4]int{p.Epoch, p.Epochs, p.Batch, p.Batches})
		require.Positive(t, p.Loss)
		require.Positive(t, p.PatternsPerSecond)
		require.Equal(t, i == 5, p.ETA == 0)
	}
}

// The 12 groups trained on make batches of 5, 5 and 2.
func TestPatternsOfAShortBatch(t *testing.T) {
	tr, err := tiny(t.TempDir(), 2)
	require.NoError(t, err)
	tr.train = make([]int, 12)
	for want, b := range map[int][2]int{20: {0, 1}, 48: {0, 3}, 28: {1, 3}, 8: {2, 3}, 0: {3, 3}} {
		tr.cur.Batch = b[1]
		require.Equal(t, want, tr.patterns(b[0]), b)
	}
}

func TestVerifyNoticesAWrongFile(t *testing.T) {
	long(t)
	tr, err := tiny(t.TempDir(), 1)
	require.NoError(t, err)
	tr.OnEpoch = func(e Epoch) {
		if e.Epoch == 2 {
			tr.Net.Params.Data[3]++
		}
	}
	_, err = tr.Run(context.Background())
	require.ErrorContains(t, err, "does not hold the weights that were trained")

	tr, err = tiny(t.TempDir(), 1)
	require.NoError(t, err)
	tr.OnEpoch = func(e Epoch) {
		if e.Epoch == 2 {
			tr.cur.BestEpoch = 1
			require.NoError(t, tr.saveWeights(model.BestFile))
			tr.cur.BestEpoch = 2
		}
	}
	_, err = tr.Run(context.Background())
	require.ErrorContains(t, err, "expected the weights of epoch 2")

	for _, name := range []string{model.BestFile, model.LastFile} {
		tr, err = tiny(t.TempDir(), 1)
		require.NoError(t, err)
		tr.OnEpoch = func(e Epoch) {
			if e.Epoch == 2 {
				require.NoError(t, os.Truncate(tr.path(name), 4000))
			}
		}
		_, err = tr.Run(context.Background())
		require.ErrorContains(t, err, "reading the checkpoint back")
		require.ErrorContains(t, err, filepath.Base(name))
	}
}

func TestSteadyStepsDoNotAllocate(t *testing.T) {
	if kernel.Name() == "generic" {
		t.Skip("the plain-Go kernels hand out work with closures")
	}
	for _, gridsize := range []int{1, 2} {
		tr, err := tiny(t.TempDir(), gridsize)
		require.NoError(t, err)
		require.NoError(t, tr.prepare())
		defer tr.pool.Close()
		tr.batch = tr.train[:tr.Config.BatchSize]
		require.Zero(t, testing.AllocsPerRun(3, func() {
			_, err := tr.step(1e-3)
			require.NoError(t, err)
		}), "gridsize %d", gridsize)
		evaluate := job(tr.evaluate)
		require.Zero(t, testing.AllocsPerRun(2, func() { tr.pool.Run(len(tr.val), evaluate) }), "validation")
	}
}

func TestEvaluate(t *testing.T) {
	ds, err := scan(9)
	require.NoError(t, err)
	for _, gridsize := range []int{1, 2} {
		net, err := network(ds, gridsize)
		require.NoError(t, err)
		groups, err := data.MakeGroups(ds.X, ds.Y, data.GroupOptions{Gridsize: gridsize})
		require.NoError(t, err)
		loss, excess, err := Evaluate(context.Background(), net, ds, groups, 1)
		require.NoError(t, err)
		require.Positive(t, excess)
		for _, workers := range []int{0, 2, 50} {
			l, e, err := Evaluate(context.Background(), net, ds, groups, workers)
			require.NoError(t, err)
			require.Equal(t, [2]float64{loss, excess}, [2]float64{l, e}, "%d workers", workers)
		}
		sum := 0.0
		for i := range groups {
			l, _, err := Evaluate(context.Background(), net, ds, groups[i:i+1], 1)
			require.NoError(t, err)
			sum += l / 9
		}
		if gridsize == 1 { // the canvas of a group depends on all groups, to rounding
			require.InEpsilon(t, sum, loss, 1e-12)
		} else {
			require.InEpsilon(t, sum, loss, 1e-5)
		}
	}
	net, err := network(ds, 1)
	require.NoError(t, err)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err = Evaluate(cancelled, net, ds, []data.Group{{0}, {1}}, 2)
	require.ErrorIs(t, err, context.Canceled)
	small := *ds
	small.N, small.Path = 32, "small.npz"
	_, _, err = Evaluate(context.Background(), net, &small, []data.Group{{0}}, 2)
	require.ErrorContains(t, err, "small.npz: key diffraction: expected frames of 64×64 pixels")
}

func TestHistoryFile(t *testing.T) {
	dir := t.TempDir()
	h := History{
		{Epoch: 1, TrainLoss: 1. / 3, ValLoss: math.NaN(), Excess: 1e300, ValExcess: math.Inf(1), LearningRate: 1e-3, GradNorm: 5e-324, Seconds: 2.5, PatternsPerSecond: 100},
		{Epoch: 2, TrainLoss: -0.25, ValLoss: 2, Excess: 3, ValExcess: 4, LearningRate: 5, GradNorm: 6, Seconds: 7, PatternsPerSecond: 8},
	}
	require.NoError(t, h.Write(filepath.Join(dir, HistoryFile)))
	text, err := os.ReadFile(filepath.Join(dir, HistoryFile))
	require.NoError(t, err)
	require.Equal(t, "epoch,train_loss,val_loss,excess_nll,val_excess_nll,learning_rate,grad_norm,seconds,patterns_per_second\n"+
		"1,0.3333333333333333,NaN,1e+300,+Inf,0.001,5e-324,2.5,100\n"+
		"2,-0.25,2,3,4,5,6,7,8\n", string(text))
	got, err := ReadHistory(dir)
	require.NoError(t, err)
	require.True(t, math.IsNaN(got[0].ValLoss))
	got[0].ValLoss, h[0].ValLoss = 0, 0
	require.Equal(t, h, got)
	require.Equal(t, map[string]any{
		"epoch": 1, "train_loss": 1. / 3, "val_loss": 0.0, "excess_nll": 1e300, "learning_rate": 1e-3, "grad_norm": 5e-324, "seconds": 2.5, "patterns_per_second": 100.0,
	}, got[0].Record())
	_, err = ReadHistory(t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}
