package main

import (
	"math"
	"math/cmplx"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/internal/kernel"
	"ptycho/internal/rng"
	"ptycho/metrics"
)

// bound is what a reconstruction has to reach after one complex factor and a phase plane.
type bound struct{ e, phaseSSIM float64 }

func (b bound) holds(s metrics.Scores) bool { return s.E < b.e && s.PhaseSSIM > b.phaseSSIM }

// mapped returns the square m with the pixel f(row, column) at every row and column.
func mapped(m metrics.Image, f func(row, col int) (int, int)) metrics.Image {
	out := metrics.Image{Rows: m.Rows, Cols: m.Cols, Pix: make([]complex128, len(m.Pix))}
	for i := range out.Pix {
		row, col := f(i/m.Cols, i%m.Cols)
		out.Pix[i] = m.Pix[row*m.Cols+col]
	}
	return out
}

// conjugate returns the complex conjugate of m.
func conjugate(m metrics.Image) metrics.Image {
	out := mapped(m, func(row, col int) (int, int) { return row, col })
	for i, v := range out.Pix {
		out.Pix[i] = cmplx.Conj(v)
	}
	return out
}

// wrong returns what a reconstruction, a square, becomes when something is fundamentally wrong with it.
func wrong(rec metrics.Image) map[string]metrics.Image {
	last := rec.Rows - 1
	flat := mapped(rec, func(int, int) (int, int) { return last / 2, last / 2 })
	turned := mapped(rec, func(row, col int) (int, int) { return last - row, last - col })
	return map[string]metrics.Image{
		"flat":                  flat,
		"left and right":        mapped(rec, func(row, col int) (int, int) { return row, last - col }),
		"top and bottom":        mapped(rec, func(row, col int) (int, int) { return last - row, col }),
		"turned by 180 degrees": turned,
		"transposed":            mapped(rec, func(row, col int) (int, int) { return col, row }),
		"conjugated":            conjugate(rec),
		"twin":                  conjugate(turned),
		"ten pixels off":        mapped(rec, func(row, col int) (int, int) { return row, (col + 10) % rec.Cols }),
	}
}

// checkQuality holds the scores in dir to b, and b to telling the reconstruction from wrong ones.
func checkQuality(t *testing.T, dir, scan string, b bound) {
	s := checkScores(t, dir, scan)
	_, rec, truth := readScores(t, dir, scan)
	require.NotEqual(t, rec.Rows, rec.Cols, "exchanged axes do not fit")
	side := min(rec.Rows, rec.Cols)
	square := func(m metrics.Image) metrics.Image {
		r, c := (m.Rows-side)/2, (m.Cols-side)/2
		return m.Crop(r, r+side, c, c+side)
	}
	rec, truth = square(rec), square(truth)
	score := func(m metrics.Image) metrics.Scores {
		s, err := metrics.Compare(m, truth, metrics.Options{RemovePlane: true})
		require.NoError(t, err)
		return s
	}
	for name, m := range wrong(rec) {
		g := score(m)
		t.Logf("E %.3f  phase SSIM %6.3f  %s", g.E, g.PhaseSSIM, name)
		if b.holds(g) {
			t.Errorf("%s: expected not to pass %+v", name, b)
		}
	}
	for name, g := range map[string]metrics.Scores{"scan": s.GaugeAndPlane, "square in its middle": score(rec)} {
		t.Logf("E %.3f  phase SSIM %6.3f  %s, %+v", g.E, g.PhaseSSIM, name, s.Box)
		if !b.holds(g) {
			t.Errorf("%s: expected to pass %+v", name, b)
		}
	}
}

// grains writes an experiment without frames: a jittered raster of cols × rows positions, five pixels apart, over an
// object of elliptic grains at random, and the probe of the scan that other tests use.
func grains(t testing.TB, cols, rows int) string {
	const step, margin = 5, 36
	r := rng.New(5, "grains", 0)
	var x, y []float64
	for i := range cols * rows {
		x = append(x, margin+step*(float64(i%cols)+0.5*r.Float64()))
		y = append(y, margin+step*(float64(i/cols)+0.5*r.Float64()))
	}
	h, w := step*rows+2*margin, step*cols+2*margin
	phase, amp := make([]float64, h*w), make([]float64, h*w)
	for range h * w / 700 {
		cy, cx := float64(h)*r.Float64(), float64(w)*r.Float64()
		axis := cmplx.Rect(1, math.Pi*r.Float64())
		long, short, depth, sign := 9*(1+1.5*r.Float64()), 9.0, 0.5+0.5*r.Float64(), float64(1-2*r.IntN(2))
		for i := range phase {
			z := complex(float64(i%w)-cx, float64(i/w)-cy) * axis
			u, v := real(z)/long, imag(z)/short
			inside := depth / (1 + math.Exp(4*(u*u+v*v-1)))
			phase[i], amp[i] = phase[i]+0.8*sign*inside, amp[i]+0.25*inside
		}
	}
	object := make([]complex64, h*w)
	for i := range object {
		object[i] = complex64(cmplx.Rect(max(0.9-amp[i], 0.4), phase[i]))
	}
	path := filepath.Join(t.TempDir(), "setup.npz")
	writeArrays(t, path, map[string]data.Array{
		"xcoords": {Shape: []int{len(x)}, Data: x}, "ycoords": {Shape: []int{len(y)}, Data: y},
		"probeGuess": arrays(t)["probeGuess"], "objectGuess": {Shape: []int{h, w}, Data: object},
	})
	return path
}

// workflow simulates, trains and infers.
func workflow(t testing.TB, setup string, photons float64, train ...string) (scan, result string) {
	dir := t.TempDir()
	scan, run, result := filepath.Join(dir, "scan.npz"), filepath.Join(dir, "run"), filepath.Join(dir, "result")
	must(t, "simulate", "--input_file", setup, "--output_file", scan, "--nphotons", strconv.FormatFloat(photons, 'g', -1, 64), "--seed", "3")
	must(t, append([]string{"train", "--train_data_file", scan, "--output_dir", run, "--n_filters_scale", "1", "--gridsize", "2"}, train...)...)
	must(t, "infer", "--model_path", run, "--test_data", scan, "--output_dir", result)
	return scan, result
}

// slow skips tests that train until there is something to see.
func slow(t testing.TB) {
	if testing.Short() {
		t.Skip("takes about a minute")
	}
	if kernel.Name() == "generic" {
		t.Skip("SKIPPED: takes a quarter of an hour with the generic kernel")
	}
}

func TestQualityOfASimulatedScan(t *testing.T) {
	slow(t)
	scan, result := workflow(t, grains(t, 20, 12), 1e8, "--nepochs", "20", "--batch_size", "4")
	checkQuality(t, result, scan, bound{e: 0.3, phaseSSIM: 0.3})
}

func TestQualityOnTheRealObject(t *testing.T) {
	slow(t)
	if _, err := os.Stat(measured); err != nil {
		t.Skipf("SKIPPED: the real probe, object and scan are absent: %v", err)
	}
	scan, result := workflow(t, measured, 1e9, "--nepochs", "10", "--n_images", "512")
	checkQuality(t, result, scan, bound{e: 0.5, phaseSSIM: 0.5})
}

func TestQualityOfARefinement(t *testing.T) {
	scan := grainScan(t, 20, 12, 1e8)
	dir, _ := refined(t, scan)
	checkQuality(t, dir, scan, bound{e: 0.01, phaseSSIM: 0.99})
}

func TestQualityOfARefinementOfTheRealObject(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	if _, err := os.Stat(measured); err != nil {
		t.Skipf("SKIPPED: the real probe, object and scan are absent: %v", err)
	}
	if kernel.Name() == "generic" {
		t.Skip("SKIPPED: takes long with the generic kernel")
	}
	scan := filepath.Join(t.TempDir(), "scan.npz")
	must(t, "simulate", "--input_file", measured, "--output_file", scan, "--nphotons", "1e9", "--seed", "3")
	dir, _ := refined(t, scan)
	checkQuality(t, dir, scan, bound{e: 0.001, phaseSSIM: 0.999})
}
