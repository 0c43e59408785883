package main

import (
	"archive/zip"
	"encoding/csv"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

// manyStates in the environment of a process makes a refinement write its state after every sweep.
const manyStates = "PTYCHO_TEST_MANY_STATES"

func init() {
	if os.Getenv(manyStates) != "" {
		stateInterval = 0
	}
}

// everything are the flags of a refinement that fits all there is.
var everything = []string{"--fit_probe", "--probe_modes", "2", "--fit_positions", "--fit_gain", "--fit_background", "--holdout", "0.02"}

// grainScan simulates a scan of grains.
func grainScan(t testing.TB, cols, rows int, photons float64) string {
	path := filepath.Join(t.TempDir(), "scan.npz")
	must(t, "simulate", "--input_file", grains(t, cols, rows), "--output_file", path, "--nphotons", strconv.FormatFloat(photons, 'g', -1, 64), "--seed", "3")
	return path
}

// refineFlags are the flags of a refinement.
func refineFlags(scan, dir string, more ...string) []string {
	return append([]string{"refine", "--test_data", scan, "--output_dir", dir}, more...)
}

// refined refines and returns the output directory and what was said.
func refined(t testing.TB, scan string, more ...string) (dir string, o outcome) {
	dir = t.TempDir()
	return dir, must(t, refineFlags(scan, dir, more...)...)
}

// readResult reads the reconstruction in dir.
func readResult(t testing.TB, dir string) map[string]data.Array {
	a, err := data.ReadNPZ(filepath.Join(dir, "reconstruction.npz"))
	require.NoError(t, err)
	return a
}

// requireSameResult compares the reconstructions in two directories byte by byte.
func requireSameResult(t testing.TB, a, b string, what ...any) {
	const name = "reconstruction.npz"
	require.True(t, string(mustRead(t, filepath.Join(a, name))) == string(mustRead(t, filepath.Join(b, name))), what...)
}

// sweepErrors reads the errors of the sweeps from the table in dir.
func sweepErrors(t testing.TB, dir string) []float64 {
	rows, err := csv.NewReader(strings.NewReader(string(mustRead(t, filepath.Join(dir, sweepsFile))))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"sweep", "loss_per_photon", "error", "r_factor", "held_out_loss_per_photon", "step"}, rows[0])
	var errors []float64
	for i, row := range rows[1:] {
		require.Equal(t, strconv.Itoa(i+1), row[0])
		for _, text := range row {
			v, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			require.False(t, math.IsNaN(v) || math.IsInf(v, 0) || v < 0, "%v", row)
		}
		v, _ := strconv.ParseFloat(row[2], 64)
		errors = append(errors, v)
	}
	return errors
}

// e returns the error of the object in dir after a complex factor and a plane.
func e(t testing.TB, dir string) float64 {
	return at(t, readJSON(t, filepath.Join(dir, metricsFile)), "gauge_and_plane", "e").(float64)
}

func TestRefinementDirectory(t *testing.T) {
	scan := scanFile(t)
	dir, o := refined(t, scan, append(everything, "--iterations", "4", "--comparison_plot")...)
	require.Equal(t, []string{"comparison_plot.png", "metrics.json", "reconstructed_amplitude.png", "reconstructed_phase.png", "reconstruction.npz", "run.json", "sweeps.csv"}, files(t, dir))
	checkPicture(t, filepath.Join(dir, "reconstructed_amplitude.png"))
	checkPicture(t, filepath.Join(dir, "reconstructed_phase.png"))
	require.Len(t, sweepErrors(t, dir), 4)
	require.Contains(t, o.stderr, "sweep 4  error ")

	ds, err := data.Load(scan, data.LoadOptions{})
	require.NoError(t, err)
	a := readResult(t, dir)
	shape := a["object"].Shape
	require.Len(t, shape, 2)
	for key, want := range map[string]data.Array{
		"object":        {Shape: shape, Data: []complex64{}},
		"coverage":      {Shape: shape, Data: []float32{}},
		"origin":        {Shape: []int{2}, Data: []int64{}},
		"xcoords":       {Shape: []int{20}, Data: []float64{}},
		"ycoords":       {Shape: []int{20}, Data: []float64{}},
		"xcoords_start": {Shape: []int{20}, Data: []float64{}},
		"ycoords_start": {Shape: []int{20}, Data: []float64{}},
		"probe":         {Shape: []int{2, 64, 64}, Data: []complex64{}},
		"gain":          {Shape: []int{20}, Data: []float64{}},
		"background":    {Shape: []int{64, 64}, Data: []float32{}},
	} {
		require.Contains(t, a, key)
		require.Equal(t, want.Shape, a[key].Shape, key)
		require.IsType(t, want.Data, a[key].Data, key)
	}
	require.Len(t, a, 10)
	require.Equal(t, ds.X, a["xcoords_start"].Data)
	require.Equal(t, ds.Y, a["ycoords_start"].Data)
	require.NotEqual(t, ds.X, a["xcoords"].Data)
	photons := 0.0
	for _, v := range a["probe"].Data.([]complex64) {
		photons += float64(real(v)*real(v) + imag(v)*imag(v))
	}
	require.InEpsilon(t, ds.Dose, photons, 1e-4)

	rec := readJSON(t, filepath.Join(dir, "run.json"))
	require.Equal(t, "refine", rec["command"])
	require.NotEmpty(t, rec["finished"])
	sum, err := fileSum(scan)
	require.NoError(t, err)
	require.Equal(t, map[string]any{scan: sum}, rec["inputs_sha256"])
	for name, want := range map[string]any{
		"iterations": 4.0, "batch_size": 8.0, "probe_modes": 2.0, "fit_probe": true, "fit_positions": true, "affine": false, "fit_gain": true,
		"fit_background": true, "holdout": 0.02, "max_shift": 16.0, "loss": "amplitude", "batches": "sparse", "step": 0.3, "seed": 42.0,
	} {
		require.Equal(t, want, at(t, rec, "config", "refine", name), name)
	}
	require.Equal(t, 20.0, at(t, rec, "results", "frames"))
	require.Equal(t, at(t, readJSON(t, filepath.Join(dir, metricsFile)), "fit", "error"), at(t, rec, "results", "error"))
	require.Positive(t, at(t, rec, "results", "seconds"))
	require.Contains(t, at(t, rec, "results", "frames_in_memory"), "uint16")

	// What this one fitted and the next does not is not there any more.
	must(t, refineFlags(scan, dir, "--iterations", "0")...)
	require.Len(t, readResult(t, dir), 6)
	require.Empty(t, sweepErrors(t, dir))
}

func TestRefinedInference(t *testing.T) {
	scan, run := trained(t)
	dir := t.TempDir()
	o := must(t, "infer", "--model_path", run, "--test_data", scan, "--output_dir", dir, "--refine", "20", "--comparison_plot")
	require.Regexp(t, `inference, s \S+  in all, s \S+\n`, o.stderr)
	require.Regexp(t, `refined, sweeps 20  error \S+ → \S+  R \S+ → \S+  seconds`, o.stderr)
	require.Equal(t, []string{"comparison_plot.png", "metrics.json", "reconstructed_amplitude.png", "reconstructed_phase.png", "reconstruction.npz", "run.json", "sweeps.csv"}, files(t, dir))
	s := checkScores(t, dir, scan)
	require.Less(t, s.GaugeAndPlane.E, 0.3*e(t, resultDir(t)), "far better than the network")

	rec := readJSON(t, filepath.Join(dir, "run.json"))
	before, after := at(t, rec, "results", "refinement", "error_before").(float64), at(t, rec, "results", "refinement", "error").(float64)
	require.Less(t, after, 0.2*before)
	require.Less(t, at(t, rec, "results", "refinement", "r_factor"), at(t, rec, "results", "refinement", "r_factor_before"))
	require.Equal(t, after, s.Fit.Error)
	require.Equal(t, 20.0, at(t, rec, "config", "refine", "iterations"))
	require.Equal(t, 1.0, at(t, rec, "config", "model", "n_filters_scale"))
	require.Len(t, rec["inputs_sha256"], 2)

	// The same by way of the other command.
	again, _ := refined(t, scan, "--model_path", run, "--iterations", "20", "--fit_probe=false")
	object := func(dir string) any { return readResult(t, dir)["object"].Data }
	require.Equal(t, object(dir), object(again))
	require.Contains(t, at(t, readJSON(t, filepath.Join(again, "run.json")), "inputs_sha256"), filepath.Join(run, "checkpoints", "best.safetensors"))
}

func TestStartsOfARefinement(t *testing.T) {
	scan := grainScan(t, 12, 8, 1e7)
	first, _ := refined(t, scan, "--iterations", "30", "--fit_probe")
	object := filepath.Join(first, "reconstruction.npz")
	blank := sweepErrors(t, first)
	dir, _ := refined(t, scan, "--iterations", "30", "--init", object)
	again := sweepErrors(t, dir)
	require.Less(t, again[0], 1.5*blank[len(blank)-1], "goes on from there")
	require.Less(t, again[0], 0.2*blank[0])
	require.Contains(t, at(t, readJSON(t, filepath.Join(dir, "run.json")), "inputs_sha256"), object)

	probe := func(flags ...string) []complex64 {
		dir, _ := refined(t, scan, append(flags, "--iterations", "0")...)
		return readResult(t, dir)["probe"].Data.([]complex64)
	}
	fitted, file := readResult(t, first)["probe"].Data.([]complex64), probe()
	require.Greater(t, distance(file, fitted), 0.01)
	require.Less(t, distance(probe("--init", object), fitted), 1e-5)
	require.Less(t, distance(probe("--init", object, "--probe", "start"), fitted), 1e-5)
	require.Less(t, distance(probe("--init", object, "--probe", "file"), file), 1e-5)
	require.Less(t, distance(probe("--probe", "file"), file), 1e-5)

	dir, o := refined(t, scan, "--init", object, "--probe", "estimate", "--iterations", "1")
	require.Contains(t, o.stderr, "probe estimated from the frames: a lens defocused by ")
	require.Equal(t, true, at(t, readJSON(t, filepath.Join(dir, "run.json")), "config", "refine", "fit_probe"))
	require.Contains(t, readJSON(t, filepath.Join(dir, "run.json"))["notes"].([]any)[0], "probe estimated")
	estimate := probe("--probe", "estimate")
	require.Greater(t, distance(estimate, file), 0.05)
	require.Less(t, distance(estimate, file), 1.0, "it is better than nothing")
}

// distance returns ‖a−b‖/‖b‖ after a complex factor.
func distance(a, b []complex64) float64 {
	var ab, aa, bb float64
	var dot complex128
	for i := range a {
		x, y := complex128(a[i]), complex128(b[i])
		dot += x * complex(real(y), -imag(y))
		aa, bb = aa+real(x)*real(x)+imag(x)*imag(x), bb+real(y)*real(y)+imag(y)*imag(y)
	}
	ab = real(dot)*real(dot) + imag(dot)*imag(dot)
	return math.Sqrt(max(0, 1-ab/aa/bb))
}

// TestCorrectedPositions goes from a refinement that corrected positions to others.
func TestCorrectedPositions(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	const note = "the start's corrected positions are used"
	ds, err := data.Load(grainScan(t, 12, 12, 1e7), data.LoadOptions{})
	require.NoError(t, err)
	x, y := slices.Clone(ds.X), slices.Clone(ds.Y)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range ds.X {
		ds.X[i], ds.Y[i] = ds.X[i]+1.5*(r.Float64()-0.5), ds.Y[i]+1.5*(r.Float64()-0.5)
	}
	off := filepath.Join(t.TempDir(), "off.npz")
	require.NoError(t, data.Save(off, ds, data.SaveOptions{}))
	misplaced := func(a map[string]data.Array) float64 {
		var u, v []float64
		for i := range x {
			u, v = append(u, a["xcoords"].Data.([]float64)[i]-x[i]), append(v, a["ycoords"].Data.([]float64)[i]-y[i])
		}
		return math.Hypot(deviation(u), deviation(v))
	}
	blind, _ := refined(t, off, "--iterations", "80")
	first, o := refined(t, off, "--iterations", "80", "--fit_positions")
	require.NotContains(t, o.stderr, note)
	a, b := readResult(t, blind), readResult(t, first)
	require.Equal(t, ds.X, a["xcoords"].Data)
	require.NotContains(t, a, "xcoords_start")
	// What is left is a change of scale, along which so small a scan says little.
	require.Less(t, misplaced(b), 0.75*misplaced(a))
	require.Less(t, e(t, first), e(t, blind))
	s := readJSON(t, filepath.Join(first, metricsFile))
	require.Contains(t, s, "registered", "a shift is open when positions are fitted")
	require.LessOrEqual(t, at(t, s, "registered", "e"), 1.05*at(t, s, "gauge_and_plane", "e").(float64))

	second, o := refined(t, off, "--iterations", "1", "--init", filepath.Join(first, "reconstruction.npz"))
	require.Contains(t, o.stderr, note)
	c := readResult(t, second)
	for _, key := range []string{"xcoords", "ycoords"} {
		require.InDeltaSlice(t, b[key].Data, c[key].Data, 1e-9)
	}
	require.Equal(t, ds.X, c["xcoords_start"].Data, "those of the scan")
	require.Equal(t, ds.Y, c["ycoords_start"].Data)
	require.Less(t, sweepErrors(t, second)[0], sweepErrors(t, blind)[79])
	third, o := refined(t, off, "--iterations", "1", "--fit_positions", "--init", filepath.Join(second, "reconstruction.npz"))
	require.Contains(t, o.stderr, note)
	require.Equal(t, ds.X, readResult(t, third)["xcoords_start"].Data)

	for i := range ds.X {
		ds.X[i]++
	}
	other := filepath.Join(t.TempDir(), "other.npz")
	require.NoError(t, data.Save(other, ds, data.SaveOptions{}))
	fourth, o := refined(t, other, "--iterations", "1", "--init", filepath.Join(first, "reconstruction.npz"))
	require.NotContains(t, o.stderr, note, "they belong to another scan")
	require.Equal(t, ds.X, readResult(t, fourth)["xcoords"].Data)
}

// deviation returns the standard deviation.
func deviation(v []float64) float64 {
	sum, square := 0.0, 0.0
	for _, x := range v {
		sum, square = sum+x, square+x*x
	}
	n := float64(len(v))
	return math.Sqrt(max(0, square/n-sum*sum/n/n))
}

func TestWorkersDoNotChangeARefinement(t *testing.T) {
	scan := scanFile(t)
	flags := append([]string{"--iterations", "6", "--polish", "2", "--workers"}, "")
	var first string
	for _, workers := range []string{"1", "2", "3"} {
		flags[len(flags)-1] = workers
		dir, _ := refined(t, scan, append(slices.Clone(flags), everything...)...)
		if first == "" {
			first = dir
		}
		requireSameResult(t, first, dir, workers)
		require.Equal(t, string(mustRead(t, filepath.Join(first, sweepsFile))), string(mustRead(t, filepath.Join(dir, sweepsFile))))
	}
	other, _ := refined(t, scan, append([]string{"--iterations", "6", "--polish", "2", "--seed", "5"}, everything...)...)
	require.NotEqual(t, mustRead(t, filepath.Join(first, sweepsFile)), mustRead(t, filepath.Join(other, sweepsFile)))
}

// child runs ptycho as a process, whose limit of memory is its own.
func child(t testing.TB, args ...string) (stderr string) {
	p := start(t, nil, args...)
	for p.stdout.Scan() {
	}
	require.NoError(t, p.cmd.Wait(), "%s", p.stderr)
	return p.stderr.String()
}

func TestLimitOfMemory(t *testing.T) {
	scan, want, dir := scanFile(t), t.TempDir(), t.TempDir()
	flags := append([]string{"--iterations", "3"}, everything...)
	must(t, refineFlags(scan, want, flags...)...)
	stored := "frames in memory uint16, 160 KiB"
	text := child(t, refineFlags(scan, dir, append(flags, "--memory", "1GiB")...)...)
	require.Contains(t, text, stored)
	require.Contains(t, text, "limit 1.0 GiB")
	requireSameResult(t, want, dir)
	require.EqualValues(t, 1<<30, at(t, readJSON(t, filepath.Join(dir, "run.json")), "results", "memory_limit_bytes"))

	o := ptycho(refineFlags(scan, t.TempDir(), append(flags, "--memory", "20MB")...)...)
	requireFailure(t, o, exitFailed, "--memory 20MB: expected at least ", "give more, or refine a part of the scan with --n_subsample")
	_, least, _ := strings.Cut(o.stderr, "expected at least ")
	least, _, _ = strings.Cut(least, " for")
	mib, err := strconv.Atoi(strings.TrimSuffix(least, " MiB"))
	require.NoError(t, err, o.stderr)
	text = child(t, refineFlags(scan, dir, append(flags, "--memory", strconv.Itoa(mib+1)+"MiB")...)...)
	if !strings.Contains(text, "frames in memory no, read in every sweep") {
		require.Contains(t, text, stored) // a megabyte may be enough for 160 KiB
	}
	requireSameResult(t, want, dir)
}

// TestPeakOfMemory refines a scan that fits into the limit as uint16 but not as float32, and one that does not fit.
func TestPeakOfMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("a large scan")
	}
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: peaks of memory are known on Linux")
	}
	const n, side, across = 2500, 128, 50
	r := rand.New(rand.NewPCG(3, 4))
	frames := make([]uint16, n*side*side)
	for i := range frames {
		dy, dx := i/side%side-side/2, i%side-side/2
		frames[i] = uint16(3e4/(1+0.05*float64(dy*dy+dx*dx))) + uint16(r.IntN(3))
	}
	x, y, probe := make([]float64, n), make([]float64, n), make([]complex64, side*side)
	for i := range x {
		x[i], y[i] = 80+float64(i%across)+0.3*r.Float64(), 80+float64(i/across)+0.3*r.Float64()
	}
	for i := range probe {
		dy, dx := float64(i/side-side/2), float64(i%side-side/2)
		probe[i] = complex(float32(math.Exp(-(dy*dy+dx*dx)/300)), 0)
	}
	scan := filepath.Join(t.TempDir(), "large.npz")
	writeArrays(t, scan, map[string]data.Array{
		"diffraction": {Shape: []int{n, side, side}, Data: frames}, "probeGuess": {Shape: []int{side, side}, Data: probe},
		"xcoords": {Shape: []int{n}, Data: x}, "ycoords": {Shape: []int{n}, Data: y},
	})
	frames = nil
	var results []string
	for _, tt := range []struct {
		limit float64 // MB, below 2500 frames of float32 and what else is needed
		kept  string
	}{{215, "uint16, 78 MiB"}, {100, "no, read in every sweep"}} {
		dir := t.TempDir()
		text := child(t, refineFlags(scan, dir, "--iterations", "1", "--memory", strconv.FormatFloat(tt.limit, 'f', -1, 64)+"MB", "--fit_probe=false")...)
		require.Contains(t, text, "frames in memory "+tt.kept)
		rec := readJSON(t, filepath.Join(dir, "run.json"))
		t.Logf("limit %g MB, peak %.0f MB", tt.limit, rec["peak_rss_bytes"].(float64)/1e6)
		require.Less(t, rec["peak_rss_bytes"].(float64), 1e6*tt.limit)
		results = append(results, dir)
	}
	requireSameResult(t, results[0], results[1])
}

func TestSplitHalves(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	scan := grainScan(t, 16, 12, 1e8)
	dir, o := refined(t, scan, "--iterations", "40", "--split")
	require.Contains(t, o.stderr, "half sets  box ")
	half := at(t, readJSON(t, filepath.Join(dir, metricsFile)), "half_sets").(map[string]any)
	require.Equal(t, []string{"box", "error", "frc", "frequency", "resolution", "samples"}, sortedKeys(half))
	thresholds := half["resolution"].(map[string]any)
	require.Equal(t, []string{"0.5", "1/7", "half_bit", "one_bit"}, sortedKeys(thresholds))
	for name, v := range thresholds {
		r := v.(map[string]any)
		require.Equal(t, []string{"crossed", "cycles_per_pixel", "full_period_pixels"}, sortedKeys(r), name)
		if r["crossed"] == true {
			require.InEpsilon(t, 1, r["cycles_per_pixel"].(float64)*r["full_period_pixels"].(float64), 1e-9, name)
			require.Less(t, r["full_period_pixels"], 4.0, name)
		}
	}
	frc, frequency := half["frc"].([]any), half["frequency"].([]any)
	require.Len(t, frequency, len(frc))
	require.Len(t, half["samples"], len(frc))
	for i, v := range frc {
		if f := frequency[i].(float64); f < 0.1 {
			require.Greater(t, v, 0.98, "%g cycles a pixel", f)
		}
	}
	for _, v := range half["error"].([]any) {
		require.Less(t, v, 1e-4)
	}
	refined(t, scan, "--iterations", "0", "--polish", "2", "--split")

	for _, tt := range []struct{ flags, warning string }{
		{"--iterations 1 --n_subsample 3", "half sets: expected at least 4 frames to compare halves of, found 3"},
		{"--iterations 1 --n_subsample 6 --sequential_sampling", "half sets: "},
	} {
		dir, o := refined(t, scan, append(strings.Fields(tt.flags), "--split")...)
		require.Contains(t, o.stderr, "warning: no comparison of half sets: "+tt.warning)
		require.Contains(t, files(t, dir), "reconstruction.npz", "the refinement itself is not lost")
		require.NotContains(t, readJSON(t, filepath.Join(dir, metricsFile)), "half_sets")
	}
}

// npyFile writes an NPY file, one of those inside an NPZ file, and returns its path.
func npyFile(t testing.TB, path string, a data.Array) string {
	writeArrays(t, path+".npz", map[string]data.Array{"a": a})
	z, err := zip.OpenReader(path + ".npz")
	require.NoError(t, err)
	defer z.Close()
	content, err := fs.ReadFile(z, "a.npy")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, content, 0o644))
	return path
}

func TestMaskedDefects(t *testing.T) {
	ds, err := data.Load(grainScan(t, 12, 8, 1e7), data.LoadOptions{})
	require.NoError(t, err)
	n, r := ds.N, rand.New(rand.NewPCG(5, 6))
	dead := []int{n/2*n + n/2 + 3, (n/2+2)*n + n/2 - 3, (n/2-4)*n + n/2}
	hot := []int{5*n + 9, 50*n + 8, 11*n + 51}
	mask := make([]bool, n*n)
	for i := range ds.Len() {
		frame := ds.Frame(i)
		for _, p := range dead {
			frame[p], mask[p] = 0, true
		}
		for _, p := range hot {
			frame[p], mask[p] = float32(40000+r.IntN(200)), true
		}
	}
	dir := t.TempDir()
	scan := filepath.Join(dir, "defects.npz")
	require.NoError(t, data.Save(scan, ds, data.SaveOptions{Domain: "counts"}))
	blind, _ := refined(t, scan, "--iterations", "40", "--fit_probe=false")
	found, o := refined(t, scan, "--iterations", "40", "--fit_probe=false", "--mask_defects")
	require.Contains(t, o.stderr, "left out: 3 dead pixels (0 gaps), 3 hot ones, and 0 where they reach the detector's ceiling")
	require.Contains(t, readJSON(t, filepath.Join(found, "run.json"))["notes"].([]any)[0], "3 dead pixels")
	require.Less(t, e(t, found), 0.5*e(t, blind))

	// A mask for them does the same.
	path := npyFile(t, filepath.Join(dir, "mask.npy"), data.Array{Shape: []int{n, n}, Data: mask})
	masked, _ := refined(t, scan, "--iterations", "40", "--fit_probe=false", "--mask", path)
	require.InEpsilon(t, e(t, found), e(t, masked), 1e-6)
	require.Contains(t, at(t, readJSON(t, filepath.Join(masked, "run.json")), "inputs_sha256"), path)
}

func TestNamesOfTheScoresOfARefinement(t *testing.T) {
	dir, _ := refined(t, grainScan(t, 12, 12, 1e6), "--iterations", "5", "--fit_positions", "--split")
	page := string(mustRead(t, filepath.Join("..", "..", "docs", "data.md")))
	var explain func(v map[string]any)
	explain = func(v map[string]any) {
		for name, w := range v {
			require.Contains(t, page, "`"+name+"`", "docs/data.md explains every name")
			if below, ok := w.(map[string]any); ok {
				explain(below)
			}
		}
	}
	m := readJSON(t, filepath.Join(dir, metricsFile))
	require.Subset(t, sortedKeys(m), []string{"fit", "half_sets", "registered"})
	require.Equal(t, []string{"error", "photons", "poisson_excess", "r_factor"}, sortedKeys(m["fit"].(map[string]any)))
	explain(m)

	ds, err := data.Load(grainScan(t, 4, 4, 1e6), data.LoadOptions{})
	require.NoError(t, err)
	ds.Object = nil
	scan := filepath.Join(t.TempDir(), "unknown.npz")
	require.NoError(t, data.Save(scan, ds, data.SaveOptions{}))
	dir, _ = refined(t, scan, "--iterations", "1")
	require.Equal(t, []string{"fit", "scan"}, sortedKeys(readJSON(t, filepath.Join(dir, metricsFile))), "without a known object")
}
