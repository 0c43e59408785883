package metrics

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

var thresholds = map[string]Threshold{"half": Level(0.5), "seventh": Level(1.0 / 7), "half_bit": HalfBit, "one_bit": OneBit}

func TestFRCGolden(t *testing.T) {
	g, fixed, _, other := loadFRC(t)
	require.Len(t, g.FRC, 2)
	for _, want := range g.FRC {
		c, err := FRC(fixed, other.scaled(2.5), FRCOptions{Taper: want.Taper})
		require.NoError(t, err)
		require.InDeltaSlice(t, want.Corr, c.Corr, 1e-12)
		require.InDeltaSlice(t, want.N, c.N, 1e-10)
		require.Len(t, want.Crossing, len(thresholds))
		for name, f := range thresholds {
			got, ok := c.Crossing(f)
			require.True(t, ok)
			require.InDelta(t, *want.Crossing[name], got, 1e-5, name)
		}
		for i, f := range c.Freq {
			require.InDelta(t, float64(i)/33, f, 1e-15)
		}
	}
}

// TestFRCOfKnownNoise holds that the same signal with independent noise correlates as SNR/(SNR+1) in each ring,
// within what N says of the scatter, (1−ρ²)/√(2N).
func TestFRCOfKnownNoise(t *testing.T) {
	const trials = 40
	snr := func(ring int) float64 { return 30 * math.Exp(-float64(ring)/4) }
	white := func(int) float64 { return 1 }
	for _, size := range [][2]int{{48, 48}, {41, 60}} {
		rng := rand.New(rand.NewPCG(17, uint64(size[0])))
		var mean, n []float64
		for range trials {
			s := coloured(size[0], size[1], snr, rng)
			a, b := s.scaled(1), s.scaled(1)
			na, nb := coloured(size[0], size[1], white, rng), coloured(size[0], size[1], white, rng)
			for i := range s.Pix {
				a.Pix[i] += na.Pix[i]
				b.Pix[i] += nb.Pix[i]
			}
			c, err := FRC(a, b, FRCOptions{})
			require.NoError(t, err)
			mean, n = plus(mean, c.Corr, 1.0/trials), c.N
		}
		for i := 3; i < len(mean); i++ {
			rho := snr(i) / (snr(i) + 1)
			require.InDelta(t, rho, mean[i], 4.5*(1-rho*rho)/math.Sqrt(2*n[i]*trials)+1/(2*n[i])*rho, "ring %d", i)
		}
	}
}

// TestIndependentSamples holds N against the scatter 1/(2N) of the correlation of independent white noise; under a
// taper it is a lower bound.
func TestIndependentSamples(t *testing.T) {
	const trials = 60
	for _, tc := range []struct {
		taper    int
		low, top float64
	}{{0, 0.9, 1.1}, {8, 0.6, 1}, {24, 0.4, 1}} {
		rng := rand.New(rand.NewPCG(19, uint64(tc.taper)))
		var total, rings float64
		for range trials {
			a, b := noisy(constant(48, 50, 0), 1, rng), noisy(constant(48, 50, 0), 1, rng)
			c, err := FRC(a, b, FRCOptions{Taper: tc.taper})
			require.NoError(t, err)
			for i := 8; i < len(c.Corr); i++ {
				total += c.Corr[i] * c.Corr[i] * 2 * c.N[i]
				rings++
			}
			f, ok := c.Crossing(OneBit)
			require.True(t, ok)
			require.Less(t, f, 0.1)
		}
		require.Greater(t, total/rings, tc.low)
		require.Less(t, total/rings, tc.top)
	}
}

func TestFRCOfEqualImages(t *testing.T) {
	m := noisy(constant(20, 31, 1), 1, rand.New(rand.NewPCG(23, 1)))
	c, err := FRC(m, m, FRCOptions{Taper: 3})
	require.NoError(t, err)
	require.Len(t, c.Corr, 11)
	require.Equal(t, 0.5, c.Freq[10])
	for _, v := range c.Corr {
		require.InDelta(t, 1, v, 1e-12)
	}
	for name, f := range thresholds {
		_, ok := c.Crossing(f)
		require.False(t, ok, name)
	}
	c, err = FRC(m, m.scaled(-1), FRCOptions{})
	require.NoError(t, err)
	require.InDelta(t, -1, c.Corr[5], 1e-12)
}

func TestFRCOfNothingInARing(t *testing.T) {
	m := constant(16, 16, 0)
	m.Pix[0] = 1
	for i := range m.Pix {
		m.Pix[i] = cmplx.Rect(1, math.Pi/2*float64(i%4)) // one frequency, exact in floating point
	}
	c, err := FRC(constant(16, 16, 1), constant(16, 16, 1), FRCOptions{})
	require.NoError(t, err)
	require.InDelta(t, 1, c.Corr[0], 1e-15)
	require.Zero(t, c.Corr[3])
}

func TestCrossing(t *testing.T) {
	freq, ones := []float64{0, 0.1, 0.2, 0.3, 0.4}, []float64{1, 1, 1, 1, 1}
	for _, tc := range []struct {
		name string
		corr []float64
		want float64
		ok   bool
	}{
		{"between", []float64{1, 0.9, 0.7, 0.3, 0.6}, 0.25, true},
		{"first of two", []float64{1, 0.6, 0.3, 0.9, 0.1}, 0.1 + 0.1/3, true},
		{"touches", []float64{1, 0.9, 0.5, 0.9, 0.5}, 0, false},
		{"from the threshold", []float64{1, 0.9, 0.5, 0.1, 0}, 0.2, true},
		{"ring 0 does not count", []float64{0, 0.9, 0.9, 0.9, 0.9}, 0, false},
		{"nothing is resolved", []float64{1, 0.4, 0.9, 0.9, 0.1}, 0, true},
		{"never", []float64{1, 1, 1, 1, 1}, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := Curve{Freq: freq, Corr: tc.corr, N: ones}.Crossing(Level(0.5))
			require.Equal(t, tc.ok, ok)
			require.InDelta(t, tc.want, got, 1e-12)
		})
	}
}

// TestThresholds has the numbers of the formulas as printed.
func TestThresholds(t *testing.T) {
	for _, n := range []float64{1, 8, 100, 1e4} {
		r := 1 / math.Sqrt(n)
		require.InDelta(t, (0.2071+1.9102*r)/(1.2071+0.9102*r), HalfBit(n), 1e-4)
		require.InDelta(t, (0.5+2.4142*r)/(1.5+1.4142*r), OneBit(n), 1e-4)
		require.Equal(t, 1.0/7, Level(1.0/7)(n))
	}
	require.Equal(t, []float64{HalfBit(1), HalfBit(9)}, Curve{N: []float64{1, 9}}.Threshold(HalfBit))
}

func TestFRCRefuses(t *testing.T) {
	good, inf := constant(12, 14, 1), constant(12, 14, 1)
	inf.Pix[15] = cmplx.Inf()
	for i, tc := range []struct {
		a, b  Image
		taper int
		want  string
	}{
		{good, constant(14, 12, 1), 0, "two images of one size, found 12×14 and 14×12"},
		{constant(10, 40, 1), constant(10, 40, 1), 0, "at least 11×11 pixels, found 10×40"},
		{good, good, 7, "a taper of 0 to 6 pixels for images of 12×14, found 7"},
		{good, good, -1, "found -1"},
		{inf, good, 0, "finite values in the first image, found (+Inf+Infi) at row 1, column 1"},
		{good, constant(12, 14, 0), 0, "as the second image, found zeros only"},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			_, err := FRC(tc.a, tc.b, FRCOptions{Taper: tc.taper})
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// plus returns a + f·b, a being empty at first.
func plus(a, b []float64, f float64) []float64 {
	if a == nil {
		a = make([]float64, len(b))
	}
	for i, v := range b {
		a[i] += f * v
	}
	return a
}
