package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"ptycho/layers"
)

// Config is everything that determines a model but its weights and its probe. It is stored in checkpoints
// and never changes once a Network has been made of it.
type Config struct {
	N             int    `json:"N"`               // side of a frame: 64, 128 or 256
	Gridsize      int    `json:"gridsize"`        // a network sample is Gridsize² overlapping frames
	Filters       int    `json:"n_filters_scale"` // multiplies the number of filters of every layer
	ModelType     string `json:"model_type"`      // "pinn" or "supervised"
	AmpActivation string `json:"amp_activation"`  // of the amplitude head: sigmoid, swish, softplus, relu
	ObjectBig     bool   `json:"object_big"`      // one object patch a frame, merged on a canvas; else one a group
	ProbeBig      bool   `json:"probe_big"`       // also predict the object outside the central N/2 × N/2
	PadObject     bool   `json:"pad_object"`      // the main head covers the central N/2 × N/2 only

	ProbeModes     int     `json:"probe_modes"`     // incoherent modes
	ProbeScale     float64 `json:"probe_scale"`     // the mean of the normalised |P| is its reciprocal
	ProbeDivisor   float64 `json:"probe_divisor"`   // what the probe of the training file was divided by
	ProbeMask      bool    `json:"probe_mask"`      // the probe is cut to a disk
	ProbeTrainable bool    `json:"probe_trainable"` // the probe is a parameter

	// IntensityScale is the photon scale S: predicted counts are S²·|F(P·O)|², and the network sees
	// √counts/S, whose mean energy a frame is (N/2)².
	IntensityScale float64 `json:"intensity_scale"`
	MeanCount      float64 `json:"mean_count"` // mean photons a pixel of the training data

	Loss LossConfig `json:"loss"`
	Seed uint64     `json:"seed"` // of the initial weights
}

// LossConfig weighs the terms of the training loss.
type LossConfig struct {
	NLL          float64 `json:"nll_weight"`           // Poisson negative log-likelihood over the mean count
	MAE          float64 `json:"mae_weight"`           // mean absolute difference of amplitudes
	MSE          float64 `json:"mse_weight"`           // mean squared difference of amplitudes
	Realspace    float64 `json:"realspace_weight"`     // multiplies the two below
	TV           float64 `json:"tv_weight"`            // total variation of the object
	RealspaceMAE float64 `json:"realspace_mae_weight"` // absolute difference to known amplitude and phase
}

// Objective names the terms of the training loss with their weights.
func (c *Config) Objective() string {
	if c.ModelType == "supervised" {
		return "difference to the known object"
	}
	l := c.Loss
	var terms []string
	for _, t := range []struct {
		name   string
		weight float64
	}{{LossPoisson, l.NLL}, {LossMAE, l.MAE}, {LossAmpMSE, l.MSE}, {"tv", l.Realspace * l.TV}, {"realspace mae", l.Realspace * l.RealspaceMAE}} {
		switch {
		case t.weight == 1:
			terms = append(terms, t.name)
		case t.weight != 0:
			terms = append(terms, fmt.Sprintf("%g %s", t.weight, t.name))
		}
	}
	return strings.Join(terms, " + ")
}

// filters of the encoder stages by frame side, before Config.Filters.
var encoderFilters = map[int][]int{
	64:  {32, 64, 128},
	128: {16, 32, 64, 128},
	256: {8, 16, 32, 64, 128},
}

// filters of the decoder stages by frame side, before Config.Filters.
var decoderFilters = map[int][]int{
	64:  {64, 32},
	128: {128, 64, 32},
	256: {256, 128, 64, 32},
}

// Sides lists the frame sides for which there is a network.
func Sides() []int { return []int{64, 128, 256} }

// ModelTypes lists the model types.
func ModelTypes() []string { return []string{"pinn", "supervised"} }

// AmpActivations lists the activations of the amplitude head.
func AmpActivations() []string { return []string{"sigmoid", "swish", "softplus", "relu"} }

// Channels returns the number of frames in a network sample, Gridsize².
func (c *Config) Channels() int { return c.Gridsize * c.Gridsize }

// Outputs returns the number of object patches that the network predicts a sample.
func (c *Config) Outputs() int {
	if c.ObjectBig {
		return c.Channels()
	}
	return 1
}

// Dose returns the mean number of photons in a frame of the training data, (S·N/2)².
func (c *Config) Dose() float64 {
	half := float64(c.N) / 2
	return c.IntensityScale * c.IntensityScale * half * half
}

// doseTolerance is by how much the mean dose of two parts of one scan may differ.
const doseTolerance = 0.05

// DoseFor returns the dose with which the frames of a scan are normalised for the network, given the scan's own: that
// of the training unless the two differ by more than 5 %, so that a part of the scan that was trained on is treated
// as the whole was.
func (c *Config) DoseFor(scan float64) float64 {
	if trained := c.Dose(); math.Abs(scan-trained) <= doseTolerance*trained {
		return trained
	}
	return scan
}

// needsLabels reports whether training needs the true object.
func (c *Config) needsLabels() bool {
	return c.ModelType == "supervised" || c.Loss.Realspace > 0 && c.Loss.RealspaceMAE > 0
}

// Validate returns all that is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(slices.Contains(Sides(), c.N), "frame side N=%d; there are networks for %v", c.N, Sides())
	check(c.Gridsize >= 1 && c.Gridsize <= 8, "gridsize %d is not between 1 and 8", c.Gridsize)
	check(c.Filters >= 1 && c.Filters <= 64, "n_filters_scale %d is not between 1 and 64", c.Filters)
	check(slices.Contains(ModelTypes(), c.ModelType), "model_type %q; there are %v", c.ModelType, ModelTypes())
	_, err := layers.Activation(c.AmpActivation)
	check(err == nil && slices.Contains(AmpActivations(), c.AmpActivation),
		"amp_activation %q; there are %v", c.AmpActivation, AmpActivations())
	check(c.ProbeModes >= 1 && c.ProbeModes <= 256, "probe_modes %d is not between 1 and 256", c.ProbeModes)
	for _, v := range []struct {
		name  string
		value float64
	}{{"probe_scale", c.ProbeScale}, {"probe_divisor", c.ProbeDivisor}, {"intensity_scale", c.IntensityScale}, {"mean_count", c.MeanCount}} {
		check(v.value > 0 && !math.IsInf(v.value, 0), "%s %g is not positive and finite", v.name, v.value)
	}
	l := c.Loss
	for _, w := range []float64{l.NLL, l.MAE, l.MSE, l.Realspace, l.TV, l.RealspaceMAE} {
		check(w >= 0 && !math.IsInf(w, 0), "loss weight %g is negative or not finite", w)
	}
	check(c.ModelType == "supervised" || l.NLL+l.MAE+l.MSE > 0, "all weights of the loss on the frames are zero")
	check(l.Realspace == 0 || l.TV+l.RealspaceMAE > 0,
		"realspace_weight multiplies tv_weight and realspace_mae_weight, and both are zero")
	return errors.Join(errs...)
}
