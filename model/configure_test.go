package model_test

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/fft"
	"ptycho/model"
	"ptycho/physics"
)

// beam returns the planes of a defocused Gaussian beam with some energy in every mode.
func beam(n, modes int) []complex64 {
	p := make([]complex64, modes*n*n)
	for i := range p {
		x, y := float64(i%n-n/2), float64(i/n%n-n/2)
		r2 := (x*x + y*y) / 40
		p[i] = complex64(cmplx.Rect(math.Exp(-r2)/float64(1+i/(n*n)), 3*r2))
	}
	return p
}

// litScan returns a dataset of two equal frames with the given dose, each of which is the far field of a probe.
func litScan(n, modes int, dose float64, lit []complex64) *data.Dataset {
	plan, power := fft.NewDouble(n, n), make([]float64, n*n)
	for m := range modes {
		field := make([]complex128, n*n)
		for i, v := range lit[m*n*n:][:n*n] {
			field[i] = complex128(v)
		}
		plan.AddPower(power, field)
	}
	total := 0.0
	for _, v := range power {
		total += v
	}
	d := &data.Dataset{Path: "scan.npz", N: n, Modes: modes, Probe: beam(n, modes), X: []float64{50, 53}, Y: []float64{50, 51}, Dose: dose}
	for range 2 {
		for _, v := range power {
			d.Frames = append(d.Frames, float32(v*dose/total))
		}
	}
	return d
}

// wishes returns what a user asks who asks for nothing in particular.
func wishes() model.Wishes {
	return model.Wishes{
		Gridsize: 2, Filters: 2, ModelType: "pinn", AmpActivation: "sigmoid", ProbeBig: true, PadObject: true,
		Loss: model.LossWishes{Kind: model.LossAuto}, Seed: 42,
	}
}

func TestConfigure(t *testing.T) {
	const dose = 3e5
	ds := litScan(64, 2, dose, beam(64, 2))
	cfg, probe, err := model.Configure(ds, wishes())
	require.NoError(t, err)
	want, err := physics.NewProbe(ds.Probe, 64, 2, 0, false)
	require.NoError(t, err)
	require.Equal(t, want, probe)
	require.Equal(t, model.Config{
		N: 64, Gridsize: 2, Filters: 2, ModelType: "pinn", AmpActivation: "sigmoid", ObjectBig: true, ProbeBig: true, PadObject: true,
		ProbeModes: 2, ProbeScale: probe.Scale, ProbeDivisor: probe.Divisor,
		IntensityScale: model.IntensityScale(dose, 64), MeanCount: dose / 4096, Loss: model.LossConfig{MSE: 1}, Seed: 42,
	}, cfg)
	require.InEpsilon(t, dose, cfg.Dose(), 1e-12)

	w := wishes()
	w.ProbeScale, w.ProbeMask = 3, true
	cfg, probe, err = model.Configure(ds, w)
	require.NoError(t, err)
	require.Equal(t, 3.0, cfg.ProbeScale)
	require.Equal(t, probe.Divisor, cfg.ProbeDivisor)
	require.True(t, cfg.ProbeMask)
	require.Zero(t, probe.Planes[0])
}

func TestConfigureLoss(t *testing.T) {
	const bright, dim = 10.0, 9.99 // photons a pixel
	half, none := 0.5, 0.0
	for name, tt := range map[string]struct {
		count float64
		ask   model.LossWishes
		want  model.LossConfig
	}{
		"auto, bright":        {bright, model.LossWishes{Kind: model.LossAuto}, model.LossConfig{MSE: 1}},
		"auto, dim":           {dim, model.LossWishes{Kind: model.LossAuto}, model.LossConfig{NLL: 1}},
		"empty is auto":       {bright, model.LossWishes{}, model.LossConfig{MSE: 1}},
		"poisson":             {bright, model.LossWishes{Kind: model.LossPoisson}, model.LossConfig{NLL: 1}},
		"mae":                 {bright, model.LossWishes{Kind: model.LossMAE}, model.LossConfig{MAE: 1}},
		"amp-mse":             {dim, model.LossWishes{Kind: model.LossAmpMSE}, model.LossConfig{MSE: 1}},
		"auto, weight of mae": {bright, model.LossWishes{Kind: model.LossAuto, MAE: &half}, model.LossConfig{NLL: 1, MAE: 0.5}},
		"auto, weight of nll": {bright, model.LossWishes{Kind: model.LossAuto, NLL: &half}, model.LossConfig{NLL: 0.5}},
		"auto, mae for nll":   {bright, model.LossWishes{Kind: model.LossAuto, NLL: &none, MAE: &half}, model.LossConfig{MAE: 0.5}},
		"amp-mse and nll":     {bright, model.LossWishes{Kind: model.LossAmpMSE, NLL: &half}, model.LossConfig{MSE: 1, NLL: 0.5}},
		"mae, another weight": {bright, model.LossWishes{Kind: model.LossMAE, MAE: &half}, model.LossConfig{MAE: 0.5}},
		"terms of the object": {dim, model.LossWishes{Realspace: 2, TV: 3, RealspaceMAE: 4}, model.LossConfig{NLL: 1, Realspace: 2, TV: 3, RealspaceMAE: 4}},
	} {
		w := wishes()
		w.Loss = tt.ask
		cfg, _, err := model.Configure(litScan(64, 1, tt.count*4096, beam(64, 1)), w)
		require.NoError(t, err, name)
		require.Equal(t, tt.want, cfg.Loss, name)
	}
}

// A probe that does not explain the mean frame is refined, unless the user decides.
func TestConfigureProbeTrainable(t *testing.T) {
	focused := beam(64, 1)
	for i, v := range focused {
		focused[i] = complex(float32(cmplx.Abs(complex128(v))), 0)
	}
	yes, no := true, false
	for name, tt := range map[string]struct {
		lit  []complex64
		ask  *bool
		want bool
	}{
		"trusted": {beam(64, 1), nil, false}, "not trusted": {focused, nil, true},
		"trusted, yet asked for": {beam(64, 1), &yes, true}, "not trusted, yet forbidden": {focused, &no, false},
	} {
		w := wishes()
		w.ProbeTrainable = tt.ask
		cfg, _, err := model.Configure(litScan(64, 1, 1e5, tt.lit), w)
		require.NoError(t, err, name)
		require.Equal(t, tt.want, cfg.ProbeTrainable, name)
	}
}

func TestConfigureObjectBig(t *testing.T) {
	yes, no := true, false
	for _, tt := range []struct {
		gridsize int
		ask      *bool
		want     bool
	}{{1, nil, false}, {2, nil, true}, {1, &yes, true}, {2, &no, false}} {
		w := wishes()
		w.Gridsize, w.ObjectBig = tt.gridsize, tt.ask
		cfg, _, err := model.Configure(litScan(64, 1, 1e5, beam(64, 1)), w)
		require.NoError(t, err)
		require.Equal(t, tt.want, cfg.ObjectBig, "%+v", tt)
	}
}

func TestConfigureSides(t *testing.T) {
	for _, n := range model.Sides() {
		cfg, _, err := model.Configure(litScan(n, 1, 1e5, beam(n, 1)), wishes())
		require.NoError(t, err)
		require.Equal(t, n, cfg.N)
	}
	_, _, err := model.Configure(litScan(48, 1, 1e5, beam(48, 1)), wishes())
	require.EqualError(t, err, "scan.npz: expected frames with a side of one of [64 128 256] pixels, for which there are networks, found 48; crop or pad the frames and the probe")
}

func TestConfigureErrors(t *testing.T) {
	for want, spoil := range map[string]func(*data.Dataset, *model.Wishes){
		"key probeGuess: the probe is zero": func(d *data.Dataset, _ *model.Wishes) { d.Probe = make([]complex64, 64*64) },
		"mean_count 0 is not positive":      func(d *data.Dataset, _ *model.Wishes) { d.Dose = 0 },
		"gridsize 0":                        func(_ *data.Dataset, w *model.Wishes) { w.Gridsize = 0 },
		"probe_modes 300": func(d *data.Dataset, _ *model.Wishes) {
			d.Modes, d.Probe = 300, beam(64, 300)
		},
	} {
		ds, w := litScan(64, 1, 1e5, beam(64, 1)), wishes()
		spoil(ds, &w)
		_, _, err := model.Configure(ds, w)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "scan.npz: ")
	}
}

func TestWishesValidate(t *testing.T) {
	const idle = "do nothing without realspace_weight, which multiplies them; set realspace_weight to 1"
	none := 0.0
	for _, tt := range []struct {
		change func(*model.Wishes)
		want   string // empty: valid
	}{
		{func(*model.Wishes) {}, ""},
		{func(w *model.Wishes) { w.ProbeScale = 4 }, ""},
		{func(w *model.Wishes) { w.ProbeScale = -1 }, "probe_scale -1"},
		{func(w *model.Wishes) { w.ProbeScale = math.Inf(1) }, "probe_scale +Inf"},
		{func(w *model.Wishes) { w.Filters = 0 }, "n_filters_scale 0"},
		{func(w *model.Wishes) { w.Loss.Kind = "huber" }, `loss "huber"; there are [auto poisson mae amp-mse]`},
		{func(w *model.Wishes) { w.Loss.NLL = &none }, "all weights of the loss on the frames are zero"},
		{func(w *model.Wishes) { w.Loss.TV = 0.1 }, idle},
		{func(w *model.Wishes) { w.Loss.RealspaceMAE = 0.1 }, idle},
		{func(w *model.Wishes) { w.Loss.Realspace = 1 }, "both are zero"},
		{func(w *model.Wishes) { w.Loss.Realspace, w.Loss.TV = 1, 0.1 }, ""},
		{func(w *model.Wishes) { w.Loss.Realspace, w.Loss.RealspaceMAE = 1, 0.1 }, ""},
	} {
		w := wishes()
		tt.change(&w)
		err := w.Validate()
		if tt.want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, tt.want)
	}
}
