package physics_test

import (
	"context"
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/internal/testutil"
	"ptycho/physics"
	"ptycho/simulate"
)

func defaultProbe(t testing.TB, f *testutil.File, name string, scale float64, mask bool) *physics.Probe {
	p, err := physics.NewProbe(f.Complex64s(name+".probe"), f.Shape(name + ".probe")[0], 1, scale, mask)
	require.NoError(t, err)
	return p
}

func TestNewProbeMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "closed_form.npz")
	for _, name := range []string{"n64", "n128"} {
		// The disk lies within the mask, which makes a difference of 1e-9 only.
		for _, mask := range []bool{false, true} {
			p := defaultProbe(t, f, name, 4, mask)
			require.InEpsilon(t, f.Float(name+".divisor"), p.Divisor, 1e-6)
			require.InEpsilon(t, f.Float(name+".normalised_energy"), p.Power(), 1e-6)
			require.InEpsilon(t, f.Float(name+".energy"), p.Power()*p.Divisor*p.Divisor, 1e-6)
			top := float32(0)
			for _, v := range p.Planes {
				top = max(top, v)
			}
			require.InEpsilon(t, f.Float(name+".normalised_max"), top, 1e-6)
			require.Equal(t, 4.0, p.Scale)
			require.InEpsilon(t, float64(p.N)/2/math.Sqrt(f.Float(name+".normalised_energy")), p.ObjectAmplitude(), 1e-6)
		}
	}
}

func TestProbeMaskPixels(t *testing.T) {
	f := testutil.Golden(t, "closed_form.npz")
	for _, tt := range []struct {
		name   string
		n      int
		pixels int
	}{{"n64", 64, 812}, {"n128", 128, 3228}} {
		require.Equal(t, tt.pixels, f.Int(tt.name+".mask_pixels"))
		ones := make([]complex64, tt.n*tt.n)
		for i := range ones {
			ones[i] = 1i
		}
		p, err := physics.NewProbe(ones, tt.n, 1, 1, true)
		require.NoError(t, err)
		lit := 0
		for i, v := range p.Planes[tt.n*tt.n:] {
			if v != 0 {
				lit++
				require.Equal(t, v, p.Planes[tt.n*tt.n:][tt.n*tt.n-1-i], "the mask is symmetric about the centre of the frame")
			}
		}
		require.Equal(t, tt.pixels, lit)
		require.InEpsilon(t, float64(tt.pixels)/float64(tt.n*tt.n), p.Divisor, 1e-9)
	}
}

func randomProbe(n, modes int) []complex64 {
	z := make([]complex64, modes*n*n)
	v := testutil.Signed(9, 2*len(z))
	for i := range z {
		z[i] = complex(v[2*i], v[2*i+1]) * complex(float32(1+i/(n*n)), 0)
	}
	return z
}

func TestNewProbeAutomaticScale(t *testing.T) {
	for _, modes := range []int{1, 3} {
		p, err := physics.NewProbe(randomProbe(16, modes), 16, modes, 0, false)
		require.NoError(t, err)
		require.InEpsilon(t, physics.TargetAmplitude, p.ObjectAmplitude(), 1e-6)
		again, err := physics.NewProbe(randomProbe(16, modes), 16, modes, p.Scale, false)
		require.NoError(t, err)
		require.Equal(t, p, again, "the scale it chose gives the same probe")
	}
}

// The mean over the frame of √Σ_m|P_m|² is 1/scale, whatever the unit of the given probe; modes keep their ratio.
func TestNewProbeOfSeveralModes(t *testing.T) {
	const n, modes = 8, 3
	z := randomProbe(n, modes)
	p, err := physics.NewProbe(z, n, modes, 5, false)
	require.NoError(t, err)
	mean := 0.0
	for i := range n * n {
		power := 0.0
		for m := range modes {
			power += math.Pow(float64(p.Planes[2*m*n*n+i]), 2) + math.Pow(float64(p.Planes[(2*m+1)*n*n+i]), 2)
		}
		mean += math.Sqrt(power) / (n * n)
	}
	require.InEpsilon(t, 0.2, mean, 1e-6)

	back := p.Complex(p.Divisor)
	for i, v := range z {
		require.InDelta(t, real(v), real(back[i]), 1e-6)
		require.InDelta(t, imag(v), imag(back[i]), 1e-6)
		z[i] = v * 1000
	}
	scaled, err := physics.NewProbe(z, n, modes, 5, false)
	require.NoError(t, err)
	require.InEpsilon(t, 1000*p.Divisor, scaled.Divisor, 1e-6)
	testutil.CloseNorm(t, scaled.Planes, p.Planes, 1e-6)
}

func TestNewProbeErrors(t *testing.T) {
	one := []complex64{1, 1, 1, 1}
	inf, nan := complex(float32(math.Inf(1)), 0), complex(float32(math.NaN()), 0)
	for _, tt := range []struct {
		name     string
		p        []complex64
		n, modes int
		scale    float64
		want     string
	}{
		{"length", one, 3, 1, 1, "expected 1 modes of 3×3"},
		{"modes", one, 2, 2, 1, "expected 2 modes of 2×2"},
		{"no modes", one, 2, 0, 1, "expected 0 modes"},
		{"negative scale", one, 2, 1, -1, "probe scale -1"},
		{"infinite scale", one, 2, 1, math.Inf(1), "probe scale +Inf"},
		{"NaN scale", one, 2, 1, math.NaN(), "probe scale NaN"},
		{"zero", make([]complex64, 4), 2, 1, 1, "zero or not finite"},
		{"infinite", []complex64{1, inf, 1, 1}, 2, 1, 1, "zero or not finite"},
		{"NaN", []complex64{1, nan, 1, 1}, 2, 1, 1, "zero or not finite"},
	} {
		_, err := physics.NewProbe(tt.p, tt.n, tt.modes, tt.scale, false)
		require.ErrorContains(t, err, tt.want, tt.name)
	}
}

// A probe explains the mean frame of a scan with it, and not that of a scan with another one.
func TestProbeMismatch(t *testing.T) {
	for _, modes := range []int{1, 2} {
		n := 64
		mode, err := simulate.Probe(n, simulate.ProbeOptions{Modes: modes})
		require.NoError(t, err)
		ds, err := simulate.Run(context.Background(), simulate.Options{
			Setup: &data.Dataset{N: n, Probe: mode, Modes: modes}, Object: simulate.DeadLeaves, Frames: 100, NPhotons: 1e6, Noise: true, Seed: 3,
		})
		require.NoError(t, err)
		right, err := physics.NewProbe(ds.Probe, n, modes, 0, false)
		require.NoError(t, err)
		require.Less(t, right.Mismatch(ds.MeanFrame()), 0.03)
		sharp := make([]complex64, len(mode))
		for i, v := range mode {
			sharp[i] = complex(float32(cmplx.Abs(complex128(v))), 0) // in focus
		}
		wrong, err := physics.NewProbe(sharp, n, modes, 0, false)
		require.NoError(t, err)
		require.Greater(t, wrong.Mismatch(ds.MeanFrame()), 0.1)
	}
}
