package model_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/fft"
	"ptycho/internal/kernel"
	"ptycho/internal/testutil"
	"ptycho/model"
	"ptycho/physics"
)

// randomSample returns a sample of frames of some 20 counts a pixel, at positions within 4 pixels of their mean.
func randomSample(seed uint64, channels, n int) model.Sample {
	var s model.Sample
	for c := range channels {
		f := make(data.Intensity, n*n)
		for i, u := range testutil.Uniform(seed*100+uint64(c), n*n) {
			r := math.Hypot(float64(i/n-n/2), float64(i%n-n/2)) / float64(n)
			f[i] = float32(math.Floor(200 * u * math.Exp(-20*r*r)))
		}
		s.Frames = append(s.Frames, f)
		s.Floor += physics.PoissonFloor(f) / float64(channels)
	}
	for i, u := range testutil.Signed(seed+5000, 2*channels) {
		if v := 30 + 2*float64(u); i%2 == 0 {
			s.X = append(s.X, v)
		} else {
			s.Y = append(s.Y, v)
		}
	}
	return s
}

// labelled adds a true object to s.
func labelled(s model.Sample, n, outputs int) model.Sample {
	s.Amplitude, s.Phase = testutil.Signed(61, n*n*outputs), testutil.Signed(62, n*n*outputs)
	return s
}

// The loss of a batch is the mean of the losses of its samples, and so are the gradients.
func TestBatchIsMeanOfSamples(t *testing.T) {
	for _, gridsize := range []int{1, 2} {
		cfg := pinnConfig(64, gridsize, 1)
		net := newNetwork(t, cfg)
		samples := []model.Sample{randomSample(1, cfg.Channels(), 64), randomSample(2, cfg.Channels(), 64)}
		both := net.NewPass(model.PassOptions{Mode: model.Train, Batch: 2, Canvas: 76})
		one := net.NewPass(model.PassOptions{Mode: model.Train, Canvas: 76})
		net.Params.Updated()
		for b, s := range samples {
			both.Set(b, s)
		}
		loss := both.Forward()
		grad, sum := make([]float32, len(net.Params.Data)), make([]float32, len(net.Params.Data))
		both.Backward(1, grad)
		a, phi := both.Object()
		mean, excess := 0.0, 0.0
		for b, s := range samples {
			one.Set(0, s)
			mean += one.Forward() / 2
			excess += one.Excess() / 2
			one.Backward(0.5, sum)
			a1, phi1 := one.Object()
			require.Equal(t, a1, a[b*len(a1):][:len(a1)])
			require.Equal(t, phi1, phi[b*len(a1):][:len(a1)])
			require.Equal(t, one.Expected(), both.Expected()[b*len(one.Expected()):][:len(one.Expected())])
		}
		require.InEpsilon(t, mean, loss, 1e-9)
		require.InEpsilon(t, excess, both.Excess(), 1e-9)
		testutil.CloseNorm(t, grad, sum, 1e-5, "gridsize", gridsize)
	}
}

// The groups of a batch share nothing: in another order they give the same bits.
func TestGroupsOfABatchAreIndependent(t *testing.T) {
	const batch = 16
	net := newNetwork(t, pinnConfig(64, 2, 1))
	p := net.NewPass(model.PassOptions{Mode: model.Evaluate, Batch: batch, Canvas: 76})
	net.Params.Updated()
	run := func(order func(b int) int) (object, lambda []float32) {
		for b := range batch {
			p.Set(order(b), randomSample(uint64(b), 4, 64))
		}
		p.Forward()
		a, _ := p.Object()
		return slices.Clone(a), slices.Clone(p.Expected())
	}
	a, la := run(func(b int) int { return b })
	order := func(b int) int { return (5*b + 3) % batch }
	c, lc := run(order)
	pix := len(a) / batch
	for b := range batch {
		require.Equal(t, a[b*pix:][:pix], c[order(b)*pix:][:pix])
		require.Equal(t, la[b*pix:][:pix], lc[order(b)*pix:][:pix])
	}
	require.NotEqual(t, a[:pix], a[pix:][:pix])
}

func TestPassDoesNotAllocate(t *testing.T) {
	t.Setenv(fft.EngineEnv, fft.Planar)
	if len(kernel.Available()) == 1 {
		t.Skip("the generic kernel is gonum's, which starts goroutines")
	}
	useKernel(t, kernel.Available()[len(kernel.Available())-1])
	cfg := pinnConfig(64, 2, 1)
	cfg.ProbeModes, cfg.ProbeTrainable = 2, true
	cfg.Loss = model.LossConfig{NLL: 1, MAE: 1, MSE: 1, Realspace: 1, TV: 1, RealspaceMAE: 1}
	net := newNetwork(t, cfg)
	p := net.NewPass(model.PassOptions{Mode: model.Train, Canvas: 76})
	s := labelled(randomSample(1, 4, 64), 64, 4)
	grad := make([]float32, len(net.Params.Data))
	net.Params.Updated()
	require.Zero(t, testing.AllocsPerRun(2, func() {
		p.Set(0, s)
		p.Forward()
		p.Backward(1, grad)
	}))
}

// Modes differ in what they keep, not in what they compute.
func TestModesAgree(t *testing.T) {
	net := newNetwork(t, pinnConfig(64, 2, 1))
	s := randomSample(3, 4, 64)
	var passes []*model.Pass
	for _, mode := range []model.Mode{model.Infer, model.Evaluate, model.Train} {
		passes = append(passes, net.NewPass(model.PassOptions{Mode: mode, Canvas: 76}))
	}
	net.Params.Updated()
	var losses []float64
	for _, p := range passes {
		p.Set(0, s)
		losses = append(losses, p.Forward())
	}
	a, phi := passes[2].Object()
	for _, p := range passes[:2] {
		b, psi := p.Object()
		require.Equal(t, a, b)
		require.Equal(t, phi, psi)
	}
	require.Zero(t, losses[0])
	require.Equal(t, losses[1], losses[2])
	require.Less(t, 2*passes[0].Memory(), passes[2].Memory())
	require.Panics(t, func() { passes[1].Backward(1, make([]float32, len(net.Params.Data))) })
	require.Panics(t, func() { passes[1].Set(0, randomSample(1, 1, 64)) })
	s.X = []float64{0, 0, 0, 9}
	require.NotPanics(t, func() { passes[0].Set(0, s) }, "inference needs no canvas")
	require.Panics(t, func() { passes[1].Set(0, s) }, "the canvas is too small")
}

// Data of another dose, with its own scale, look the same to the network, and the excess grows with the dose.
func TestPassOfAnotherDose(t *testing.T) {
	cfg := pinnConfig(64, 1, 1)
	dose := 1e5
	cfg.IntensityScale, cfg.MeanCount = model.IntensityScale(dose, 64), dose/4096
	net := newNetwork(t, cfg)
	s := randomSample(1, 1, 64)
	bright := model.Sample{X: s.X, Y: s.Y, Frames: []data.Intensity{slices.Clone(s.Frames[0])}}
	for i := range bright.Frames[0] {
		bright.Frames[0][i] *= 4
	}
	bright.Floor = physics.PoissonFloor(bright.Frames[0])
	p, q := net.NewPass(model.PassOptions{Mode: model.Evaluate}), net.NewPass(model.PassOptions{Mode: model.Evaluate, Dose: 4 * dose})
	net.Params.Updated()
	p.Set(0, s)
	q.Set(0, bright)
	p.Forward()
	q.Forward()
	a, _ := p.Object()
	b, _ := q.Object()
	testutil.CloseNorm(t, b, a, 1e-5, "amplitude")
	require.InEpsilon(t, 4*p.Excess(), q.Excess(), 1e-4)
	require.Positive(t, p.Excess())
}

// Every configuration runs, has finite terms, and its gradient is that of its loss.
func TestGradients(t *testing.T) {
	for name, change := range map[string]func(*model.Config){
		"plain":            func(*model.Config) {},
		"mae":              func(c *model.Config) { c.Loss = model.LossConfig{MAE: 1} },
		"mse":              func(c *model.Config) { c.Loss = model.LossConfig{MSE: 1, NLL: 0.5} },
		"real space":       func(c *model.Config) { c.Loss.Realspace, c.Loss.TV, c.Loss.RealspaceMAE = 0.5, 0.01, 2 },
		"tv":               func(c *model.Config) { c.Loss.Realspace, c.Loss.TV = 1, 0.02 },
		"supervised":       func(c *model.Config) { c.ModelType = "supervised" },
		"supervised small": func(c *model.Config) { c.ModelType, c.ObjectBig = "supervised", false },
		"small object":     func(c *model.Config) { c.ObjectBig = false },
		"full head":        func(c *model.Config) { c.PadObject = false },
		"no border":        func(c *model.Config) { c.ProbeBig = false },
		"trained probe":    func(c *model.Config) { c.ProbeTrainable, c.ProbeModes, c.Gridsize = true, 2, 1 },
		"swish":            func(c *model.Config) { c.AmpActivation = "swish" },
		"softplus":         func(c *model.Config) { c.AmpActivation = "softplus" },
		"relu":             func(c *model.Config) { c.AmpActivation, c.PadObject = "relu", false },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := pinnConfig(64, 2, 1)
			change(&cfg)
			z := make([]complex64, cfg.ProbeModes*64*64)
			v := testutil.Signed(3, 2*len(z))
			for i := range z {
				r := math.Hypot(float64(i/64%64-32), float64(i%64-32)) / 12
				z[i] = complex(1+v[2*i], v[2*i+1]) * complex(float32(math.Exp(-r*r)), 0)
			}
			probe, err := physics.NewProbe(z, 64, cfg.ProbeModes, 0, false)
			require.NoError(t, err)
			net, err := model.New(cfg, probe.Planes)
			require.NoError(t, err)
			// Biases of zero would put whole dark regions on the kink of the ReLU.
			for i, v := range testutil.Signed(5, net.Weights()) {
				net.Params.Data[i] += 0.05 * v
			}
			p := net.NewPass(model.PassOptions{Mode: model.Train, Canvas: 76})
			p.Set(0, labelled(randomSample(4, cfg.Channels(), 64), 64, cfg.Outputs()))
			f := func() float64 {
				net.Params.Updated()
				return p.Forward()
			}
			loss := f()
			total := 0.0
			for _, term := range p.Terms() {
				total += term.Weight * term.Value
				require.False(t, math.IsNaN(term.Value) || math.IsInf(term.Value, 0), term.Name)
			}
			require.InDelta(t, total, loss, 1e-12*math.Abs(total))
			grad := make([]float32, len(net.Params.Data))
			p.Backward(1, grad)
			require.Positive(t, testutil.Norm(grad))
			// Steps are so small because a ReLU network has a kink at every unit that changes sign.
			testutil.GradCheck(t, f, net.Params.Data, grad, 2e-6, 0.1, name)
		})
	}
}

// Without a border the object is zero outside the central half; with one it is not.
func TestBorder(t *testing.T) {
	outside := func(change func(*model.Config)) bool {
		cfg := pinnConfig(64, 1, 1)
		change(&cfg)
		net := newNetwork(t, cfg)
		for i, v := range testutil.Signed(8, len(net.Params.Data)) {
			net.Params.Data[i] += 0.02 * v
		}
		p := net.NewPass(model.PassOptions{})
		net.Params.Updated()
		p.Set(0, randomSample(1, 1, 64))
		p.Forward()
		a, phi := p.Object()
		require.NotZero(t, a[32*64+32])
		return a[3*64+5] != 0 && phi[3*64+5] != 0
	}
	require.True(t, outside(func(*model.Config) {}))
	require.False(t, outside(func(c *model.Config) { c.ProbeBig = false }))
	require.True(t, outside(func(c *model.Config) { c.PadObject = false }))
}

func TestLossTerms(t *testing.T) {
	for _, tt := range []struct {
		change func(*model.Config)
		want   map[string]float64 // weights
	}{
		{func(*model.Config) {}, map[string]float64{"nll": 1}},
		{func(c *model.Config) { c.Loss = model.LossConfig{MAE: 0.5, MSE: 3} }, map[string]float64{"nll": 0, "mae": 0.5, "amp-mse": 3}},
		{
			func(c *model.Config) { c.Loss.Realspace, c.Loss.TV, c.Loss.RealspaceMAE = 0.5, 0.1, 2 },
			map[string]float64{"nll": 1, "tv": 0.05, "amplitude": 1, "phase": 1},
		},
		{
			func(c *model.Config) { c.ModelType, c.Loss.MAE = "supervised", 1 },
			map[string]float64{"nll": 0, "amplitude": 2, "phase": 4},
		},
	} {
		cfg := pinnConfig(64, 1, 1)
		tt.change(&cfg)
		got := map[string]float64{}
		for _, term := range newNetwork(t, cfg).NewPass(model.PassOptions{Mode: model.Evaluate}).Terms() {
			got[term.Name] = term.Weight
		}
		require.Equal(t, tt.want, got)
	}
}
