package simulate

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/fft"
	"ptycho/physics"
)

func complex128s(p []complex64) []complex128 {
	q := make([]complex128, len(p))
	for i, v := range p {
		q[i] = complex128(v)
	}
	return q
}

func TestProbe(t *testing.T) {
	for _, tc := range []struct {
		n    int
		opt  ProbeOptions
		want float64 // diameter of the first mode
	}{
		{64, ProbeOptions{}, 0.36 * 64},
		{128, ProbeOptions{}, 0.36 * 128},
		{33, ProbeOptions{}, 0.36 * 33},
		{64, ProbeOptions{Diameter: 30, Defocus: -1, Modes: 4}, 30},
		{64, ProbeOptions{Modes: maxModes}, 0.36 * 64},
	} {
		p, err := Probe(tc.n, tc.opt)
		require.NoError(t, err)
		nn := tc.n * tc.n
		require.Len(t, p, max(1, tc.opt.Modes)*nn)
		require.InDelta(t, 1, cmplx.Abs(complex128(p[tc.n/2*tc.n+tc.n/2])), 0.03)
		require.InEpsilon(t, tc.want, data.Diameter(p[:nn], tc.n), 0.1)
		require.Greater(t, physics.TwinAsymmetry(p, tc.n), 0.3)

		modes := complex128s(p)
		for a := 0; a < len(p); a += nn {
			for b := 0; b < a; b += nn {
				var dot complex128
				for i := range nn {
					dot += cmplx.Conj(modes[a+i]) * modes[b+i]
				}
				require.InDelta(t, 0, cmplx.Abs(dot), 1e-4*energy(modes[:nn]), "modes are orthogonal")
			}
			if a > 0 {
				require.InEpsilon(t, modeDecay, energy(modes[a:a+nn])/energy(modes[a-nn:a]), 1e-5)
			}
		}
	}
}

func TestProbeTwinAsymmetryByDefinition(t *testing.T) {
	const n = 64
	p, err := Probe(n, ProbeOptions{})
	require.NoError(t, err)
	var diff float64
	for r := range n {
		for c := range n {
			d := complex128(p[r*n+c]) - cmplx.Conj(complex128(p[(n-r)%n*n+(n-c)%n]))
			diff += real(d)*real(d) + imag(d)*imag(d)
		}
	}
	require.Greater(t, math.Sqrt(diff/energy(complex128s(p))), 0.05)
}

// The far field of the default probe is a disc that leaves a margin on the detector.
func TestProbeFarField(t *testing.T) {
	const n = 64
	p, err := Probe(n, ProbeOptions{})
	require.NoError(t, err)
	psi := complex128s(p)
	total := energy(psi)
	far := make([]float64, n*n)
	fft.NewDouble(n, n).AddPower(far, psi)
	var inside, core float64
	for i, v := range far {
		x, y := offCentre(i, n)
		if math.Hypot(x, y) < 0.25*n {
			inside += v
		}
		if math.Hypot(x, y) < 3 {
			core += v
		}
	}
	require.Greater(t, inside, 0.95*total)
	require.Less(t, core, 0.1*total)
}

func TestProbeErrors(t *testing.T) {
	for _, tc := range []struct {
		opt  ProbeOptions
		want []string
	}{
		{ProbeOptions{Diameter: 3}, []string{"diameter 3", "4 to N/2 = 32"}},
		{ProbeOptions{Diameter: 33}, []string{"diameter 33"}},
		{ProbeOptions{Diameter: math.NaN()}, []string{"diameter NaN"}},
		{ProbeOptions{Diameter: 20, Defocus: 5}, []string{"defocus 5", "at most 4"}},
		{ProbeOptions{Diameter: 50, Modes: 7}, []string{"7 probe modes", "1 to 6", "diameter 50"}},
	} {
		_, err := Probe(64, tc.opt)
		for _, w := range tc.want {
			require.ErrorContains(t, err, w)
		}
	}
}
