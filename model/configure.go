package model

import (
	"errors"
	"fmt"
	"slices"

	"ptycho/data"
	"ptycho/physics"
)

// Wishes is what a user asks of a network. What it leaves open follows from the scan.
type Wishes struct {
	Gridsize       int
	Filters        int
	ModelType      string
	AmpActivation  string
	ObjectBig      *bool // nil: with groups of several frames
	ProbeBig       bool
	PadObject      bool
	ProbeMask      bool
	ProbeTrainable *bool   // nil: when the probe is not to be trusted, see physics.TrustedMismatch
	ProbeScale     float64 // 0: from probe and data, see physics.NewProbe
	Loss           LossWishes
	Seed           uint64
}

// LossWishes is what a user asks of the loss. The weights are those of LossConfig.
type LossWishes struct {
	// Kind is the loss on the frames, one of LossKinds; empty stands for LossAuto.
	Kind string
	// NLL and MAE win over the weights of Kind. Either turns LossAuto into the original program's loss, whose weights
	// are 1 for the likelihood and 0 for the MAE unless they are given.
	NLL, MAE *float64

	Realspace, TV, RealspaceMAE float64
}

// The kinds of loss on the frames.
const (
	LossAuto    = "auto"    // amp-mse for bright frames, else poisson
	LossPoisson = "poisson" // likelihood of the counts
	LossMAE     = "mae"     // mean absolute difference of the amplitudes
	LossAmpMSE  = "amp-mse" // mean squared difference of the amplitudes
)

// LossKinds lists the kinds of loss on the frames.
func LossKinds() []string { return []string{LossAuto, LossPoisson, LossMAE, LossAmpMSE} }

// brightFrames is the mean number of photons a pixel from which LossAuto compares amplitudes: there √k
// has a variance of 1/4 whatever k, and dim pixels do not dominate the gradient.
const brightFrames = 10

// Validate returns all that is wrong with the wishes, whatever the scan.
func (w *Wishes) Validate() error {
	var errs []error
	l := w.Loss
	if l.Kind != "" && !slices.Contains(LossKinds(), l.Kind) {
		errs = append(errs, fmt.Errorf("loss %q; there are %v", l.Kind, LossKinds()))
	}
	if l.Realspace == 0 && (l.TV > 0 || l.RealspaceMAE > 0) {
		errs = append(errs, errors.New("tv_weight and realspace_mae_weight do nothing without realspace_weight, which multiplies them; set realspace_weight to 1"))
	}
	c := w.config(brightFrames)
	c.N, c.ProbeModes, c.ProbeDivisor, c.IntensityScale = Sides()[0], 1, 1, 1 // the scan decides on these
	if c.ProbeScale == 0 {
		c.ProbeScale = 1
	}
	return errors.Join(append(errs, c.Validate())...)
}

// Configure resolves the wishes for a scan, and returns with the configuration the scan's probe as the network needs
// it. It fails when there is no network for the scan or for the wishes; an error names the file.
func Configure(ds *data.Dataset, w Wishes) (Config, *physics.Probe, error) {
	fail := func(err error) (Config, *physics.Probe, error) {
		return Config{}, nil, fmt.Errorf("%s: %w", ds.Path, err)
	}
	if err := w.Validate(); err != nil {
		return fail(err)
	}
	if !slices.Contains(Sides(), ds.N) {
		return fail(fmt.Errorf("expected frames with a side of one of %v pixels, for which there are networks, found %d; crop or pad the frames and the probe",
			Sides(), ds.N))
	}
	probe, err := physics.NewProbe(ds.Probe, ds.N, ds.Modes, w.ProbeScale, w.ProbeMask)
	if err != nil {
		return fail(fmt.Errorf("key probeGuess: %w", err))
	}
	c := w.config(ds.Dose / float64(ds.N*ds.N))
	c.N, c.ProbeModes, c.ProbeScale, c.ProbeDivisor = ds.N, ds.Modes, probe.Scale, probe.Divisor
	c.IntensityScale = IntensityScale(ds.Dose, ds.N)
	if w.ProbeTrainable == nil {
		c.ProbeTrainable = probe.Mismatch(ds.MeanFrame()) > physics.TrustedMismatch
	}
	if err := c.Validate(); err != nil {
		return fail(err)
	}
	return c, probe, nil
}

// config returns the configuration as far as the wishes determine it for frames of the given mean count a pixel.
func (w *Wishes) config(meanCount float64) Config {
	c := Config{
		Gridsize: w.Gridsize, Filters: w.Filters, ModelType: w.ModelType, AmpActivation: w.AmpActivation,
		ObjectBig: w.Gridsize > 1, ProbeBig: w.ProbeBig, PadObject: w.PadObject,
		ProbeScale: w.ProbeScale, ProbeMask: w.ProbeMask, ProbeTrainable: w.ProbeTrainable != nil && *w.ProbeTrainable,
		MeanCount: meanCount, Loss: w.Loss.config(meanCount), Seed: w.Seed,
	}
	if w.ObjectBig != nil {
		c.ObjectBig = *w.ObjectBig
	}
	return c
}

// config returns the weights for frames of the given mean count a pixel.
func (w *LossWishes) config(meanCount float64) LossConfig {
	l := LossConfig{Realspace: w.Realspace, TV: w.TV, RealspaceMAE: w.RealspaceMAE}
	kind := w.Kind
	if kind == "" || kind == LossAuto {
		kind = LossAmpMSE
		if w.NLL != nil || w.MAE != nil || meanCount < brightFrames {
			kind = LossPoisson
		}
	}
	switch kind {
	case LossPoisson:
		l.NLL = 1
	case LossMAE:
		l.MAE = 1
	case LossAmpMSE:
		l.MSE = 1
	}
	if w.NLL != nil {
		l.NLL = *w.NLL
	}
	if w.MAE != nil {
		l.MAE = *w.MAE
	}
	return l
}
