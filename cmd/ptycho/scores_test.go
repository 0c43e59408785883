package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/metrics"
)

// readScores returns what metrics.json in dir says, and the written reconstruction and the object of the scan inside
// the box that it names.
func readScores(t testing.TB, dir, scan string) (s scores, rec, truth metrics.Image) {
	text := string(mustRead(t, filepath.Join(dir, metricsFile)))
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&s))
	a, err := data.ReadNPZ(filepath.Join(dir, "reconstruction.npz"))
	require.NoError(t, err)
	shape, origin := a["object"].Shape, a["origin"].Data.([]int64)
	row, col, b := int(origin[0]), int(origin[1]), s.Box
	rec = metrics.FromComplex64(shape[0], shape[1], a["object"].Data.([]complex64)).Crop(b.R0-row, b.R1-row, b.C0-col, b.C1-col)
	ds, err := data.Load(scan, data.LoadOptions{})
	require.NoError(t, err)
	truth = metrics.FromComplex64(ds.Object.Rows, ds.Object.Cols, ds.Object.Pix).Crop(b.R0, b.R1, b.C0, b.C1)
	return s, rec, truth
}

// checkScores computes the scores in dir anew from the files there.
func checkScores(t testing.TB, dir, scan string) scores {
	s, rec, truth := readScores(t, dir, scan)
	gauge, err := metrics.Compare(rec, truth, metrics.Options{})
	require.NoError(t, err)
	require.Equal(t, gauge, s.Gauge)
	plane, err := metrics.Compare(rec, truth, metrics.Options{RemovePlane: true})
	require.NoError(t, err)
	require.Equal(t, plane, s.GaugeAndPlane)
	require.LessOrEqual(t, plane.E, gauge.E, "a plane that is removed too cannot make it worse")
	return s
}

func TestMetricsFile(t *testing.T) {
	scan, _ := trained(t)
	result := resultDir(t)
	s := checkScores(t, result, scan)
	require.Equal(t, scan, s.Scan)

	m := readJSON(t, filepath.Join(result, metricsFile))
	require.Equal(t, []string{"box", "gauge", "gauge_and_plane", "scan", "truth", "units"}, sortedKeys(m))
	require.Equal(t, "objectGuess", m["truth"])
	require.Equal(t, []string{"col0", "col1", "row0", "row1"}, sortedKeys(m["box"].(map[string]any)))
	names := []string{
		"amp_mae", "amp_psnr", "amp_ssim", "amp_ssim7", "e", "pearson", "phase_mae", "phase_rms", "phase_ssim", "phase_ssim7",
		"ramp_x", "ramp_y", "scale", "spread", "truth_spread",
	}
	for _, key := range []string{"gauge", "gauge_and_plane"} {
		values := m[key].(map[string]any)
		require.Equal(t, names, sortedKeys(values))
		for name, v := range values {
			require.IsType(t, 0.0, v, name)
		}
	}
	require.Subset(t, names, sortedKeys(m["units"].(map[string]any)))
	page := string(mustRead(t, filepath.Join("..", "..", "docs", "data.md")))
	for _, name := range slices.Concat(names, sortedKeys(m), sortedKeys(m["box"].(map[string]any))) {
		require.Contains(t, page, "`"+name+"`", "docs/data.md explains every name")
	}

	ds, err := data.Load(scan, data.LoadOptions{})
	require.NoError(t, err)
	require.GreaterOrEqual(t, float64(s.Box.R0), slices.Min(ds.Y), "the box lies between the outermost positions")
	require.GreaterOrEqual(t, float64(s.Box.C0), slices.Min(ds.X))
	require.LessOrEqual(t, float64(s.Box.R1-1), slices.Max(ds.Y))
	require.LessOrEqual(t, float64(s.Box.C1-1), slices.Max(ds.X))
	require.GreaterOrEqual(t, s.Box.R1-s.Box.R0, metrics.MinSide)
	require.GreaterOrEqual(t, s.Box.C1-s.Box.C0, metrics.MinSide)
}

// TestTruthOfTikeFile gives a scan with other keys, of which metrics.json must name the object's.
func TestTruthOfTikeFile(t *testing.T) {
	_, run := trained(t)
	m := arrays(t)
	frames, x, y := m["diffraction"], m["xcoords"].Data.([]float64), m["ycoords"].Data.([]float64)
	var corners []float64
	for i := range x {
		corners = append(corners, y[i]-32, x[i]-32)
	}
	scan, dir := filepath.Join(t.TempDir(), "tike.npz"), t.TempDir()
	writeArrays(t, scan, map[string]data.Array{
		"data": frames, "scan": {Shape: []int{len(x), 2}, Data: corners}, "probe": m["probeGuess"], "psi": m["objectGuess"],
	})
	must(t, "infer", "--model_path", run, "--test_data", scan, "--output_dir", dir, "--dc", "centre")
	require.Equal(t, "psi", checkScores(t, dir, scan).Truth)
}

func sortedKeys(m map[string]any) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func TestNothingOfAnEarlierReconstructionStays(t *testing.T) {
	scan, run := trained(t)
	m := arrays(t)
	delete(m, "objectGuess")
	unknown, dir := filepath.Join(t.TempDir(), "unknown.npz"), t.TempDir()
	writeArrays(t, unknown, m)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o644))
	infer := func(scan string, more ...string) outcome {
		return ptycho(append([]string{"infer", "--model_path", run, "--test_data", scan, "--output_dir", dir}, more...)...)
	}
	always := []string{"notes.txt", "reconstructed_amplitude.png", "reconstructed_phase.png", "reconstruction.npz", "run.json"}
	for _, tt := range []struct {
		scan    string
		flags   []string
		more    []string
		patches bool
	}{
		{scan, []string{"--comparison_plot", "--save_patches"}, []string{comparisonPicture, metricsFile}, true},
		{scan, nil, []string{metricsFile}, false},
		{scan, []string{"--comparison_plot"}, []string{comparisonPicture, metricsFile}, false},
		{unknown, []string{"--comparison_plot"}, nil, false},
	} {
		o := infer(tt.scan, tt.flags...)
		require.Zero(t, o.code, o.stderr)
		require.ElementsMatch(t, append(tt.more, always...), files(t, dir), "%v", tt.flags)
		a, err := data.ReadNPZ(filepath.Join(dir, "reconstruction.npz"))
		require.NoError(t, err)
		require.Equal(t, tt.patches, a["patches"].Data != nil)
	}

	// A run that fails takes nothing away.
	require.Zero(t, infer(scan, "--comparison_plot").code)
	before := files(t, dir)
	m["diffraction"].Data.([]float32)[7] = float32(math.NaN())
	writeArrays(t, unknown, m)
	require.Equal(t, exitFailed, infer(unknown).code)
	require.Equal(t, before, files(t, dir))
}

func TestFilesThatCannotBeRemoved(t *testing.T) {
	_, run := trained(t)
	m := arrays(t)
	delete(m, "objectGuess")
	unknown, dir := filepath.Join(t.TempDir(), "unknown.npz"), t.TempDir()
	writeArrays(t, unknown, m)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, metricsFile, "below"), 0o755))
	requireFailure(t, ptycho("infer", "--model_path", run, "--test_data", unknown, "--output_dir", dir), exitFailed,
		"cannot remove "+filepath.Join(dir, metricsFile)+" of an earlier reconstruction", "remove it by hand")
}
