package model_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/data"
	"ptycho/fft"
	"ptycho/internal/kernel"
	"ptycho/internal/testutil"
	"ptycho/model"
	"ptycho/physics"
)

// golden is a network of testdata/golden with its samples.
type golden struct {
	*testutil.File
	cfg     model.Config
	net     *model.Network
	samples []model.Sample
	canvas  int
}

func pinnConfig(n, gridsize, filters int) model.Config {
	return model.Config{
		N: n, Gridsize: gridsize, Filters: filters, ModelType: "pinn", AmpActivation: "sigmoid",
		ObjectBig: true, ProbeBig: true, PadObject: true, ProbeModes: 1, ProbeScale: 4, ProbeDivisor: 1,
		IntensityScale: 10, MeanCount: 20, Loss: model.LossConfig{NLL: 1},
	}
}

// probePlanes returns the complex probe z as planes [modes,2,N,N].
func probePlanes(z []complex64, modes int) []float32 {
	pix := len(z) / modes
	var out []float32
	for m := range modes {
		re, im := testutil.Planes(z[m*pix:][:pix])
		out = append(append(out, re...), im...)
	}
	return out
}

// oihw returns a parameter or its gradient in the order [O,I,K,K] of the golden values.
func oihw(s autodiff.Shape, v []float32) ([]int, []float32) {
	if len(s) != 4 {
		return s, v
	}
	return []int{s[3], s[2], s[0], s[1]}, testutil.NCHW(testutil.NCHW(v, 1, s[0]*s[1], s[2], s[3]), s[3], s[0]*s[1], 1, s[2])
}

// setGoldenParam fills a parameter with the test weights of tensor number t.
func setGoldenParam(dst []float32, seed, t int, s autodiff.Shape) {
	if len(s) != 4 {
		copy(dst, testutil.NetworkParam(seed, t, s))
		return
	}
	taps, in, out := s[0]*s[1], s[2], s[3]
	w := testutil.NetworkParam(seed, t, []int{out, in, s[0], s[1]})
	for o := range out {
		for i := range in {
			for k := range taps {
				dst[(k*in+i)*out+o] = w[(o*in+i)*taps+k]
			}
		}
	}
}

func openGolden(t testing.TB, file string) *golden {
	f := testutil.Golden(t, file)
	n, gs := f.Int("n"), f.Int("gridsize")
	cfg := pinnConfig(n, gs, f.Int("n_filters_scale"))
	cfg.ProbeModes = f.Shape("probe")[0]
	cfg.ProbeTrainable = f.Has("grad.probe")
	cfg.IntensityScale, cfg.MeanCount = f.Float("scale"), f.Float("mean_count")
	net, err := model.New(cfg, probePlanes(f.Complex64s("probe"), cfg.ProbeModes))
	require.NoError(t, err)
	g := &golden{File: f, cfg: cfg, net: net, canvas: f.Int("canvas")}
	for i, p := range net.Params.All() {
		if p.Name == model.ProbeName {
			continue
		}
		v := net.Params.View(p)
		setGoldenParam(v, f.Int("weight_seed"), i, p.Shape)
		require.InEpsilon(t, f.Float("param."+p.Name+".norm"), testutil.Norm(v), 1e-7, p.Name)
	}
	counts, offsets := f.Float32s("counts"), f.Float64s("offsets")
	ch, pix := cfg.Channels(), n*n
	for b := range f.Shape("counts")[0] {
		var s model.Sample
		for c := range ch {
			k := b*ch + c
			s.Frames = append(s.Frames, data.Intensity(counts[k*pix:][:pix]))
			s.X, s.Y = append(s.X, offsets[2*k]), append(s.Y, offsets[2*k+1])
		}
		s.Floor = physics.PoissonFloor(counts[b*ch*pix:][:ch*pix])
		g.samples = append(g.samples, s)
	}
	return g
}

// pass returns a pass over all samples, after Forward.
func (g *golden) pass(mode model.Mode) (*model.Pass, float64) {
	p := g.net.NewPass(model.PassOptions{Mode: mode, Batch: len(g.samples), Canvas: g.canvas})
	g.net.Params.Updated()
	for b, s := range g.samples {
		p.Set(b, s)
	}
	return p, p.Forward()
}

// check compares a whole training pass with the golden values.
func (g *golden) check(t *testing.T, rtol float64) {
	n, ch := g.cfg.N, g.cfg.Channels()
	b := len(g.samples)
	p, loss := g.pass(model.Train)
	amplitude, phase := p.Object()
	testutil.CloseNorm(t, testutil.NCHW(amplitude, b, n, n, ch), g.Float64s("amplitude"), 2e-6, "amplitude")
	testutil.CloseNorm(t, testutil.NCHW(phase, b, n, n, ch), g.Float64s("phase"), 1e-5, "phase")
	lambda := make([]float32, b*ch*n*n)
	for i := range b * ch {
		fft.Shift(lambda[i*n*n:][:n*n], p.Expected()[i*n*n:][:n*n], n, n)
	}
	testutil.CloseNorm(t, lambda, g.Float64s("intensity"), 5e-6, "expected counts")
	require.InDelta(t, g.Float("loss"), loss, 1e-6*g.Float("loss"))

	grad := make([]float32, len(g.net.Params.Data))
	p.Backward(1, grad)
	for i, q := range g.net.Params.All() {
		v := grad[q.Offset:][:q.Shape.Size()]
		if q.Name == model.ProbeName {
			testutil.CloseNorm(t, v, probePlanes(g.Complex64s("grad.probe"), g.cfg.ProbeModes), 1e-5, "probe gradient")
			continue
		}
		shape, v := oihw(q.Shape, v)
		require.Equal(t, g.Ints("param."+q.Name+".shape"), shape, q.Name)
		g.CloseParamGradient(i, q.Name, v, rtol)
	}
}

func useKernel(t testing.TB, name string) {
	before := kernel.Name()
	require.NoError(t, kernel.Use(name))
	t.Cleanup(func() { require.NoError(t, kernel.Use(before)) })
}

func TestNetworkMatchesGolden(t *testing.T) {
	best := kernel.Available()[len(kernel.Available())-1]
	files := []string{"network_n64_gs1.npz", "network_n64_gs2.npz", "network_n64_gs2_modes2.npz", "network_n128_gs1.npz"}
	for _, name := range kernel.Available() {
		for _, file := range files {
			if testing.Short() && name != best {
				continue
			}
			t.Run(name+"/"+file, func(t *testing.T) {
				useKernel(t, name)
				t.Setenv(fft.EngineEnv, fft.Planar)
				openGolden(t, file).check(t, 1e-4)
			})
		}
	}
	t.Run("dsp", func(t *testing.T) {
		t.Setenv(fft.EngineEnv, fft.DSP)
		openGolden(t, "network_n64_gs2_modes2.npz").check(t, 1e-4)
	})
}
