package recon

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/metrics"
	"ptycho/physics"
)

// probeWeights returns weights that fall off from the centre, as those of a probe do.
func probeWeights() []float32 {
	planes := make([]float32, 2*side*side)
	for i := range side * side {
		r, c := float64(i/side-side/2), float64(i%side-side/2)
		planes[i] = float32(math.Exp(-(r*r + c*c) / (2 * 10 * 10)))
	}
	return physics.MergeWeights(planes, side)
}

func TestPerfectPatchesStitchToTheTruth(t *testing.T) {
	s := newScene(1)
	for _, tt := range []struct {
		name    string
		weights []float32
	}{{"probe", probeWeights()}, {"flat", flat()}} {
		t.Run(tt.name, func(t *testing.T) {
			c := s.stitch(t, s.x, s.y, tt.weights)
			object, coverage := c.Object()
			require.Greater(t, object.Cols, object.Rows, "the canvas is as wide as the scan")
			require.GreaterOrEqual(t, correlation(s.object, object, coverage, c.Row, c.Col), 0.999)

			dotless, _ := newScene(0).stitch(t, s.x, s.y, tt.weights).Object()
			r := &Reconstruction{Object: object, Coverage: coverage, Origin: [2]int64{int64(c.Row), int64(c.Col)}, X: s.x, Y: s.y}
			for _, d := range s.dots {
				row, col := centroid(object, dotless, r.Origin, d[0], d[1])
				require.InDelta(t, d[0], row, 0.1, "row of the dot at %v", d)
				require.InDelta(t, d[1], col, 0.1, "column of the dot at %v", d)
			}
			b, _ := r.ScanBox()
			rec, truth, common, err := r.Overlay(s.object, b)
			require.NoError(t, err)
			require.Equal(t, b, common)
			scores, err := metrics.Compare(rec, truth, metrics.Options{})
			require.NoError(t, err)
			require.Less(t, scores.E, 0.03)
			require.InDelta(t, 1, scores.Scale, 0.005)
		})
	}
}

func TestWrongSignsAndAxesDoNotStitch(t *testing.T) {
	s := newScene(1)
	mx, my := 0.0, 0.0
	for i := range s.x {
		mx, my = mx+s.x[i]/float64(len(s.x)), my+s.y[i]/float64(len(s.y))
	}
	mirrored := func(v []float64, mean float64) []float64 {
		m := make([]float64, len(v))
		for i := range v {
			m[i] = 2*mean - v[i]
		}
		return m
	}
	for _, tt := range []struct {
		name string
		x, y []float64
	}{
		{"both signs", mirrored(s.x, mx), mirrored(s.y, my)},
		{"sign of x", mirrored(s.x, mx), s.y},
		{"sign of y", s.x, mirrored(s.y, my)},
		{"x and y exchanged", s.y, s.x},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := s.stitch(t, tt.x, tt.y, flat())
			object, coverage := c.Object()
			got := correlation(s.object, object, coverage, c.Row, c.Col)
			require.Less(t, got, 0.5)
		})
	}
}

func TestCoverageIsZeroExactlyWhereNothingWasMeasured(t *testing.T) {
	s := newScene(1)
	x, y := s.x[:5], s.y[:5]
	c, err := NewCanvas(x, y, side, flat())
	require.NoError(t, err)
	re, im := s.patches()
	measured := make([]bool, c.Rows*c.Cols)
	for i := range x {
		c.Add(re[i], im[i], x[i], y[i])
		top, left := y[i]-side/2, x[i]-side/2
		for row := math.Floor(top); row < top+side; row++ {
			for col := math.Floor(left); col < left+side; col++ {
				measured[(int(row)-c.Row)*c.Cols+int(col)-c.Col] = true
			}
		}
	}
	object, coverage := c.Object()
	holes := 0
	for i, m := range measured {
		require.Equal(t, m, coverage[i] > 0, "row %d, column %d", i/c.Cols, i%c.Cols)
		if !m {
			holes++
			require.Zero(t, coverage[i])
			require.Zero(t, object.Pix[i])
		}
	}
	require.Positive(t, holes)
}

func TestOriginFollowsThePositions(t *testing.T) {
	s := newScene(1)
	here := s.stitch(t, s.x, s.y, flat())
	want, _ := here.Object()
	low := func(v []float64) int {
		m := v[0]
		for _, x := range v {
			m = min(m, x)
		}
		return int(math.Floor(m)) - side/2
	}
	require.Equal(t, [2]int{low(s.y), low(s.x)}, [2]int{here.Row, here.Col})

	x, y := make([]float64, len(s.x)), make([]float64, len(s.y))
	for i := range x {
		x[i], y[i] = s.x[i]-300, s.y[i]-1000
	}
	there := s.stitch(t, x, y, flat())
	got, _ := there.Object()
	require.Equal(t, [2]int{here.Row - 1000, here.Col - 300}, [2]int{there.Row, there.Col})
	require.Equal(t, want, got)
}

func TestNewCanvasRefusesScansBeyondMemory(t *testing.T) {
	_, err := NewCanvas([]float64{0, 1e6}, []float64{0, 1e6}, side, flat())
	require.ErrorContains(t, err, "1000064×1000064 object pixels")
	require.ErrorContains(t, err, "are its positions in pixels?")
	require.Panics(t, func() { _, _ = NewCanvas(nil, nil, side, flat()) })
	require.Panics(t, func() { _, _ = NewCanvas([]float64{1}, []float64{1}, side, make([]float32, 3)) })
}
