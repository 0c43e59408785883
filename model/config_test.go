package model_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/model"
)

// flatProbe returns the planes of a probe that is not zero.
func flatProbe(cfg *model.Config) []float32 {
	p := make([]float32, 2*cfg.ProbeModes*cfg.N*cfg.N)
	for i := range p {
		p[i] = 0.25
	}
	return p
}

func newNetwork(t testing.TB, cfg model.Config) *model.Network {
	net, err := model.New(cfg, flatProbe(&cfg))
	require.NoError(t, err)
	return net
}

// The numbers of weights are those of the original network.
func TestParameterCounts(t *testing.T) {
	for _, tt := range []struct {
		n, gridsize, filters int
		probeBig             bool
		want                 int
	}{
		{64, 1, 2, true, 2331772},
		{64, 2, 2, true, 2340208},
		{64, 1, 2, false, 2252026},
		{64, 2, 2, false, 2257000},
		{128, 1, 2, true, 4661212},
		{128, 2, 2, true, 4667056},
		{128, 1, 2, false, 4639770},
		{128, 2, 2, false, 4643880},
		{256, 1, 2, true, 12912268},
		{256, 2, 2, true, 12916816},
		{64, 1, 1, true, 585244},
		{64, 2, 1, true, 589360},
		{128, 1, 1, true, 1167052},
		{128, 2, 1, true, 1169872},
	} {
		cfg := pinnConfig(tt.n, tt.gridsize, tt.filters)
		cfg.ProbeBig = tt.probeBig
		net := newNetwork(t, cfg)
		require.Equal(t, tt.want, net.Weights(), "%+v", tt)
		require.Len(t, net.Params.Data, tt.want)
	}
	cfg := pinnConfig(64, 1, 1)
	cfg.ProbeTrainable, cfg.ProbeModes = true, 3
	net := newNetwork(t, cfg)
	require.Equal(t, 585244, net.Weights(), "the probe is not counted")
	require.Len(t, net.Params.Data, 585244+3*2*64*64)
	require.Equal(t, flatProbe(&cfg), net.Probe())
}

// Two networks of one seed are equal, those of two seeds are not, and equal layers of the two decoders start
// differently.
func TestInitialWeights(t *testing.T) {
	cfg := pinnConfig(64, 1, 1)
	a, b := newNetwork(t, cfg), newNetwork(t, cfg)
	require.Equal(t, a.Params.Data, b.Params.Data)
	cfg.Seed = 1
	require.NotEqual(t, a.Params.Data, newNetwork(t, cfg).Params.Data)
	amplitude, _ := a.Params.Lookup("amplitude.0.conv1.weight")
	phase, _ := a.Params.Lookup("phase.0.conv1.weight")
	require.NotEqual(t, a.Params.View(amplitude), a.Params.View(phase))
}

func TestConfigValidate(t *testing.T) {
	for _, tt := range []struct {
		change func(*model.Config)
		want   string // empty: valid
	}{
		{func(*model.Config) {}, ""},
		{func(c *model.Config) { c.N = 128 }, ""},
		{func(c *model.Config) { c.N = 256 }, ""},
		{func(c *model.Config) { c.N = 96 }, "frame side N=96; there are networks for [64 128 256]"},
		{func(c *model.Config) { c.Gridsize = 0 }, "gridsize 0"},
		{func(c *model.Config) { c.Gridsize = 9 }, "gridsize 9"},
		{func(c *model.Config) { c.Filters = 0 }, "n_filters_scale 0"},
		{func(c *model.Config) { c.Filters = 65 }, "n_filters_scale 65"},
		{func(c *model.Config) { c.ModelType = "gan" }, `model_type "gan"; there are [pinn supervised]`},
		{func(c *model.Config) { c.ModelType = "supervised"; c.Loss = model.LossConfig{} }, ""},
		{func(c *model.Config) { c.AmpActivation = "tanh" }, `amp_activation "tanh"`},
		{func(c *model.Config) { c.AmpActivation = "pitanh" }, `amp_activation "pitanh"`},
		{func(c *model.Config) { c.AmpActivation = "softplus" }, ""},
		{func(c *model.Config) { c.ProbeModes = 0 }, "probe_modes 0"},
		{func(c *model.Config) { c.IntensityScale = 0 }, "intensity_scale 0"},
		{func(c *model.Config) { c.IntensityScale = math.NaN() }, "intensity_scale NaN"},
		{func(c *model.Config) { c.IntensityScale = math.Inf(1) }, "intensity_scale +Inf is not positive and finite"},
		{func(c *model.Config) { c.MeanCount = -1 }, "mean_count -1"},
		{func(c *model.Config) { c.MeanCount = math.Inf(1) }, "mean_count +Inf"},
		{func(c *model.Config) { c.ProbeScale = 0 }, "probe_scale 0 is not positive and finite"},
		{func(c *model.Config) { c.ProbeScale = math.Inf(1) }, "probe_scale +Inf"},
		{func(c *model.Config) { c.ProbeDivisor = -2 }, "probe_divisor -2"},
		{func(c *model.Config) { c.ProbeDivisor = math.NaN() }, "probe_divisor NaN"},
		{func(c *model.Config) { c.Loss.TV = -1 }, "loss weight -1"},
		{func(c *model.Config) { c.Loss.NLL = math.NaN() }, "loss weight NaN"},
		{func(c *model.Config) { c.Loss.MSE = math.Inf(1) }, "loss weight +Inf is negative or not finite"},
		{func(c *model.Config) { c.Loss.Realspace, c.Loss.TV = math.Inf(1), 1 }, "loss weight +Inf"},
		{func(c *model.Config) { c.Loss.NLL = 0 }, "all weights of the loss on the frames are zero"},
		{func(c *model.Config) { c.Loss = model.LossConfig{MAE: 1} }, ""},
		{func(c *model.Config) { c.Loss.Realspace = 1 }, "both are zero"},
		{func(c *model.Config) { c.Loss.Realspace, c.Loss.TV = 1, 0.1 }, ""},
	} {
		cfg := pinnConfig(64, 2, 1)
		tt.change(&cfg)
		err := cfg.Validate()
		if tt.want == "" {
			require.NoError(t, err, "%+v", cfg)
			continue
		}
		require.ErrorContains(t, err, tt.want)
		_, err = model.New(cfg, nil)
		require.ErrorContains(t, err, tt.want, "New validates")
	}
	err := (&model.Config{}).Validate()
	for _, what := range []string{"N=0", "gridsize 0", "n_filters_scale", "model_type", "amp_activation", "probe_modes", "probe_scale", "probe_divisor", "intensity_scale", "mean_count"} {
		require.ErrorContains(t, err, what, "all that is wrong is reported at once")
	}
	cfg := pinnConfig(64, 1, 1)
	_, err = model.New(cfg, make([]float32, 5))
	require.ErrorContains(t, err, fmt.Sprintf("probe of 5 values, expected %d", 2*64*64))
	t.Setenv("PTYCHO_FFT", "nonsense")
	_, err = model.New(cfg, flatProbe(&cfg))
	require.Error(t, err)
}

func TestConfigOutputs(t *testing.T) {
	cfg := pinnConfig(64, 2, 1)
	require.Equal(t, 4, cfg.Channels())
	require.Equal(t, 4, cfg.Outputs())
	cfg.ObjectBig = false
	require.Equal(t, 1, cfg.Outputs())
}

func TestIntensityScale(t *testing.T) {
	require.InEpsilon(t, 988.211769, model.IntensityScale(1e9, 64), 1e-8)
	require.InEpsilon(t, 494.105884, model.IntensityScale(1e9, 128), 1e-8)
}

// A scan is normalised to its own dose only when that is not the dose of the training.
func TestDoseFor(t *testing.T) {
	cfg := pinnConfig(64, 1, 1)
	cfg.IntensityScale = model.IntensityScale(1e5, 64)
	trained := cfg.Dose()
	require.InEpsilon(t, 1e5, trained, 1e-12)
	for scan, want := range map[float64]float64{1e5: trained, 1.04e5: trained, 0.96e5: trained, 1.06e5: 1.06e5, 0.94e5: 0.94e5, 1e9: 1e9} {
		require.Equal(t, want, cfg.DoseFor(scan))
	}
}

func TestObjective(t *testing.T) {
	cfg := pinnConfig(64, 1, 1)
	for want, l := range map[string]model.LossConfig{
		"poisson":             {NLL: 1},
		"amp-mse":             {MSE: 1},
		"0.5 poisson + 2 mae": {NLL: 0.5, MAE: 2},
		"poisson + 0.02 tv":   {NLL: 1, Realspace: 2, TV: 0.01},
		"mae + realspace mae": {MAE: 1, Realspace: 10, RealspaceMAE: 0.1},
		"poisson + 3 amp-mse": {NLL: 1, MSE: 3, TV: 1},
	} {
		cfg.Loss = l
		require.Equal(t, want, cfg.Objective())
	}
	cfg.ModelType = "supervised"
	require.Equal(t, "difference to the known object", cfg.Objective())
}
