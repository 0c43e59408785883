// Package train fits a network to a scan: batches, loss, optimiser step, validation, history, and a state
// from which an interrupted run goes on with the same bits.
package train

import (
	"errors"
	"fmt"
	"math"
	"runtime"

	"ptycho/optim"
)

// Config says how to train. It does not say what: that is model.Config.
type Config struct {
	Epochs       int                  `json:"nepochs"`
	BatchSize    int                  `json:"batch_size"`
	LearningRate float64              `json:"learning_rate"`
	Schedule     optim.ScheduleConfig `json:"schedule"`
	ClipNorm     float64              `json:"gradient_clip_val"` // 0 clips nothing
	ValFraction  float64              `json:"val_fraction"`      // of the groups, chosen at random
	Patience     int                  `json:"patience"`          // epochs without a better validation loss before stopping; 0 never stops
	Seed         uint64               `json:"seed"`              // of the validation split and the order of the groups

	// Shards is into how many parts a batch is cut, each with a gradient of its own; the parts are summed in
	// a fixed order, so that the number of workers does not change a bit.
	Shards int `json:"shards"`

	// Workers is how many shards are computed at the same time; 0 is one a core. It is not part of what a
	// checkpoint or a resumed run depends on.
	Workers int `json:"-"`
}

// Defaults returns the default training configuration, that of the original program where it has one.
func Defaults() Config {
	return Config{
		Epochs:       50,
		BatchSize:    16,
		LearningRate: 1e-3,
		Schedule:     optim.ScheduleConfig{Name: "plateau", Factor: 0.5, Patience: 2, MinRate: 1e-4},
		ValFraction:  0.05,
		Patience:     10,
		Seed:         42,
		Shards:       8,
	}
}

// Validate returns all that is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.Epochs >= 1, "nepochs %d is not positive", c.Epochs)
	check(c.BatchSize >= 1, "batch_size %d is not positive", c.BatchSize)
	check(c.ClipNorm >= 0 && !math.IsInf(c.ClipNorm, 0), "gradient_clip_val %g is negative or not finite", c.ClipNorm)
	check(c.ValFraction >= 0 && c.ValFraction < 1, "val_fraction %g is not in [0, 1)", c.ValFraction)
	check(c.Patience >= 0, "patience %d is negative", c.Patience)
	check(c.Shards >= 1, "shards %d is not positive", c.Shards)
	check(c.Workers >= 0, "workers %d is negative", c.Workers)
	if _, err := optim.NewSchedule(c.Schedule, c.LearningRate, c.Epochs); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// ValGroups returns how many of the groups validate: their fraction ValFraction, at least one batch where that leaves
// most for training. A fraction of zero validates on nothing.
func (c *Config) ValGroups(groups int) int {
	if c.ValFraction == 0 {
		return 0
	}
	return max(int(math.Round(c.ValFraction*float64(groups))), min(c.BatchSize, groups/4), min(1, groups-1))
}

// workers returns how many workers to start.
func (c *Config) workers() int {
	w := c.Workers
	if w == 0 {
		w = runtime.GOMAXPROCS(0)
	}
	return min(w, c.shards())
}

// shards returns into how many parts a batch is cut.
func (c *Config) shards() int { return min(c.Shards, c.BatchSize) }
