package metrics

import (
	"encoding/json"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

type golden struct {
	Rows, Cols    int
	Truth, Rec    struct{ Re, Im []float64 }
	Gauge         [2]float64
	Factor, Plane Scores
	SSIM          struct{ Gauss, Uniform float64 }
	MAE, MSE      float64
	Pearson       float64
}

func load(t *testing.T) (g golden, rec, truth Image) {
	t.Helper()
	b, err := os.ReadFile("../testdata/metrics/metrics.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &g))
	image := func(re, im []float64) Image {
		pix := make([]complex128, len(re))
		for i := range pix {
			pix[i] = complex(re[i], im[i])
		}
		return NewImage(g.Rows, g.Cols, pix)
	}
	return g, image(g.Rec.Re, g.Rec.Im), image(g.Truth.Re, g.Truth.Im)
}

// fields returns the scores by their JSON names.
func fields(t *testing.T, s Scores) map[string]float64 {
	t.Helper()
	b, err := json.Marshal(s)
	require.NoError(t, err)
	m := map[string]float64{}
	require.NoError(t, json.Unmarshal(b, &m))
	return m
}

func requireScores(t *testing.T, want, got Scores, tol float64) {
	t.Helper()
	w, g := fields(t, want), fields(t, got)
	require.Len(t, g, 15)
	for k := range g {
		require.InDelta(t, w[k], g[k], tol, k)
	}
}

func TestCompareGolden(t *testing.T) {
	g, rec, truth := load(t)
	for _, tc := range []struct {
		name string
		opts Options
		want Scores
	}{
		{"factor", Options{}, g.Factor},
		{"plane", Options{RemovePlane: true}, g.Plane},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Compare(rec, truth, tc.opts)
			require.NoError(t, err)
			requireScores(t, tc.want, got, 1e-9)
		})
	}
}

func TestGaugeGolden(t *testing.T) {
	g, rec, truth := load(t)
	got := Gauge(rec, truth)
	require.InDelta(t, g.Gauge[0], real(got), 1e-12)
	require.InDelta(t, g.Gauge[1], imag(got), 1e-12)
	require.Zero(t, Gauge(NewImage(1, 1, []complex128{0}), NewImage(1, 1, []complex128{1})))
}

func TestRealImagesGolden(t *testing.T) {
	g, _, _ := load(t)
	a, b := g.Truth.Re, g.Rec.Im
	require.InDelta(t, g.SSIM.Gauss, SSIM(a, b, g.Rows, g.Cols, 2.5, true), 1e-12)
	require.InDelta(t, g.SSIM.Uniform, SSIM(a, b, g.Rows, g.Cols, 2.5, false), 1e-12)
	require.InDelta(t, g.MAE, MAE(a, b), 1e-12)
	require.InDelta(t, g.MSE, MSE(a, b), 1e-12)
	require.InDelta(t, g.Pearson, Pearson(a, b), 1e-12)
	require.InDelta(t, -10*math.Log10(g.MSE), PSNR(a, b, 1), 1e-12)
	require.InDelta(t, 48.1308, PSNR(a, b, 255)-PSNR(a, b, 1), 1e-4)
}

// TestPlaneOfManyCycles adds planes in which a start from zero would be lost; nothing but the plane changes.
func TestPlaneOfManyCycles(t *testing.T) {
	g, rec, truth := load(t)
	for _, cycles := range [][2]float64{{0, 0}, {3, -2}, {-7.5, 4.5}, {0.5, 11.3}, {15.2, -18.9}} {
		y, x := 2*math.Pi*cycles[0]/float64(g.Rows), 2*math.Pi*cycles[1]/float64(g.Cols)
		got, err := Compare(rec.tilted(y, x), truth, Options{RemovePlane: true})
		require.NoError(t, err)
		want := g.Plane
		want.RampY, want.RampX = want.RampY+y, want.RampX+x
		requireScores(t, want, got, 1e-8)
	}
}

func TestRemovePlaneOfLines(t *testing.T) {
	for _, size := range [][2]int{{1, 40}, {40, 1}, {1, 1}, {2, 2}} {
		truth := Image{Rows: size[0], Cols: size[1], Pix: make([]complex128, size[0]*size[1])}
		for i := range truth.Pix {
			truth.Pix[i] = complex(1+0.1*float64(i%3), 0.2)
		}
		y, x := 0.0, 0.0
		if size[0] > 1 {
			y = 0.7
		}
		if size[1] > 1 {
			x = -0.4
		}
		gotY, gotX, out := RemovePlane(truth.tilted(y, x).scaled(2i), truth)
		require.InDelta(t, y, gotY, 1e-9)
		require.InDelta(t, x, gotX, 1e-9)
		for i, v := range out.Pix {
			require.InDelta(t, 0, cmplx.Abs(v-truth.Pix[i]), 1e-9)
		}
	}
	y, x, out := RemovePlane(Image{}, Image{})
	require.Equal(t, []any{0.0, 0.0, 0}, []any{y, x, len(out.Pix)})
	zero := NewImage(2, 2, make([]complex128, 4))
	y, x, out = RemovePlane(zero, zero)
	require.Equal(t, []any{0.0, 0.0, zero}, []any{y, x, out})
}

func TestComparePerfect(t *testing.T) {
	_, _, truth := load(t)
	got, err := Compare(truth.scaled(-3i), truth, Options{RemovePlane: true})
	require.NoError(t, err)
	requireScores(t, Scores{
		AmpPSNR: got.AmpPSNR, AmpSSIM: 1, AmpSSIM7: 1, PhaseSSIM: 1, PhaseSSIM7: 1, Pearson: 1,
		Spread: Spread(truth), TruthSpread: Spread(truth), Scale: 1.0 / 3,
	}, got, 1e-9)
	require.Greater(t, got.AmpPSNR, 250.0)
	require.Equal(t, 300.0, PSNR([]float64{1}, []float64{1}, 1))
}

func TestPhaseAcrossTheBranchCut(t *testing.T) {
	truth, rec := constant(16, 16, 1), constant(16, 16, 1)
	for i := range truth.Pix {
		truth.Pix[i] = cmplx.Rect(1, 3.1*math.Sin(float64(i)))
		rec.Pix[i] = cmplx.Rect(1, 3.1*math.Sin(float64(i))+0.1*float64(1-2*(i%2)))
	}
	got, err := Compare(rec, truth, Options{})
	require.NoError(t, err)
	require.InDelta(t, 0.1, got.PhaseMAE, 2e-3)
	require.Greater(t, got.PhaseSSIM, 0.98)
}

// TestCollapse holds that a flat reconstruction cannot score.
func TestCollapse(t *testing.T) {
	_, _, truth := load(t)
	got, err := Compare(constant(truth.Rows, truth.Cols, 0.3), truth, Options{RemovePlane: true})
	require.NoError(t, err)
	require.Less(t, got.Spread, 1e-12)
	require.Zero(t, got.Pearson)
	require.Less(t, got.AmpSSIM, 0.3)
	require.Less(t, got.PhaseSSIM, 0.3)
}

func TestConstantTruth(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	truth, rec := constant(20, 20, 2i), constant(20, 20, 2i)
	for i := range rec.Pix {
		rec.Pix[i] *= cmplx.Rect(1+0.01*rng.NormFloat64(), 0.01*rng.NormFloat64())
	}
	got, err := Compare(rec, truth, Options{RemovePlane: true})
	require.NoError(t, err)
	require.Zero(t, got.Pearson)
	require.InDelta(t, 0.01, got.E, 0.005)
	require.Greater(t, got.AmpSSIM, 0.8)
	require.Greater(t, got.PhaseSSIM, 0.8)
}

func TestCompareRefuses(t *testing.T) {
	good, nan, inf, zero := constant(12, 12, 1), constant(12, 12, 1), constant(12, 12, 1), constant(12, 12, 0)
	nan.Pix[25], inf.Pix[143] = cmplx.NaN(), complex(0, math.Inf(-1))
	for _, tc := range []struct {
		name       string
		rec, truth Image
		want       string
	}{
		{"size", constant(12, 13, 1), good, "expected a reconstruction of 12×12 pixels like the truth, found 12×13"},
		{"small", constant(10, 20, 1), constant(10, 20, 1), "at least 11×11 pixels, found 10×20"},
		{"line", constant(1, 144, 1), constant(1, 144, 1), "at least 11×11"},
		{"NaN", nan, good, "finite values in the reconstruction, found (NaN+NaNi) at row 2, column 1"},
		{"Inf", good, inf, "finite values in the truth, found (0-Infi) at row 11, column 11"},
		{"zero", zero, good, "as the reconstruction, found zeros only"},
		{"zero truth", good, zero, "as the truth, found zeros only"},
		{"overflow", constant(12, 12, 1e200), good, "rescale the images"},
		{"underflow", good, constant(12, 12, 1e-200), "rescale the images"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Compare(tc.rec, tc.truth, Options{RemovePlane: true})
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestPearson(t *testing.T) {
	for _, tc := range []struct {
		name string
		a, b []float64
		want float64
	}{
		{"equal", []float64{1, 2, 4}, []float64{1, 2, 4}, 1},
		{"opposite", []float64{1, 2, 4}, []float64{-2, -4, -8}, -1},
		{"none", []float64{1, -1, 1, -1}, []float64{1, 1, -1, -1}, 0},
		{"constant", []float64{0.1, 0.1, 0.1}, []float64{1, 2, 3}, 0},
		{"empty", nil, nil, 0},
	} {
		t.Run(tc.name, func(t *testing.T) { require.InDelta(t, tc.want, Pearson(tc.a, tc.b), 1e-15) })
	}
	require.Zero(t, MAE(nil, nil))
}

func TestSpread(t *testing.T) {
	require.InDelta(t, 0.5, Spread(NewImage(1, 2, []complex128{1i, -3})), 1e-15)
	require.Zero(t, Spread(constant(3, 3, 0)))
}

func TestCrop(t *testing.T) {
	m := FromComplex64(2, 3, []complex64{0, 1, 2, 3, 4, 5})
	require.Equal(t, NewImage(2, 1, []complex128{1, 4}), m.Crop(0, 2, 1, 2))
	require.PanicsWithValue(t, "metrics: crop [0:3, 0:1] of a 2×3 image", func() { m.Crop(0, 3, 0, 1) })
}

func TestMisuse(t *testing.T) {
	z := make([]float64, 121)
	require.PanicsWithValue(t, "metrics: 2 pixels for a 1×1 image", func() { NewImage(1, 1, make([]complex128, 2)) })
	require.PanicsWithValue(t, "metrics: a 1×2 image and a 2×1 one", func() { Gauge(constant(1, 2, 1), constant(2, 1, 1)) })
	require.PanicsWithValue(t, "metrics: 1 values and 2", func() { MAE(z[:1], z[:2]) })
	require.PanicsWithValue(t, "metrics: SSIM of a 6×20 image of 120 pixels", func() { SSIM(z[:120], z[:120], 6, 20, 1, false) })
	require.PanicsWithValue(t, "metrics: SSIM with data range 0", func() { SSIM(z, z, 11, 11, 0, true) })
}

func constant(rows, cols int, v complex128) Image {
	m := Image{Rows: rows, Cols: cols, Pix: make([]complex128, rows*cols)}
	for i := range m.Pix {
		m.Pix[i] = v
	}
	return m
}
