package optim_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/internal/testutil"
	"ptycho/optim"
)

func TestAdamMatchesGolden(t *testing.T) {
	const n = 37
	f := testutil.Golden(t, "optim.npz")
	p, grad := f.Float32s("adam.start"), f.Float32s("adam.grad")
	a := optim.NewAdam(n)
	for step := range 5 {
		before := slices.Clone(p)
		a.Update(p, grad[step*n:][:n], 1, 1e-3)
		at := func(key string) []float64 { return f.Float64s("adam." + key)[step*n:][:n] }
		testutil.Close(t, a.M, at("m"), 1e-5, 0, "m", step) // differences of gradients
		testutil.Close(t, a.V, at("v"), 2e-6, 0, "v", step)
		testutil.Close(t, p, at("param"), 1e-6, 1e-7, "param", step)
		for i := range p {
			require.LessOrEqual(t, math.Abs(float64(p[i]-before[i])), 3e-3)
		}
	}
	require.Equal(t, 5, a.Step)
}

// The size of a step depends on the sign of the gradient, not on its size: with ε = 1e-7 for all but the smallest.
func TestAdamFirstStep(t *testing.T) {
	p := []float32{1, 1, 1, 1}
	optim.NewAdam(4).Update(p, []float32{1e-4, -30, 0, 1e-7}, 1, 0.01)
	testutil.Close(t, p, []float64{0.99001, 1.01, 1, 0.995}, 1e-6, 0)
}

func TestAdamStateResumes(t *testing.T) {
	g := testutil.Signed(1, 8)
	p, q := testutil.Signed(2, 8), testutil.Signed(2, 8)
	a := optim.NewAdam(8)
	for range 3 {
		a.Update(p, g, 1, 0.01)
	}
	b := optim.NewAdam(8)
	b.Update(q, g, 1, 0.01)
	c := optim.NewAdam(8)
	copy(c.M, b.M)
	copy(c.V, b.V)
	c.Step = b.Step
	for range 2 {
		c.Update(q, g, 1, 0.01)
	}
	require.Equal(t, p, q)
	require.Panics(t, func() { a.Update(p[:7], g[:7], 1, 1) })
	require.Panics(t, func() { a.Update(p, g[:7], 1, 1) })
	require.Zero(t, testing.AllocsPerRun(10, func() { a.Update(p, g, 1, 0.01) }))
}

func TestClipMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "optim.npz")
	for _, name := range []string{"clip.hit.", "clip.miss."} {
		g := f.Float32s(name + "grad")
		norm := optim.Norm(g)
		require.InEpsilon(t, f.Float(name+"norm"), norm, 1e-6)
		scale := optim.ClipScale(norm, f.Float(name+"max_norm"))
		for i := range g {
			g[i] *= float32(scale)
		}
		testutil.Close(t, g, f.Float64s(name+"clipped"), 2e-6, 0, name)
	}
}

func TestClipScale(t *testing.T) {
	for _, tt := range [][3]float64{{5, 2.5, 0.5}, {5, 5, 1}, {5, 6, 1}, {5, 0, 1}, {5, -1, 1}, {0, 1, 1}} {
		require.Equal(t, tt[2], optim.ClipScale(tt[0], tt[1]), "norm %g, limit %g", tt[0], tt[1])
	}
	// The sum of squares does not overflow float32.
	require.InEpsilon(t, 1e30*math.Sqrt2, optim.Norm([]float32{1e30, 1e30}), 1e-6)
}

// A step with a scale is a step with the scaled gradient.
func TestAdamScale(t *testing.T) {
	g, half := testutil.Signed(1, 50), testutil.Signed(1, 50)
	for i := range half {
		half[i] /= 2
	}
	p, q := testutil.Signed(2, 50), testutil.Signed(2, 50)
	a, b := optim.NewAdam(50), optim.NewAdam(50)
	for range 3 {
		a.Update(p, g, 0.5, 0.01)
		b.Update(q, half, 1, 0.01)
	}
	require.Equal(t, q, p)
	require.Equal(t, b.V, a.V)
}

func TestSum(t *testing.T) {
	for _, n := range []int{0, 1, 77, 40000} {
		g := [][]float32{testutil.Signed(1, n), testutil.Signed(2, n), testutil.Signed(3, n)}
		want := make([]float32, n)
		for i := range want {
			want[i] = g[0][i] + g[1][i] + g[2][i]
		}
		norm := optim.Sum(g)
		require.Equal(t, want, g[0])
		require.InDelta(t, optim.Norm(want), norm, 1e-12*norm)
		require.Equal(t, testutil.Signed(3, n), g[2])
		require.InDelta(t, testutil.Norm(g[1]), optim.Sum(g[1:2]), 1e-9)
		require.Zero(t, testing.AllocsPerRun(3, func() { optim.Sum(g) }))
	}
	require.PanicsWithValue(t, "optim: sum of gradients of 2 and 1 parameters", func() {
		optim.Sum([][]float32{{1, 2}, {1}})
	})
}

func schedule(t testing.TB, cfg optim.ScheduleConfig, base float64, epochs int) optim.Schedule {
	s, err := optim.NewSchedule(cfg, base, epochs)
	require.NoError(t, err)
	return s
}

func TestSchedulesMatchGolden(t *testing.T) {
	f := testutil.Golden(t, "optim.npz")
	warmup, epochs, base := f.Int("cosine.warmup"), f.Int("cosine.epochs"), f.Float("cosine.base")
	for name, cfg := range map[string]optim.ScheduleConfig{
		"cosine":      {Name: "cosine", Warmup: warmup, FloorFrac: f.Float("cosine.floor") / base},
		"exponential": {Name: "exponential", Factor: f.Float("exponential.gamma")},
	} {
		s := schedule(t, cfg, base, epochs)
		for e, want := range f.Float64s(name + ".lr") {
			require.InEpsilon(t, want, s.Rate(e), 1e-9, "%s epoch %d", name, e)
			s.Observe(1)
		}
	}
	s := schedule(t, optim.ScheduleConfig{Name: "plateau", Factor: 0.5, Patience: 2, MinRate: 1e-4}, 1e-3, 30)
	for e, loss := range f.Float64s("plateau.loss") {
		s.Observe(loss)
		require.InEpsilon(t, f.Float64s("plateau.lr")[e], s.Rate(e+1), 1e-9, "after epoch %d", e)
	}
}

func TestSchedules(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cfg   optim.ScheduleConfig
		rates map[int]float64
	}{
		{"constant", optim.ScheduleConfig{Name: "constant"}, map[int]float64{0: 1, 9: 1, 100: 1}},
		{"warm-up", optim.ScheduleConfig{Name: "constant", Warmup: 4}, map[int]float64{0: 0.25, 1: 0.5, 3: 1, 4: 1, 9: 1}},
		{"cosine", optim.ScheduleConfig{Name: "cosine", FloorFrac: 0.2}, map[int]float64{0: 1, 5: 0.6, 10: 0.2, 11: 0.2}},
		{"warm-up as long as the run", optim.ScheduleConfig{Name: "cosine", Warmup: 10}, map[int]float64{0: 0.1, 9: 1}},
		{"warm-up of a plateau", optim.ScheduleConfig{Name: "plateau", Factor: 0.5, Warmup: 2}, map[int]float64{0: 0.5, 1: 1, 2: 1}},
		{"exponential", optim.ScheduleConfig{Name: "exponential", Factor: 0.5, Warmup: 1}, map[int]float64{0: 1, 1: 1, 2: 0.5, 4: 0.125}},
	} {
		s := schedule(t, tt.cfg, 1, 10)
		for e, want := range tt.rates {
			require.InDelta(t, want, s.Rate(e), 1e-12, "%s epoch %d", tt.name, e)
		}
	}
}

// A rate below the floor to begin with is not raised to it.
func TestPlateauBelowItsFloor(t *testing.T) {
	s := schedule(t, optim.ScheduleConfig{Name: "plateau", Factor: 0.5, MinRate: 0.1}, 0.01, 10)
	for range 5 {
		s.Observe(1)
	}
	require.Equal(t, 0.01, s.Rate(5))
}

// A loss that is not a number is no improvement.
func TestPlateauOfNaN(t *testing.T) {
	s := schedule(t, optim.ScheduleConfig{Name: "plateau", Factor: 0.5}, 1, 10)
	s.Observe(math.NaN())
	require.Equal(t, 0.5, s.Rate(1))
}

func TestScheduleStateResumes(t *testing.T) {
	losses := testutil.Uniform(3, 40)
	for _, name := range optim.ScheduleNames() {
		cfg := optim.ScheduleConfig{Name: name, Warmup: 3, Factor: 0.7, Patience: 1, FloorFrac: 0.1}
		whole := schedule(t, cfg, 0.01, 40)
		first, second := schedule(t, cfg, 0.01, 40), schedule(t, cfg, 0.01, 40)
		for e, loss := range losses {
			resumed := first
			if e >= 17 {
				resumed = second
			}
			if e == 17 {
				require.NoError(t, second.Restore(first.State()))
			}
			require.Equal(t, whole.Rate(e), resumed.Rate(e), "%s epoch %d", name, e)
			whole.Observe(loss)
			resumed.Observe(loss)
		}
		require.ErrorContains(t, second.Restore([]float64{1, 2}), "2 values", name)
	}
}
