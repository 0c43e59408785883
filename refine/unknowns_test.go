package refine

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/fft"
	"ptycho/metrics"
	"ptycho/simulate"
)

// ordinary is a scan of 64×64 pixels with many photons.
func ordinary(t testing.TB) *scan {
	return simulated(t, simulate.Options{Frames: 160, Step: 4.5, NPhotons: 1e7, Noise: true, Seed: 1})
}

// sweeps are the usual options with so many sweeps.
func sweeps(n int, change func(*Options)) Options {
	opt := Defaults()
	opt.Iterations = n
	if change != nil {
		change(&opt)
	}
	return opt
}

func TestObjectComesBack(t *testing.T) {
	long(t)
	s := ordinary(t)
	e, notes := s.refined(t, s.truth(), sweeps(60, nil))
	require.Empty(t, notes)
	require.Less(t, s.offTruth(t, e), 0.02)
}

// probeImage returns mode m of a probe.
func probeImage(probe []complex64, n, m int) metrics.Image {
	return metrics.FromComplex64(n, n, probe[m*n*n:][:n*n])
}

func TestDefocusedProbeComesBack(t *testing.T) {
	long(t)
	s := ordinary(t)
	start := s.truth()
	var err error
	start.Probe, err = simulate.Probe(s.n, simulate.ProbeOptions{Defocus: 1.6}) // for 2.4
	require.NoError(t, err)
	off := func(probe []complex64) float64 {
		truth := probeImage(s.Probe, s.n, 0)
		got, _, _, err := metrics.Align(probeImage(probe, s.n, 0), truth, 1)
		require.NoError(t, err)
		scores, err := metrics.Compare(got, truth, metrics.Options{})
		require.NoError(t, err)
		return scores.E
	}
	before := off(start.Probe)
	e, _ := s.refined(t, start, sweeps(100, func(o *Options) { o.FitProbe = true }))
	require.Greater(t, before, 0.5)
	require.Less(t, off(e.Result().Probe), 0.05)
	require.Less(t, s.offTruth(t, e), 0.05)
}

func TestSecondModeComesBack(t *testing.T) {
	long(t)
	s := simulated(t, simulate.Options{Frames: 160, Step: 4.5, NPhotons: 1e7, Noise: true, Seed: 1, Probe: simulate.ProbeOptions{Modes: 2}})
	exact, _ := s.refined(t, s.truth(), sweeps(60, nil))
	start := s.truth()
	start.Probe, start.Modes = s.Probe[:s.n*s.n], 1
	blind, _ := s.refined(t, start, sweeps(60, func(o *Options) { o.FitProbe = true }))
	e, _ := s.refined(t, start, sweeps(160, func(o *Options) { o.FitProbe, o.ProbeModes = true, 2 }))
	var power [2]float64
	for i, v := range e.Result().Probe {
		power[i/(s.n*s.n)] += real(complex128(v) * complex(float64(real(v)), -float64(imag(v))))
	}
	share := power[1] / (power[0] + power[1])
	require.Greater(t, misfit(t, blind), 1.5*misfit(t, exact))
	require.Less(t, misfit(t, e), 1.2*misfit(t, exact))
	require.InDelta(t, 0.2, share, 0.02) // a quarter of the first
}

// jittered moves the positions of a start by normal deviates of so many pixels r.m.s. in the plane, with mean zero.
func jittered(s Start, rms float64) Start {
	r := rand.New(rand.NewPCG(11, 12))
	for _, v := range [][]float64{s.X, s.Y} {
		move, mean := make([]float64, len(v)), 0.0
		for i := range move {
			move[i] = rms / math.Sqrt2 * r.NormFloat64()
			mean += move[i] / float64(len(v))
		}
		for i := range v {
			v[i] += move[i] - mean
		}
	}
	return s
}

// misplaced returns the distance r.m.s. of positions from the true ones, after their mean.
func (s *scan) misplaced(x, y []float64) (rms float64) {
	n := float64(len(x))
	mx, my := 0.0, 0.0
	for i := range x {
		mx, my = mx+(x[i]-s.X[i])/n, my+(y[i]-s.Y[i])/n
	}
	for i := range x {
		d := math.Hypot(x[i]-s.X[i]-mx, y[i]-s.Y[i]-my)
		rms += d * d / n
	}
	return math.Sqrt(rms)
}

func TestPositionsComeBack(t *testing.T) {
	long(t)
	s := ordinary(t)
	start := jittered(s.truth(), 2)
	before := s.misplaced(start.X, start.Y)
	e, _ := s.refined(t, start, sweeps(100, func(o *Options) { o.FitPositions = true }))
	r := e.Result()
	after := s.misplaced(r.X, r.Y)
	require.InDelta(t, 2, before, 0.3)
	require.Less(t, after, 0.1)
	require.Less(t, s.offTruth(t, e), 0.05)
}

func TestAffineMapComesBack(t *testing.T) {
	long(t)
	s := ordinary(t)
	start := s.truth()
	sin, cos := math.Sincos(2 * math.Pi / 180)
	const scale, shear = 1.03, 0.02
	mx, my := middle(s.X), middle(s.Y)
	for i := range start.X { // what was driven is the inverse of what was reached
		x, y := (s.X[i]-mx)/scale, (s.Y[i]-my)/scale
		x -= shear * y
		start.X[i], start.Y[i] = mx+cos*x+sin*y, my-sin*x+cos*y
	}
	before := s.misplaced(start.X, start.Y)
	e, _ := s.refined(t, start, sweeps(100, func(o *Options) { o.FitPositions, o.Affine = true, true }))
	r := e.Result()
	after := s.misplaced(r.X, r.Y)
	require.Greater(t, before, 0.5)
	require.Less(t, after, 0.1)
	y, x := slices.Clone(e.y), slices.Clone(e.x)
	e.toAffine()
	require.InDeltaSlice(t, e.y, y, 1e-9, "the map is all that has moved them")
	require.InDeltaSlice(t, e.x, x, 1e-9)
}

func TestGainsComeBack(t *testing.T) {
	long(t)
	s := ordinary(t)
	r := rand.New(rand.NewPCG(13, 14))
	gain, mean := make([]float64, s.stack.Len()), 0.0
	for j, f := range s.frames {
		gain[j] = 0.8 + 0.4*r.Float64()
		mean += gain[j] / float64(len(gain))
		for i := range f {
			f[i] *= float32(gain[j])
		}
	}
	without, _ := s.refined(t, s.truth(), sweeps(40, nil))
	e, _ := s.refined(t, s.truth(), sweeps(240, func(o *Options) { o.FitGain = true }))
	square := 0.0
	for j, g := range e.Result().Gain {
		square += math.Pow(g/(gain[j]/mean)-1, 2) / float64(len(gain))
	}
	require.Less(t, math.Sqrt(square), 0.01)
	require.Less(t, s.offTruth(t, e), 0.5*s.offTruth(t, without))
}

func TestBackgroundComesBack(t *testing.T) {
	long(t)
	for _, loss := range []string{Amplitude, Poisson} {
		t.Run(loss, func(t *testing.T) {
			s := simulated(t, simulate.Options{Frames: 160, Step: 4.5, NPhotons: 1e6, Noise: true, Seed: 1})
			r := rand.New(rand.NewPCG(15, 16))
			want := make([]float64, s.n*s.n)
			centred := make([]float32, s.n*s.n)
			for i := range centred {
				centred[i] = 3 + 4*float32(i%s.n)/float32(s.n)
			}
			frame := make([]float32, len(centred))
			fft.Unshift(frame, centred, s.n, s.n)
			for i, v := range frame {
				want[i] = float64(v)
			}
			for _, f := range s.frames {
				for i := range f {
					f[i] += float32(poisson(r, want[i]))
				}
			}
			without, _ := s.refined(t, s.truth(), sweeps(120, func(o *Options) { o.Loss = loss }))
			e, _ := s.refined(t, s.truth(), sweeps(120, func(o *Options) { o.Loss, o.FitBackground = loss, true }))
			bright := s.brightField()
			var square, norm [2]float64
			for i, v := range e.Result().Background {
				k := 0
				if bright[i] {
					k = 1
				}
				square[k], norm[k] = square[k]+math.Pow(float64(v-centred[i]), 2), norm[k]+math.Pow(float64(centred[i]), 2)
			}
			require.Less(t, math.Sqrt(square[0]/norm[0]), 0.15)
			require.Less(t, s.offTruth(t, e), 0.5*s.offTruth(t, without))
		})
	}
}

// brightField tells which pixels of a centred frame are bright in the mean.
func (s *scan) brightField() []bool {
	mean, total := make([]float64, s.n*s.n), 0.0
	for _, f := range s.frames {
		for i, v := range f {
			mean[i] += float64(v)
			total += float64(v)
		}
	}
	dark, bright := make([]bool, len(mean)), make([]bool, len(mean))
	for i, v := range mean {
		dark[i] = v > total/float64(len(mean))/5
	}
	fft.Shift(bright, dark, s.n, s.n)
	return bright
}

// poisson draws a count by multiplying uniform deviates, for small means.
func poisson(r *rand.Rand, mean float64) int {
	k, limit := 0, math.Exp(-mean)
	for p := r.Float64(); p > limit; p *= r.Float64() {
		k++
	}
	return k
}

func TestMaskSavesTheObject(t *testing.T) {
	long(t)
	s := ordinary(t)
	clean, _ := s.refined(t, s.truth(), sweeps(80, nil))
	r := rand.New(rand.NewPCG(17, 18))
	n := s.n
	dead := make([]bool, n*n)
	for i := range dead {
		dead[i] = r.Float64() < 0.02 || i%n == n/4 || i%n == n/4+1 // a gap between modules, too
	}
	spoil := func(value func(i int) float32) *scan {
		spoilt := &scan{s.Dataset, stack{n: n}}
		for _, f := range s.frames {
			f = slices.Clone(f)
			for i := range f {
				if dead[i] {
					f[i] = value(i)
				}
			}
			spoilt.frames = append(spoilt.frames, f)
		}
		return spoilt
	}
	hot := float32(s.Dose / float64(n*n) * 20)
	believed := spoil(func(i int) float32 { return hot * float32(i%2) })
	masked := spoil(func(int) float32 { return -1 })
	with, _ := masked.refined(t, s.truth(), sweeps(80, nil))
	without, _ := believed.refined(t, s.truth(), sweeps(80, nil))
	require.Less(t, s.offTruth(t, with), 2*s.offTruth(t, clean))
	require.Greater(t, s.offTruth(t, without), 5*s.offTruth(t, with))
}

func TestDivergenceIsUndone(t *testing.T) {
	long(t)
	s := ordinary(t)
	e, notes := s.refined(t, s.truth(), sweeps(80, func(o *Options) { o.Step, o.Momentum = 2, 0.95 }))
	require.NotEmpty(t, notes)
	require.True(t, strings.Contains(notes[0], "diverged") && strings.Contains(notes[0], "halved"), notes[0])
	require.Len(t, e.History(), 80)
	require.Less(t, s.offTruth(t, e), 0.1)
}

func TestUnitOfTheProbeDoesNotMatter(t *testing.T) {
	long(t)
	s := ordinary(t)
	start := s.truth()
	start.Probe = slices.Clone(start.Probe)
	for i := range start.Probe {
		start.Probe[i] *= 1000
	}
	same, _ := s.refined(t, s.truth(), sweeps(10, nil))
	e, notes := s.refined(t, start, sweeps(10, nil))
	require.Empty(t, notes)
	require.InDelta(t, s.offTruth(t, same), s.offTruth(t, e), 1e-3)
}

func TestHoldoutStopsInTime(t *testing.T) {
	long(t)
	s := simulated(t, simulate.Options{Frames: 160, Step: 4.5, NPhotons: 1e3, Noise: true, Seed: 1})
	start := s.truth()
	start.Object = s.Object // from where a fit to noise only leads away
	const all = 40
	e := s.engine(t, start, sweeps(all, func(o *Options) { o.Holdout, o.Step = 0.05, 0.02 }))
	var last float64
	var notes []string
	require.NoError(t, e.Run(t.Context(), Watch{
		Sweep: func(Sweep) { last = s.offTruth(t, e) },
		Note:  func(n string) { notes = append(notes, n) },
	}))
	require.Len(t, notes, 2)
	require.Contains(t, notes[0], "explained worse")
	require.Contains(t, notes[1], "explained best after sweep")
	require.Less(t, len(e.History()), all)
	require.Less(t, s.offTruth(t, e), 0.7*last)
}

func TestWorkersDoNotMatter(t *testing.T) {
	s := simulated(t, simulate.Options{N: 32, Frames: 50, NPhotons: 1e6, Noise: true, Seed: 1, Probe: simulate.ProbeOptions{Modes: 2}})
	var first *Engine
	for _, workers := range []int{1, 2, 3} {
		e, _ := s.refined(t, jittered(s.truth(), 0.5), sweeps(6, func(o *Options) {
			o.Workers, o.FitProbe, o.FitPositions, o.FitGain, o.FitBackground, o.Holdout, o.Polish = workers, true, true, true, true, 0.02, 3
		}))
		if first == nil {
			first = e
		}
		require.Equal(t, first.object, e.object)
		require.Equal(t, first.params.Data, e.params.Data)
		require.Equal(t, first.gain, e.gain)
		require.Equal(t, [2][]float64{first.y, first.x}, [2][]float64{e.y, e.x})
		require.Equal(t, first.history, e.history)
	}
}
