package physics_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/internal/testutil"
	"ptycho/physics"
	"ptycho/simulate"
)

// waves returns the modes of a probe, [modes,2,n,n].
func waves(planes []float32, modes int) [][]complex128 {
	out, pix := make([][]complex128, modes), len(planes)/(2*modes)
	for m := range out {
		for i := range pix {
			out[m] = append(out[m], complex(float64(planes[2*m*pix+i]), float64(planes[(2*m+1)*pix+i])))
		}
	}
	return out
}

func inner(a, b []complex128) (s complex128) {
	for i, z := range a {
		s += complex(real(z), -imag(z)) * b[i]
	}
	return s
}

func power(a []complex128) float64 { return real(inner(a, a)) }

// mutual returns Σ_m P_m(r)·conj P_m(r') as real numbers.
func mutual(p [][]complex128) []float64 {
	pix := len(p[0])
	out := make([]float64, 2*pix*pix)
	for _, mode := range p {
		for i, a := range mode {
			for j, b := range mode {
				v := a * complex(real(b), -imag(b))
				out[2*(i*pix+j)] += real(v)
				out[2*(i*pix+j)+1] += imag(v)
			}
		}
	}
	return out
}

// farPower returns Σ_m|F P_m|².
func farPower(t *testing.T, planes []float32, modes, n int) []float64 {
	p, out := plan(t, n), make([]float64, n*n)
	work := make([]float32, p.WorkLen())
	planes = append([]float32(nil), planes...)
	for m := range modes {
		re, im := planes[2*m*n*n:][:n*n], planes[(2*m+1)*n*n:][:n*n]
		p.Forward(re, im, work)
		for i := range re {
			out[i] += float64(re[i])*float64(re[i]) + float64(im[i])*float64(im[i])
		}
	}
	return out
}

// requireOrthogonal checks that the modes are orthogonal and have the powers given.
func requireOrthogonal(t *testing.T, p [][]complex128, powers []float64, what string) {
	t.Helper()
	total := 0.0
	for _, v := range powers {
		total += v
	}
	for j := range p {
		require.InDelta(t, powers[j], power(p[j]), 1e-6*total, "%s: power of mode %d", what, j)
		for k := range j {
			d := inner(p[k], p[j])
			require.LessOrEqual(t, math.Hypot(real(d), imag(d)), 1e-6*total, "%s: modes %d and %d", what, k, j)
		}
	}
}

func TestOrthogonalise(t *testing.T) {
	const n, pix = 8, 64
	random := func(modes int) []float32 { return testutil.Signed(uint64(modes), modes*2*pix) }
	twice := append(random(1), random(1)...)
	withZero := append(make([]float32, 2*pix), random(2)...)
	degenerate := make([]float32, 4*pix) // two orthogonal modes of equal power
	degenerate[3], degenerate[3*pix+9] = 1, 1
	for name, probe := range map[string][]float32{
		"one mode": random(1), "three modes": random(3), "eight modes": random(8),
		"the same mode twice": twice, "a dark mode": withZero, "equal powers": degenerate, "dark": make([]float32, 4*pix),
	} {
		modes := len(probe) / (2 * pix)
		got := append([]float32(nil), probe...)
		powers := physics.Orthogonalise(got, modes, n)
		require.Len(t, powers, modes, name)
		for m := 1; m < modes; m++ {
			require.GreaterOrEqual(t, powers[m-1], powers[m], name)
		}
		old, now := waves(probe, modes), waves(got, modes)
		requireOrthogonal(t, now, powers, name)
		testutil.CloseNorm(t, mutual(now), mutual(old), 1e-6, name)
		testutil.CloseNorm(t, farPower(t, got, modes, n), farPower(t, probe, modes, n), 1e-5, name)

		again := append([]float32(nil), got...)
		physics.Orthogonalise(again, modes, n)
		testutil.CloseNorm(t, again, got, 1e-6, name+", a second time")
	}
}

// The principal modes of a probe whose first mode is much the strongest keep its phase.
func TestOrthogonaliseKeepsPhase(t *testing.T) {
	const n, modes, pix = 8, 3, 64
	probe := testutil.Signed(7, modes*2*pix)
	for i := range probe[2*pix:] {
		probe[2*pix+i] *= 0.3 / float32(1+i/(2*pix))
	}
	old := waves(append([]float32(nil), probe...), modes)
	physics.Orthogonalise(probe, modes, n)
	now := waves(probe, modes)
	for m := range modes {
		d := inner(old[m], now[m])
		require.Positive(t, real(d), "mode %d", m)
		require.InDelta(t, 0, imag(d), 1e-5*real(d), "mode %d", m)
	}
}

func TestAddModes(t *testing.T) {
	const n = 32
	for _, tt := range []struct {
		modes, want int
		share       float64
	}{{1, 1, 0.02}, {1, 2, 0.02}, {1, 6, 0.05}, {2, 4, 0.1}, {3, 12, 0.02}} {
		what := fmt.Sprint(tt)
		p, err := simulate.Probe(n, simulate.ProbeOptions{Modes: tt.modes})
		require.NoError(t, err)
		probe := imagePlanes(p, tt.modes)
		before := append([]float32(nil), probe...)
		got := physics.AddModes(probe, tt.modes, n, tt.want, tt.share)
		require.Equal(t, before, probe, what)
		require.Equal(t, got, physics.AddModes(probe, tt.modes, n, tt.want, tt.share), what)

		total, rest := 0.0, 1-tt.share*float64(tt.want-tt.modes)
		var powers []float64
		for _, mode := range waves(probe, tt.modes) {
			powers = append(powers, rest*power(mode))
			total += power(mode)
		}
		for range tt.want - tt.modes {
			powers = append(powers, tt.share*total)
		}
		now := waves(got, tt.want)
		requireOrthogonal(t, now, powers, what)
		for m, mode := range waves(probe, tt.modes) {
			d := inner(mode, now[m])
			require.InEpsilon(t, math.Sqrt(rest)*power(mode), real(d), 1e-5, "%s: mode %d", what, m)
		}
	}
}

// The first new modes of a Gaussian are its products with x and y about its centre: the modes of a beam that trembles.
func TestAddModesAreHermiteGaussian(t *testing.T) {
	const n, pix = 16, 256
	probe, ramp := make([]float32, 2*pix), make([][]complex128, 2)
	for i := range pix {
		x, y := float64(i%n)-6.5, float64(i/n)-9
		g := math.Exp(-(x*x + y*y) / 6)
		probe[i] = float32(g)
		ramp[0], ramp[1] = append(ramp[0], complex(x*g, 0)), append(ramp[1], complex(y*g, 0))
	}
	now := waves(physics.AddModes(probe, 1, n, 3, 0.1), 3)
	for m, want := range ramp {
		d := real(inner(want, now[m+1]))
		require.InEpsilon(t, math.Sqrt(power(want)*power(now[m+1])), d, 1e-4, "mode %d", m+1)
	}
}

// A small probe in a corner carries the modes of high order that it does in the middle.
func TestAddModesOfSmallProbe(t *testing.T) {
	const n, pix, want = 32, 1024, 15
	extend := func(cy, cx int) []float32 {
		probe := make([]float32, 2*pix)
		for y := -3; y <= 3; y++ {
			for x := -3; x <= 3; x++ {
				probe[(cy+y)*n+cx+x] = float32(math.Exp(-float64(x*x+y*y) / 4))
			}
		}
		return physics.AddModes(probe, 1, n, want, 0.02)
	}
	middle, corner := extend(16, 16), make([]float32, want*2*pix)
	for p := range 2 * want {
		physics.Gather(corner[p*pix:], n, middle[p*pix:][:pix], n, n, 16-27, 16-4)
	}
	testutil.CloseNorm(t, extend(27, 4), corner, 1e-5)
}

// A probe of one pixel carries one mode, a dark one none.
func TestAddModesOfFewPixels(t *testing.T) {
	const n, pix = 4, 16
	probe := make([]float32, 2*pix)
	require.Equal(t, make([]float32, 4*pix), physics.AddModes(probe, 1, n, 2, 0.25))
	probe[5] = 2
	got := physics.AddModes(probe, 1, n, 2, 0.25)
	require.InDelta(t, 4, power(waves(got, 2)[0]), 1e-6)
	require.Equal(t, make([]float32, 2*pix), got[2*pix:])
}

func TestAddModesPanics(t *testing.T) {
	for _, tt := range []struct {
		want  int
		share float64
	}{{1, 0.1}, {4, 0.5}, {3, -0.1}, {3, math.NaN()}} {
		require.Panics(t, func() { physics.AddModes(make([]float32, 2*2*16), 2, 4, tt.want, tt.share) }, fmt.Sprint(tt))
	}
}
