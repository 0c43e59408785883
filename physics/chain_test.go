package physics_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/fft"
	"ptycho/internal/testutil"
	"ptycho/physics"
)

// chain is the whole forward model from the network's outputs to the Poisson likelihood of some groups.
type chain struct {
	layout *physics.Layout
	modes  int
	scale  float64
	nll    *physics.PoissonNLL

	amplitude, phase []float32 // [B,N,N,C]
	probe            []float32 // [modes,2,N,N]
	counts           []float32 // [B·C,N,N]
}

type chainResult struct {
	lambda        []float32
	loss          float64
	da, dphi, dpr []float32
}

// run evaluates the chain and its gradients.
func (c *chain) run(t testing.TB) chainResult {
	l := c.layout
	tape := autodiff.NewTape(autodiff.NewParams(), true)
	shape := autodiff.Shape{l.Groups, l.N, l.N, l.C}
	a, phi := tape.Input(shape, true), tape.Input(shape, true)
	probe := tape.Input(autodiff.Shape{c.modes, 2, l.N, l.N}, true)
	k := tape.Input(autodiff.Shape{l.Groups * l.C, l.N, l.N}, false)
	field := physics.Polar(tape, a, phi)
	if l.C > 1 {
		w := physics.MergeWeights(c.probe, l.N)
		field = physics.Extract(tape, l, physics.Merge(tape, l, w, field, physics.Overlap(tape, l, w)))
	}
	lambda := physics.Detect(tape, physics.FarField(tape, plan(t, l.N), field, probe), c.modes, c.scale)
	tape.Keep(lambda)
	tape.AddLoss("nll", 1, c.nll, lambda, k)
	tape.Compile()
	copy(tape.Data(a), c.amplitude)
	copy(tape.Data(phi), c.phase)
	copy(tape.Data(probe), c.probe)
	copy(tape.Data(k), c.counts)
	r := chainResult{loss: tape.Forward()}
	r.lambda = slices.Clone(tape.Data(lambda))
	tape.Backward(1, nil)
	r.da, r.dphi, r.dpr = tape.Grad(a), tape.Grad(phi), tape.Grad(probe)
	return r
}

// measure makes the counts of the chain those given, exactly.
func (c *chain) measure(counts []float32) {
	mean := 0.0
	for _, v := range counts {
		mean += float64(v) / float64(len(counts))
	}
	c.counts = counts
	c.nll = &physics.PoissonNLL{Epsilon: physics.PoissonEpsilon(mean), Norm: mean, Floor: physics.PoissonFloor(counts)}
}

// unshift moves DC of every n×n frame from the centre to [0,0].
func unshift(frames []float32, n int) []float32 {
	out := make([]float32, len(frames))
	for i := 0; i < len(frames); i += n * n {
		fft.Unshift(out[i:][:n*n], frames[i:][:n*n], n, n)
	}
	return out
}

func TestChainMatchesGolden(t *testing.T) {
	for _, name := range []string{"network_n64_gs1.npz", "network_n64_gs2.npz", "network_n64_gs2_modes2.npz"} {
		f := testutil.Golden(t, name)
		s := f.Shape("counts")
		b, channels, n := s[0], s[1], s[2]
		c := &chain{layout: physics.NewLayout(b, channels, n, f.Int("canvas")), modes: f.Shape("probe")[0], scale: f.Float("scale")}
		offsets := f.Float64s("offsets")
		for g := range b {
			var x, y []float64
			for i := g * channels; i < (g+1)*channels; i++ {
				x, y = append(x, offsets[2*i]), append(y, offsets[2*i+1])
			}
			c.layout.Set(g, x, y)
		}
		c.measure(unshift(f.Float32s("counts"), n))
		c.amplitude = testutil.NHWC(f.Float32s("amplitude"), b, channels, n, n)
		c.phase = testutil.NHWC(f.Float32s("phase"), b, channels, n, n)
		c.probe = imagePlanes(f.Complex64s("probe"), c.modes)
		r := c.run(t)
		require.InDelta(t, f.Float("loss"), r.loss, 1e-6, name)
		testutil.CloseNorm(t, r.lambda, unshift(f.Float32s("intensity"), n), 3e-6, name, "λ")
		testutil.CloseNorm(t, testutil.NCHW(r.da, b, n, n, channels), f.Float64s("grad.amplitude"), 1e-5, name, "amplitude")
		testutil.CloseNorm(t, testutil.NCHW(r.dphi, b, n, n, channels), f.Float64s("grad.phase"), 1e-5, name, "phase")
		if f.Has("grad.probe") {
			testutil.CloseNorm(t, r.dpr, imagePlanes(f.Complex64s("grad.probe"), c.modes), 1e-5, name, "probe")
		}
	}
}

// truth is a chain whose amplitude and phase are the true object under each frame, cut from a smooth scene, and
// whose counts are those that the true object gives, without noise.
func truth(t testing.TB, groups, c, n, m int, dose float64, position func(u float64) float64) *chain {
	const rows, cols = 160, 190
	re, im := make([]float32, rows*cols), make([]float32, rows*cols)
	for i := range re {
		y, x := float64(i/cols), float64(i%cols)
		a := 0.6 + 0.15*math.Sin(0.14*x+0.03*y) + 0.1*math.Cos(0.2*y-0.05*x)
		phi := 0.6*math.Sin(0.11*y+0.05*x) + 0.4*math.Cos(0.17*x-0.08*y)
		re[i], im[i] = float32(a*math.Cos(phi)), float32(a*math.Sin(phi))
	}
	z := make([]complex64, n*n)
	for i := range z {
		y, x := float64(i/n-n/2)+0.3, float64(i%n-n/2)-0.7
		w, p := math.Exp(-(x*x+y*y)/float64(n*n)*30), 6*(x*x+0.7*y*y)/float64(n)/4
		z[i] = complex(float32(w*math.Cos(p)), float32(w*math.Sin(p)))
	}
	probe, err := physics.NewProbe(z, n, 1, 0, false)
	require.NoError(t, err)

	ch := &chain{layout: physics.NewLayout(groups, c, n, m), modes: 1, scale: math.Sqrt(dose) / (float64(n) / 2), probe: probe.Planes}
	planes := make([]float32, groups*c*2*n*n)
	for b := range groups {
		x, y := make([]float64, c), make([]float64, c)
		for k := range c {
			at := testutil.Uniform(uint64(300+b*c+k), 2)
			// The last patch makes the mean of the group a whole number if the positions are.
			x[k], y[k] = 90+position(at[0]), 80+position(at[1])
		}
		x[c-1] += math.Mod(float64(c)*90-sum(x), float64(c))
		y[c-1] += math.Mod(float64(c)*80-sum(y), float64(c))
		ch.layout.Set(b, x, y)
		for k := range c {
			p := planes[(b*c+k)*2*n*n:]
			physics.Gather(p, n, re, rows, cols, y[k]-float64(n/2), x[k]-float64(n/2))
			physics.Gather(p[n*n:], n, im, rows, cols, y[k]-float64(n/2), x[k]-float64(n/2))
		}
	}
	in := []autodiff.Tensor{tensor(planes, groups*c, 2, n, n), tensor(probe.Planes, 1, 2, n, n)}
	counts, _ := testutil.NewOp(t, make([]float32, groups*c*n*n), in, diffract(t, n, 1, ch.scale)).VJP()
	ch.measure(slices.Clone(counts))
	ch.amplitude, ch.phase = make([]float32, groups*n*n*c), make([]float32, groups*n*n*c)
	for i := range ch.amplitude {
		b, pixel, k := i/(n*n*c), i/c%(n*n), i%c
		p := planes[(b*c+k)*2*n*n:]
		ch.amplitude[i] = float32(math.Hypot(float64(p[pixel]), float64(p[n*n+pixel])))
		ch.phase[i] = float32(math.Atan2(float64(p[n*n+pixel]), float64(p[pixel])))
	}
	return ch
}

func sum(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}

// The true object, merged, extracted and diffracted, gives the measured frames, and the loss its least value.
func TestTruthIsTheMinimum(t *testing.T) {
	for _, tt := range []struct {
		name     string
		c        int
		position func(u float64) float64
		frames   float64 // largest relative error of the frames
	}{
		{"single frames", 1, func(u float64) float64 { return 10 * u }, 1e-5},
		{"whole pixels", 4, func(u float64) float64 { return math.Floor(8 * u) }, 1e-5},
		// Bilinear interpolation smooths the object a little, twice.
		{"sub-pixel", 4, func(u float64) float64 { return 8 * u }, 5e-3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ch := truth(t, 3, tt.c, 64, 84, 1e5, tt.position)
			r := ch.run(t)
			testutil.CloseNorm(t, r.lambda, ch.counts, tt.frames, "frames")
			floor := ch.nll.Floor / ch.nll.Norm
			require.InEpsilon(t, floor, r.loss, 0.01)
			require.GreaterOrEqual(t, r.loss, floor)

			flat := *ch
			flat.amplitude, flat.phase = make([]float32, len(ch.amplitude)), make([]float32, len(ch.phase))
			rms := testutil.Norm(ch.amplitude) / math.Sqrt(float64(len(ch.amplitude)))
			for i := range flat.amplitude {
				flat.amplitude[i] = float32(rms)
			}
			got := flat.run(t)
			require.Greater(t, got.loss-floor, 0.3*floor, "a flat object must cost much")
			require.Less(t, testutil.Norm(r.da), 0.02*testutil.Norm(got.da), "the gradient vanishes at the truth")
		})
	}
}

// randomChain is a chain with nothing special about it.
func randomChain(groups, c, n, m, modes int) *chain {
	ch := &chain{layout: spread(groups, c, n, m), modes: modes, scale: 3}
	ch.amplitude, ch.phase = testutil.Signed(1, groups*n*n*c), testutil.Signed(2, groups*n*n*c)
	ch.probe = testutil.Signed(3, modes*2*n*n)
	counts := testutil.Signed(4, groups*c*n*n)
	for i, v := range counts {
		counts[i] = float32(math.Floor(20 * float64(v*v)))
	}
	ch.measure(counts)
	return ch
}

// permuted returns v, made of equal parts, with part i at place order[i].
func permuted[T any](v []T, order []int) []T {
	size := len(v) / len(order)
	out := make([]T, len(v))
	for i, to := range order {
		copy(out[to*size:], v[i*size:][:size])
	}
	return out
}

// Groups share nothing, however many of them there are: in another order they give the same bits.
func TestGroupsAreIndependent(t *testing.T) {
	for _, size := range [][2]int{{16, 1}, {4, 4}, {7, 9}, {16, 4}, {64, 1}, {32, 4}} {
		groups, c := size[0], size[1]
		t.Run(fmt.Sprintf("%d groups of %d", groups, c), func(t *testing.T) {
			ch := randomChain(groups, c, 8, 14, 2)
			order := make([]int, groups)
			for i := range order {
				order[i] = (5*i + 3) % groups // a permutation, as no number of groups here is a multiple of 5
			}
			other := *ch
			other.layout = physics.NewLayout(groups, c, 8, 14)
			other.layout.X, other.layout.Y = permuted(ch.layout.X, order), permuted(ch.layout.Y, order)
			other.amplitude, other.phase = permuted(ch.amplitude, order), permuted(ch.phase, order)
			other.counts = permuted(ch.counts, order)
			a, b := ch.run(t), other.run(t)
			require.Equal(t, permuted(a.lambda, order), b.lambda)
			require.Equal(t, permuted(a.da, order), b.da)
			require.Equal(t, permuted(a.dphi, order), b.dphi)
			require.InEpsilon(t, a.loss, b.loss, 1e-12)
		})
	}
}

func scaledBy(f float64, v []float32) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(f * float64(x))
	}
	return out
}

// Probe and object are known up to a common factor only: P → aP with O → O/a changes nothing that is measured.
func TestProbeObjectGauge(t *testing.T) {
	for _, a := range []float64{2, 3.7, 0.01} {
		ch := randomChain(3, 4, 12, 20, 2)
		other := *ch
		other.probe, other.amplitude = scaledBy(a, ch.probe), scaledBy(1/a, ch.amplitude)
		want, got := ch.run(t), other.run(t)
		require.InEpsilon(t, want.loss, got.loss, 1e-6)
		testutil.CloseNorm(t, got.lambda, want.lambda, 1e-6, "λ")
		testutil.CloseNorm(t, got.da, scaledBy(a, want.da), 1e-5, "amplitude")
		testutil.CloseNorm(t, got.dphi, want.dphi, 1e-5, "phase")
		testutil.CloseNorm(t, got.dpr, scaledBy(1/a, want.dpr), 1e-5, "probe")
	}
}

// Another unit of the data, with S derived again, leaves the gradients as they are, and so the training.
func TestDataUnit(t *testing.T) {
	for _, unit := range []float64{4, 0.37, 1e5} {
		ch := randomChain(2, 4, 12, 20, 1)
		other := *ch
		other.scale = ch.scale * math.Sqrt(unit)
		other.measure(scaledBy(unit, ch.counts))
		want, got := ch.run(t), other.run(t)
		excess := func(c *chain, r chainResult) float64 { return r.loss - c.nll.Floor/c.nll.Norm }
		require.InEpsilon(t, excess(ch, want), excess(&other, got), 1e-4)
		testutil.CloseNorm(t, got.lambda, scaledBy(unit, want.lambda), 1e-5, "λ")
		testutil.CloseNorm(t, got.da, want.da, 1e-4, "amplitude")
		testutil.CloseNorm(t, got.dphi, want.dphi, 1e-4, "phase")
		testutil.CloseNorm(t, got.dpr, want.dpr, 1e-4, "probe")
	}
}

// A global phase of the object cannot be seen.
func TestGlobalPhase(t *testing.T) {
	ch := randomChain(2, 4, 12, 20, 2)
	other := *ch
	other.phase = slices.Clone(ch.phase)
	for i := range other.phase {
		other.phase[i] += 1.25
	}
	want, got := ch.run(t), other.run(t)
	testutil.CloseNorm(t, got.lambda, want.lambda, 1e-6, "λ")
	total := 0.0
	for _, v := range want.dphi {
		total += float64(v)
	}
	require.InDelta(t, 0, total, 1e-5*testutil.Norm(want.dphi)*math.Sqrt(float64(len(want.dphi))))
}
