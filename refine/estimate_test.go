package refine

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/metrics"
	"ptycho/simulate"
)

func TestProbeIsEstimated(t *testing.T) {
	for _, defocus := range []float64{1.5, -1.5} {
		s := simulated(t, simulate.Options{
			Frames: 120, Step: 4, NPhotons: 1e6, Noise: true, Seed: 1, Probe: simulate.ProbeOptions{Defocus: math.Abs(defocus)},
		})
		if defocus < 0 { // the twin of the scan: conjugated probe and object give the frames turned by 180 degrees
			for i, v := range s.Probe {
				s.Probe[i] = complex(real(v), -imag(v))
			}
			for _, f := range s.frames {
				turnFrame(f, s.n)
			}
		}
		probe, found, err := EstimateProbe(t.Context(), &s.stack, s.n, s.X, s.Y, 1, 0)
		require.NoError(t, err)
		require.NotZero(t, found)
		got, _, _, err := metrics.Align(probeImage(probe, s.n, 0), probeImage(s.Probe, s.n, 0), 1)
		require.NoError(t, err)
		scores, err := metrics.Compare(got, probeImage(s.Probe, s.n, 0), metrics.Options{})
		require.NoError(t, err)
		require.Less(t, scores.E, 0.45, "defocus %g, found %g rad", defocus, found)
		again, _, err := EstimateProbe(t.Context(), &s.stack, s.n, s.X, s.Y, 1, 3)
		require.NoError(t, err)
		require.Equal(t, probe, again)
	}
}

// turnFrame turns a frame by 180 degrees about its element [0,0].
func turnFrame(f []float32, n int) {
	at := func(i int) int { return (n-i/n)%n*n + (n-i%n)%n }
	for i := range f {
		if j := at(i); j > i {
			f[i], f[j] = f[j], f[i]
		}
	}
}

func TestEstimateRefuses(t *testing.T) {
	s := small(t, 1e5)
	dark := &stack{n: s.n}
	for range s.frames {
		dark.frames = append(dark.frames, make([]float32, s.n*s.n))
	}
	_, _, err := EstimateProbe(t.Context(), dark, s.n, s.X, s.Y, 1, 1)
	require.ErrorContains(t, err, "the mean frame shows no aperture to estimate a probe from; give a probe")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = EstimateProbe(ctx, &s.stack, s.n, s.X, s.Y, 1, 1)
	require.ErrorIs(t, err, context.Canceled)

	broken := errors.New("broken")
	_, _, err = EstimateProbe(t.Context(), &counted{Frames: &s.stack, failAt: 3, err: broken}, s.n, s.X, s.Y, 1, 1)
	require.ErrorIs(t, err, broken)
}

// diverging has reads that end as a divergence does.
type diverging struct {
	Frames
	reads int // of the first frame
	at    func(read int) bool
}

func (d *diverging) Read(dst []float32, i int) error {
	if i == 0 {
		if d.reads++; d.at(d.reads) {
			return ErrDiverged
		}
	}
	return d.Frames.Read(dst, i)
}

func TestTrialsThatDiverge(t *testing.T) {
	s := small(t, 1e5)
	estimate := func(at func(read int) bool) (float64, error) {
		_, found, err := EstimateProbe(t.Context(), &diverging{Frames: &s.stack, at: at}, s.n, s.X, s.Y, 1, 1)
		return found, err
	}
	want, err := estimate(func(int) bool { return false })
	require.NoError(t, err)
	const first = 3 // after the mean frame and the survey of the first trial
	found, err := estimate(func(r int) bool { return r == first })
	require.NoError(t, err)
	require.Equal(t, want, found)
	_, err = estimate(func(r int) bool { return r >= first && r%2 == 1 })
	require.ErrorContains(t, err, "refinements diverge under every defocus of the aperture that the mean frame shows; give a probe")
}

func TestMinimumOfAValley(t *testing.T) {
	for _, where := range []float64{-6.9, -1.3, 0, 0.2, 3.55, 6.9} {
		var tried []float64
		best, least, err := minimum(7.5, func(x float64) (float64, error) {
			tried = append(tried, x)
			return math.Abs(x - where), nil
		})
		require.NoError(t, err)
		require.LessOrEqual(t, least, 0.25+1e-12)
		require.InDelta(t, where, best, 0.25+1e-12)
		require.Len(t, tried, 17)
		require.InDelta(t, 1, tried[16]-tried[15], 1e-12, "on both sides of the same place")
	}
}

func TestMeanFrame(t *testing.T) {
	const n = 4
	a, b := make([]float32, n*n), make([]float32, n*n)
	for i := range a {
		a[i], b[i] = float32(i), float32(3*i)
	}
	a[5], a[6], b[6] = -1, -1, -1 // not measured in one, in both
	mean, err := MeanFrame(&stack{n: n, frames: [][]float32{a, b}}, n)
	require.NoError(t, err)
	for i := range a {
		want := 2 * float64(i)
		switch i {
		case 5:
			want = 15
		case 6:
			want = -1
		}
		require.Equal(t, want, mean[(i/n+n/2)%n*n+(i%n+n/2)%n], "DC comes to the middle")
	}
}

func TestNeighbours(t *testing.T) {
	x, y := raster(9)
	near := neighbours(x, y, 9)
	require.Equal(t, []int{30, 31, 32, 39, 40, 41, 48, 49, 50}, near, "in the order of the scan")
	require.Len(t, neighbours(x, y, 1000), 81)
}

func TestTotal(t *testing.T) {
	s := small(t, 1e5)
	e := s.engine(t, s.truth(), sweeps(0, nil))
	fits, err := e.Fit()
	require.NoError(t, err)
	require.Len(t, fits, len(s.frames))
	square, counts := 0.0, 0.0
	for _, f := range fits {
		square, counts = square+f.Error()*f.Counts(), counts+f.Counts()
	}
	total := Total(fits)
	require.InEpsilon(t, counts, total.Counts(), 1e-12)
	require.InEpsilon(t, square/counts, total.Error(), 1e-9)
}
