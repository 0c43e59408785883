package simulate

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"ptycho/data"
)

// polar returns amplitude and phase of an object.
func polar(o *data.Image) (amplitude, phase []float64) {
	for _, v := range o.Pix {
		a, p := cmplx.Polar(complex128(v))
		amplitude, phase = append(amplitude, a), append(phase, p)
	}
	return amplitude, phase
}

// largestStep returns the largest difference between pixels side by side.
func largestStep(v []float64, cols int) float64 {
	var m float64
	for i := range v {
		if i%cols > 0 {
			m = max(m, math.Abs(v[i]-v[i-1]))
		}
		if i >= cols {
			m = max(m, math.Abs(v[i]-v[i-cols]))
		}
	}
	return m
}

func TestObject(t *testing.T) {
	const tol = 1e-6
	for _, kind := range Objects() {
		t.Run(kind, func(t *testing.T) {
			o, err := Object(kind, 150, 170, 4)
			require.NoError(t, err)
			require.Equal(t, []int{150, 170, 150 * 170}, []int{o.Rows, o.Cols, len(o.Pix)})
			amplitude, phase := polar(o)
			require.GreaterOrEqual(t, floats.Min(amplitude), minAmplitude-tol)
			require.LessOrEqual(t, floats.Max(amplitude), maxAmplitude+tol)
			require.LessOrEqual(t, floats.Norm(phase, math.Inf(1)), maxPhase+tol)
			require.Greater(t, stat.StdDev(amplitude, nil), 0.05)
			require.Greater(t, stat.StdDev(phase, nil), 0.4)
			require.Less(t, largestStep(amplitude, 170), 0.7*(maxAmplitude-minAmplitude), "edges are smoothed")
			require.Less(t, largestStep(phase, 170), 0.7*2*maxPhase, "edges are smoothed")
			for q := range 4 { // every quadrant holds structure
				var part []float64
				for i, p := range phase {
					if i/170/75 == q/2 && i%170/85 == q%2 {
						part = append(part, p)
					}
				}
				require.Greater(t, stat.StdDev(part, nil), 0.2)
			}

			again, err := Object(kind, 150, 170, 4)
			require.NoError(t, err)
			require.Equal(t, o, again)
			other, err := Object(kind, 150, 170, 5)
			require.NoError(t, err)
			require.NotEqual(t, o.Pix, other.Pix)
		})
	}
}

func TestObjectCharacter(t *testing.T) {
	features := func(kind string) (amplitude, phase []float64, flat, correlation float64) {
		o, err := Object(kind, 200, 200, 1)
		require.NoError(t, err)
		amplitude, phase = polar(o)
		for i := 1; i < len(phase); i++ {
			if math.Abs(phase[i]-phase[i-1]) < 1e-3 {
				flat += 1 / float64(len(phase))
			}
		}
		return amplitude, phase, flat, stat.Correlation(amplitude, phase, nil)
	}
	_, _, flat, correlation := features(GRF)
	require.Less(t, flat, 0.02)
	require.Less(t, math.Abs(correlation), 0.1, "two independent fields")

	_, _, flat, correlation = features(Lines)
	require.Less(t, flat, 0.1)
	require.Less(t, correlation, -0.99, "one material")

	_, _, flat, correlation = features(DeadLeaves)
	require.Greater(t, flat, 0.4)
	require.Greater(t, correlation, 0.9)
	require.Less(t, correlation, 0.9999, "not one material")

	_, phase, flat, _ := features(Siemens)
	require.Greater(t, flat, 0.2)
	var spokes, ground float64
	for _, p := range phase {
		if p < -0.99 {
			spokes++
		}
		if p > -0.01 {
			ground++
		}
	}
	require.Greater(t, spokes/40000, 0.2)
	require.Greater(t, ground/40000, 0.2)
}

func TestObjectErrors(t *testing.T) {
	_, err := Object("cat", 64, 64, 1)
	require.ErrorContains(t, err, `"cat"`)
	require.ErrorContains(t, err, "lines, grf, deadleaves, siemens")
	_, err = Object(Lines, 64, 31, 1)
	require.ErrorContains(t, err, "64 × 31")
}

func TestInverseCube(t *testing.T) {
	require.InDelta(t, 0.03, inverseCube(0, 0.03, 0.2), 1e-12)
	require.InDelta(t, 0.2, inverseCube(1, 0.03, 0.2), 1e-12)
	// ∫_a^r s⁻³ ds / ∫_a^b s⁻³ ds with a = 1, b = 2, r = √(8/5) is 1/2.
	require.InDelta(t, math.Sqrt(1.6), inverseCube(0.5, 1, 2), 1e-12)
}
