package refine

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// The likelihoods of the frames.
const (
	Auto      = "auto"      // amplitude from ten photons a pixel on, Poisson below
	Amplitude = "amplitude" // Σ(√λ − √k)², the variance-stabilised Poisson likelihood
	Poisson   = "poisson"   // Σ(λ − k·ln λ)
)

// How the frames of a batch are chosen.
const (
	Sparse  = "sparse"  // spread over the scan, so that their patches hardly touch
	Compact = "compact" // neighbours, with steps of half the length
)

// brightFrames is the mean number of photons a pixel from which Auto means Amplitude.
const brightFrames = 10

// Options says how to refine. Defaults returns the usual ones.
type Options struct {
	Iterations int    `json:"iterations"` // sweeps over all frames
	Polish     int    `json:"polish"`     // iterations of L-BFGS over all frames at once, after the sweeps
	BatchSize  int    `json:"batch_size"` // frames a step; 0 makes 32 batches of a scan, of 8 frames at least
	Batches    string `json:"batches"`    // Sparse or Compact
	Loss       string `json:"loss"`       // Auto, Amplitude or Poisson

	// Step is the length of a step at first, in units of the one that would explain a single frame. It falls in the course of the
	// sweeps, which averages the noise of the batches out.
	Step     float64 `json:"step"`
	Momentum float64 `json:"momentum"`

	ProbeModes    int     `json:"probe_modes"` // incoherent modes of the probe; 0 is as many as it has at the start
	FitProbe      bool    `json:"fit_probe"`
	FitPositions  bool    `json:"fit_positions"`
	Affine        bool    `json:"affine"`    // positions are those of the start under one affine map
	MaxShift      float64 `json:"max_shift"` // how far a position may move, pixels; 0 is a quarter of the frame
	FitGain       bool    `json:"fit_gain"`  // the exposure of every frame
	FitBackground bool    `json:"fit_background"`

	// Holdout is the part of the pixels of every frame that is left out of the fit, up to a third. The state that explains them best is
	// the result, and the sweeps end when they have been explained worse and worse for Patience sweeps.
	Holdout  float64 `json:"holdout"`
	Patience int     `json:"patience"`

	Seed    uint64 `json:"seed"`
	Workers int    `json:"-"` // does not change the result; 0 is one a core
}

// Defaults returns the usual options.
func Defaults() Options {
	return Options{Iterations: 50, Batches: Sparse, Loss: Auto, Step: 0.3, Momentum: 0.9, Patience: 8}
}

// Validate reports all that is wrong with the options.
func (o *Options) Validate() error {
	var errs []error
	check := func(ok bool, name string, value any, expected string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s %v: expected %s", name, value, expected))
		}
	}
	oneOf := func(name, value string, values ...string) {
		check(slices.Contains(values, value), name, value, fmt.Sprintf("one of %v", values))
	}
	check(o.Iterations >= 0, "iterations", o.Iterations, "0 or more")
	check(o.Polish >= 0, "polish", o.Polish, "0 or more")
	check(o.BatchSize >= 0, "batch_size", o.BatchSize, "a number of frames, or 0")
	oneOf("batches", o.Batches, Sparse, Compact)
	oneOf("loss", o.Loss, Auto, Amplitude, Poisson)
	check(o.Step > 0 && o.Step <= 2, "step", o.Step, "a number above 0 and up to 2")
	check(o.Momentum >= 0 && o.Momentum < 1, "momentum", o.Momentum, "0 or more and less than 1")
	check(o.ProbeModes >= 0 && o.ProbeModes <= 32, "probe_modes", o.ProbeModes, "1 to 32, or 0")
	check(o.MaxShift >= 0 && !math.IsInf(o.MaxShift, 0), "max_shift", o.MaxShift, "a number of pixels, or 0")
	check(o.Holdout >= 0 && o.Holdout <= 1./3, "holdout", o.Holdout, "a part of the pixels, 0 to 1/3")
	check(o.Patience >= 1, "patience", o.Patience, "1 or more")
	check(o.Workers >= 0, "workers", o.Workers, "0 or more")
	check(!o.Affine || o.FitPositions, "affine", o.Affine, "positions that are fitted")
	return errors.Join(errs...)
}

// suits reports what does not fit n×n frames and a probe that begins with so many modes.
func (o *Options) suits(n, modes int) error {
	if least := leastHeld(n); o.Holdout > 0 && o.Holdout < least {
		return fmt.Errorf("holdout %g: expected at least %.2g, four pixels of a frame of %d×%d, or 0", o.Holdout, least, n, n)
	}
	if o.ProbeModes > modes && !o.FitProbe {
		return fmt.Errorf("probe_modes %d: expected at most %d, with which the probe begins, as it is not fitted; fit it", o.ProbeModes, modes)
	}
	return nil
}

// resolve fills in what depends on the scan: n frames with a mean count a pixel.
func (o *Options) resolve(frames, n int, mean float64) {
	if o.BatchSize == 0 {
		// Fewer frames in a step are too few to agree on anything but each other's noise.
		const batches, least = 32, 8
		o.BatchSize = max((frames+batches-1)/batches, least)
	}
	o.BatchSize = min(o.BatchSize, frames)
	if o.Loss == Auto {
		o.Loss = Poisson
		if mean >= brightFrames {
			o.Loss = Amplitude
		}
	}
	if o.MaxShift == 0 {
		o.MaxShift = float64(n) / 4
	}
}

// length returns the length of the steps of a sweep. Between its turns a compact batch is carried on by the momentum of all
// others, which takes it too far with whole steps.
func (o *Options) length(sweep int) float64 {
	step := o.Step * annealing(sweep, o.Iterations)
	if o.Batches == Compact {
		return step / 2
	}
	return step
}

// annealing is the course of the step length: whole for the first part of the sweeps, then falling along a cosine.
func annealing(sweep, sweeps int) float64 {
	const whole, last = 0.3, 0.01
	t := (float64(sweep)/float64(max(1, sweeps)) - whole) / (1 - whole)
	if t <= 0 {
		return 1
	}
	return last + (1-last)*(1+math.Cos(math.Pi*t))/2
}
