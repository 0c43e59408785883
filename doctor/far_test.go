package doctor

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

func TestFarPositions(t *testing.T) {
	grid := func(also ...float64) (x, y []float64) {
		for i := range 100 {
			x, y = append(x, float64(i%10)), append(y, float64(i/10))
		}
		for _, v := range also {
			x, y = append(x, v), append(y, 5)
		}
		return x, y
	}
	for name, tt := range map[string]struct {
		also     []float64
		diameter float64
		want     []int
	}{
		"none":               {nil, 1, nil},
		"one":                {[]float64{1e7}, 1, []int{100}},
		"both ways":          {[]float64{-1e7, 3, 1e3}, 1, []int{100, 102}},
		"aside":              {[]float64{60}, 1, nil},
		"a few probes apart": {[]float64{200}, 20, nil},
	} {
		x, y := grid(tt.also...)
		require.Equal(t, tt.want, farPositions(x, y, tt.diameter), name)
		require.Equal(t, tt.want, farPositions(y, x, tt.diameter), name)
	}
}

// A position far from all others is named, does not hinder the trials, and is left out of a corrected scan.
func TestFar(t *testing.T) {
	ds := scanWith(t, crooked, 1e6)
	for _, far := range []float64{1e7, 3e4} {
		frames, x, y, probe := file(ds)
		x.Data.([]float64)[7] = far
		path := write(t, frames, x, y, probe)
		r := examined(t, path, Options{})
		require.Len(t, r.find("positions"), 1)
		f := r.find("positions")[0]
		require.Equal(t, Fatal, f.Severity)
		require.Contains(t, f.Text, "1 of 400")
		require.Contains(t, f.Text, "number 7 at row")
		require.Equal(t, OK, r.find("orientation")[0].Severity, "%v", r.find("orientation"))
		require.NotContains(t, r.find("unit")[0].Text, "e+")
		out := filepath.Join(t.TempDir(), "fixed.npz")
		done, err := r.Fix(out)
		require.NoError(t, err)
		require.Len(t, done, 1)
		fixed, err := data.Load(out, data.LoadOptions{})
		require.NoError(t, err)
		require.Equal(t, slices.Delete(slices.Clone(ds.X), 7, 8), fixed.X)
		require.False(t, examined(t, out, Options{}).Fatal())
	}
	r := &Report{}
	x, y := slices.Clone(ds.X), slices.Clone(ds.Y)
	for i := range 11 {
		x[10*i] = 1e6
	}
	r.checkFar(&data.Dataset{N: side, Probe: crooked, X: x, Y: y})
	require.Contains(t, r.Findings[0].Text, "number 70 at")
	require.Contains(t, r.Findings[0].Text, ", and 3 more")
	require.NotContains(t, r.Findings[0].Text, "number 80 at")
}

// A trial that fails leaves the orientation open; one that is stopped ends the examination.
func TestFailingTrial(t *testing.T) {
	ds := scanWith(t, crooked, 1e6)
	r := &Report{whole: true}
	require.NoError(t, r.look(ds))
	broken := *ds
	broken.X = slices.Clone(ds.X)
	broken.X[7] = 1e7 // which nothing has found
	require.NoError(t, r.checkOrientation(context.Background(), &broken))
	require.Equal(t, Warn, r.Findings[0].Severity)
	require.Contains(t, r.Findings[0].Text, "cannot tell: the trials failed: ")
	ctx, stop := context.WithCancel(context.Background())
	stop()
	require.ErrorIs(t, r.checkOrientation(ctx, ds), context.Canceled)
}

func TestOneFrame(t *testing.T) {
	frames, x, y, probe := file(scanWith(t, crooked, 1e6).Select([]int{3}))
	frames.Data = frames.Data.([]float32)[:side*side]
	r := examined(t, write(t, frames, x, y, probe), Options{})
	require.Equal(t, Warn, r.find("what to run")[0].Severity)
	require.Contains(t, r.find("what to run")[0].Text, "a single frame")
	require.NotContains(t, r.find("what to run")[0].Text, "network")
}
