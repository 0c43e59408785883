package metrics

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAlign gives two noisy reconstructions of one object, larger than the field of view, gauges of their own.
func TestAlign(t *testing.T) {
	for i, tc := range []struct {
		name             string
		rows, cols       int
		cutoff, strength float64
		dy, dx           float64
		cyclesY, cyclesX float64
	}{
		{"factor", 64, 64, 0.2, 0.5, 0, 0, 0, 0},
		{"weak", 64, 80, 0.2, 0.2, 0.62, -1.31, 2.3, -1.4},
		{"strong", 81, 64, 0.08, 1.5, -0.48, 0.77, -3.6, 0.9},
		{"far", 96, 96, 0.06, 4, 6.25, -5.5, 0.3, -0.2},
		{"steep", 64, 64, 0.06, 4, 0.4, -0.3, 9.2, -12.6},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(13, uint64(i)))
			w := newWaves(60, tc.cutoff, rng)
			object := func(dy, dx float64) Image { return phaseObject(w.at(tc.rows, tc.cols, dy, dx), tc.strength) }
			fixed := noisy(object(0, 0), 0.02, rng)
			y, x := 2*math.Pi*tc.cyclesY/float64(tc.rows), 2*math.Pi*tc.cyclesX/float64(tc.cols)
			moving := noisy(object(-tc.dy, -tc.dx), 0.02, rng).tilted(y, x).scaled(0.3 - 2i)
			got, dy, dx, err := Align(moving, fixed, 12)
			require.NoError(t, err)
			require.InDelta(t, tc.dy, dy, 0.03)
			require.InDelta(t, tc.dx, dx, 0.03)
			in := func(m Image) Image { return m.Crop(8, m.Rows-8, 8, m.Cols-8) }
			scores, err := Compare(in(got), in(fixed), Options{})
			require.NoError(t, err)
			require.InDelta(t, 0.02*math.Sqrt2, scores.E, 0.005)
			require.InDelta(t, 1, scores.Scale, 0.01)
			require.InDelta(t, crossing(t, in(noisy(object(0, 0), 0.02, rng)), in(fixed)), crossing(t, in(got), in(fixed)), 0.03)
		})
	}
}

// crossing returns where the correlation of a and b falls below half a bit.
func crossing(t *testing.T, a, b Image) float64 {
	t.Helper()
	c, err := FRC(a, b, FRCOptions{Taper: 8})
	require.NoError(t, err)
	f, ok := c.Crossing(HalfBit)
	require.True(t, ok)
	require.Positive(t, f)
	return f
}
