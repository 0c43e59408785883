package main

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/internal/kernel"
	"ptycho/model"
)

// measured is a real probe, object and scan that the repository does not hold.
var measured = filepath.Join("..", "..", "..", "shared", "data", "run1084.npz")

// TestCommandLinesOfTheOriginalProgram runs what users of the original program have in their scripts.
func TestCommandLinesOfTheOriginalProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	if _, err := os.Stat(measured); err != nil {
		t.Skipf("SKIPPED: the real scan is absent: %v", err)
	}
	dir := t.TempDir()
	scan, run, result := filepath.Join(dir, "Run1084.npz"), filepath.Join(dir, "run"), filepath.Join(dir, "result")
	must(t, "simulate", "--input_file", measured, "--output_file", scan, "--layout", "hwn", "--nphotons", "1e9", "--seed", "1")
	z, err := data.OpenNPZ(scan)
	require.NoError(t, err)
	for name, want := range map[string]data.Header{
		"diffraction": {Shape: []int{64, 64, 1087}, Dtype: "<f8"},
		"probeGuess":  {Shape: []int{64, 64}, Dtype: "<c16"},
		"objectGuess": {Shape: []int{227, 226}, Dtype: "<c16"},
		"xcoords":     {Shape: []int{1087}, Dtype: "<f8"},
	} {
		h, err := z.Header(name)
		require.NoError(t, err)
		require.Equal(t, want.Shape, h.Shape, name)
		require.Equal(t, want.Dtype, h.Dtype, name)
	}
	require.NoError(t, z.Close())

	must(t, "train", "--train_data_file", scan, "--test_data_file", scan, "--output_dir", run, "--nepochs", "2", "--n_images", "64",
		"--gridsize", "1", "--batch_size", "4", "--device", "cpu", "--disable_mlflow")
	checkHistory(t, run, 2)
	rec := readJSON(t, filepath.Join(run, "run.json"))
	require.InDelta(t, 1e9, math.Pow(32*at(t, rec, "config", "model", "intensity_scale").(float64), 2), 1e7)
	require.Equal(t, 64.0, at(t, rec, "results", "groups").(float64)+at(t, rec, "results", "validation_groups").(float64))
	require.Equal(t, 64.0, at(t, rec, "results", "test", "groups"))
	require.Positive(t, at(t, rec, "results", "test", "excess_nll"))

	must(t, "infer", "--model_path", run, "--test_data", scan, "--output_dir", result, "--n_images", "32", "--device", "cpu")
	checkResult(t, result, 32)
	checkScores(t, result, scan)
}

// checkHistory reads the table of epochs in a run directory.
func checkHistory(t testing.TB, dir string, epochs int) {
	f, err := os.Open(filepath.Join(dir, "history.csv"))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, epochs+1)
	require.Subset(t, rows[0], []string{"epoch", "train_loss", "val_loss", "excess_nll", "learning_rate", "seconds", "patterns_per_second"})
}

// checkResult looks at everything that infer has to write.
func checkResult(t testing.TB, dir string, patches int) {
	a, err := data.ReadNPZ(filepath.Join(dir, "reconstruction.npz"))
	require.NoError(t, err)
	shape := a["object"].Shape
	require.Len(t, shape, 2)
	object, coverage := a["object"].Data.([]complex64), a["coverage"].Data.([]float32)
	require.Equal(t, shape, a["coverage"].Shape)
	require.IsType(t, []int64{}, a["origin"].Data)
	require.Equal(t, []int{2}, a["origin"].Shape)
	require.IsType(t, []float64{}, a["xcoords"].Data)
	require.Equal(t, []int{patches}, a["xcoords"].Shape)
	require.Equal(t, []int{patches}, a["ycoords"].Shape)
	require.IsType(t, []complex64{}, a["probe"].Data)
	require.Equal(t, []int{64, 64}, a["probe"].Shape)
	covered := 0
	for i, v := range object {
		require.False(t, math.IsNaN(float64(real(v))) || math.IsNaN(float64(imag(v))))
		if coverage[i] > 0 {
			covered++
		} else {
			require.Zero(t, v)
		}
	}
	require.Greater(t, covered, len(object)/5)
	checkPicture(t, filepath.Join(dir, "reconstructed_amplitude.png"))
	checkPicture(t, filepath.Join(dir, "reconstructed_phase.png"))
}

// checkPicture decodes a picture and counts the colours in the middle of it, where the image is.
func checkPicture(t testing.TB, path string) {
	st, err := os.Stat(path)
	require.NoError(t, err)
	require.Greater(t, st.Size(), int64(1000))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	b := img.Bounds()
	require.GreaterOrEqual(t, b.Dx(), 500)
	levels := map[color.Color]bool{}
	middle := image.Rect(b.Dx()*3/8, b.Dy()*3/8, b.Dx()/2, b.Dy()*5/8)
	for y := middle.Min.Y; y < middle.Max.Y; y++ {
		for x := middle.Min.X; x < middle.Max.X; x++ {
			levels[img.At(x, y)] = true
		}
	}
	require.Greater(t, len(levels), 20, "%s is nearly constant", path)
}

func TestRunDirectory(t *testing.T) {
	scan, run := trained(t)
	require.Equal(t, []string{"checkpoints/best.safetensors", "checkpoints/last.safetensors", "checkpoints/state.safetensors", "history.csv", "run.json"}, files(t, run))
	checkHistory(t, run, 1)
	rec := readJSON(t, filepath.Join(run, "run.json"))
	require.Equal(t, "train", rec["command"])
	require.Equal(t, "dev", rec["version"])
	require.Equal(t, kernel.Name(), rec["kernel"])
	for _, key := range []string{"cores", "wall_seconds", "cpu_seconds", "peak_rss_bytes"} {
		require.Positive(t, rec[key], key)
	}
	for _, key := range []string{"go", "platform", "started", "finished"} {
		require.NotEmpty(t, rec[key], key)
	}
	require.Contains(t, rec["args"], "--n-filters-scale")
	text, err := os.ReadFile(scan)
	require.NoError(t, err)
	sum := sha256.Sum256(text)
	require.Equal(t, map[string]any{scan: hex.EncodeToString(sum[:])}, rec["inputs_sha256"])
	require.Equal(t, 1.0, at(t, rec, "config", "model", "n_filters_scale"))
	require.Equal(t, 42.0, at(t, rec, "config", "model", "seed"))
	require.Equal(t, 42.0, at(t, rec, "config", "train", "seed"))
	require.Equal(t, "plateau", at(t, rec, "config", "train", "schedule", "name"))
	require.Equal(t, 0.0, at(t, rec, "config", "flags", "workers"))
	require.Equal(t, 0.05, at(t, rec, "config", "flags", "val_fraction"), "defaults are resolved, too")
	require.Equal(t, "epochs", at(t, rec, "results", "stopped"))
	require.Equal(t, 1.0, at(t, rec, "results", "best", "epoch"))
}

func TestResultDirectory(t *testing.T) {
	scan, run := trained(t)
	result := resultDir(t)
	require.Equal(t, []string{"metrics.json", "reconstructed_amplitude.png", "reconstructed_phase.png", "reconstruction.npz", "run.json"}, files(t, result))
	checkResult(t, result, 20)
	rec := readJSON(t, filepath.Join(result, "run.json"))
	require.Equal(t, "infer", rec["command"])
	require.Len(t, rec["inputs_sha256"], 2)
	require.Contains(t, rec["inputs_sha256"], filepath.Join(run, "checkpoints", "best.safetensors"))
	require.Equal(t, 20.0, at(t, rec, "results", "frames"))
	ds, err := data.Load(scan, data.LoadOptions{})
	require.NoError(t, err)
	a, err := data.ReadNPZ(filepath.Join(result, "reconstruction.npz"))
	require.NoError(t, err)
	require.Equal(t, ds.X, a["xcoords"].Data)
	photons := 0.0
	for _, v := range a["probe"].Data.([]complex64) {
		photons += float64(real(v)*real(v) + imag(v)*imag(v))
	}
	require.InEpsilon(t, ds.Dose, photons, 1e-4)
}

func TestSpellings(t *testing.T) {
	scan, run := trained(t)
	dir := t.TempDir()
	want, err := os.ReadFile(filepath.Join(resultDir(t), "reconstruction.npz"))
	require.NoError(t, err)
	for name, args := range map[string][]string{
		"hyphens":            {"infer", "--model-path", run, "--test-data", scan},
		"single hyphens":     {"infer", "-model_path", run, "-test-data", scan},
		"another order":      {"infer", "--quiet", "--test_data=" + scan, "--batch_size", "3", "--model_path=" + run, "--workers", "1"},
		"a checkpoint file":  {"infer", "--model_path", filepath.Join(run, "checkpoints", "best.safetensors"), "--test_data", scan},
		"its directory":      {"infer", "--model_path", filepath.Join(run, "checkpoints"), "--test_data", scan},
		"a graphics card":    {"infer", "--model_path", run, "--test_data", scan, "--device", "cuda"},
		"as many as frames":  {"infer", "--model_path", run, "--test_data", scan, "--n_groups", "20"},
		"all in a subsample": {"infer", "--model_path", run, "--test_data", scan, "--n_subsample", "500"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			o := must(t, append(args, "--output_dir", out)...)
			got, err := os.ReadFile(filepath.Join(out, "reconstruction.npz"))
			require.NoError(t, err)
			require.True(t, string(want) == string(got), "the reconstruction differs")
			require.Equal(t, name == "a graphics card", strings.Contains(o.stderr, "warning: --device cuda: this build runs on the CPU"))
		})
	}
}

func TestFlagsOfTheNetwork(t *testing.T) {
	scan := scanFile(t)
	for _, tt := range []struct {
		name  string
		flags []string
		check func(c *model.Config) bool
	}{
		{"defaults", nil, func(c *model.Config) bool {
			return !c.ObjectBig && c.ProbeBig && c.PadObject && c.Loss == model.LossConfig{MSE: 1}
		}},
		{"words", []string{"--object_big", "True", "--probe_big", "False"}, func(c *model.Config) bool { return c.ObjectBig && !c.ProbeBig }},
		{"gridsize", []string{"--gridsize", "2"}, func(c *model.Config) bool { return c.ObjectBig && c.Gridsize == 2 }},
		{"one patch a group", []string{"--gridsize", "2", "--object_big", "False", "--probe_big", "True"}, func(c *model.Config) bool { return !c.ObjectBig && c.ProbeBig && c.Gridsize == 2 }},
		{"negated", []string{"--no-pad_object"}, func(c *model.Config) bool { return !c.PadObject }},
		{"likelihood", []string{"--loss", "poisson"}, func(c *model.Config) bool { return c.Loss == model.LossConfig{NLL: 1} }},
		{"weight", []string{"--nll_weight", "3"}, func(c *model.Config) bool { return c.Loss == model.LossConfig{NLL: 3} }},
		{"loss", []string{"--loss", "mae"}, func(c *model.Config) bool { return c.Loss.NLL == 0 && c.Loss.MAE == 1 }},
		{"amplitude loss", []string{"--loss", "amp-mse"}, func(c *model.Config) bool { return c.Loss.NLL == 0 && c.Loss.MSE == 1 }},
		{"mixed loss", []string{"--nll_weight", "0.5", "--mae_weight", "2"}, func(c *model.Config) bool { return c.Loss.NLL == 0.5 && c.Loss.MAE == 2 }},
		{"mae beside the likelihood", []string{"--mae_weight", "2"}, func(c *model.Config) bool { return c.Loss == model.LossConfig{NLL: 1, MAE: 2} }},
		{"real space", []string{"--realspace_weight", "1", "--tv_weight", "0.1"}, func(c *model.Config) bool { return c.Loss.Realspace == 1 && c.Loss.TV == 0.1 }},
		{"supervised", []string{"--model_type", "supervised"}, func(c *model.Config) bool { return c.ModelType == "supervised" }},
		{"probe", []string{"--probe_trainable", "--probe_mask", "--probe_scale", "4"}, func(c *model.Config) bool { return c.ProbeTrainable && c.ProbeMask && c.ProbeScale == 4 }},
		{"activation", []string{"--amp_activation", "softplus"}, func(c *model.Config) bool { return c.AmpActivation == "softplus" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() && slices.Contains(tt.flags, "--loss") {
				t.Skip("a training each")
			}
			dir := t.TempDir()
			must(t, quick(scan, dir, append(tt.flags, "--val_fraction", "0", "--patience", "0")...)...)
			net, _, err := model.Load(dir)
			require.NoError(t, err)
			require.True(t, tt.check(&net.Config), "%+v", net.Config)
			must(t, "infer", "--model_path", dir, "--test_data", scan, "--n_images", "4", "--output_dir", filepath.Join(dir, "result"))
		})
	}
}

func TestDimFramesAreTrainedWithTheLikelihood(t *testing.T) {
	m := arrays(t)
	frames := m["diffraction"].Data.([]float32)
	for i := range frames {
		frames[i] = float32(math.Floor(float64(frames[i]) / 4))
	}
	dim, dir := filepath.Join(t.TempDir(), "dim.npz"), t.TempDir()
	writeArrays(t, dim, m)
	must(t, quick(dim, dir)...)
	net, _, err := model.Load(dir)
	require.NoError(t, err)
	require.Equal(t, model.LossConfig{NLL: 1}, net.Config.Loss)
}

func TestFlagsOfTheTraining(t *testing.T) {
	scan := scanFile(t)
	for _, tt := range []struct {
		flags []string
		key   string
		want  any
	}{
		{[]string{"--scheduler", "ReduceLROnPlateau", "--plateau_factor", "0.3"}, "factor", 0.3},
		{[]string{"--scheduler", "Default"}, "name", "constant"},
		{[]string{"--scheduler", "Exponential", "--lr_gamma", "0.9"}, "factor", 0.9},
		{[]string{"--scheduler", "WarmupCosine", "--lr_warmup_epochs", "2"}, "name", "cosine"},
		{[]string{"--scheduler", "cosine", "--lr_min_ratio", "0.2"}, "floor_frac", 0.2},
	} {
		dir := t.TempDir()
		must(t, quick(scan, dir, append(tt.flags, "--max_epochs", "1")...)...)
		require.Equal(t, tt.want, at(t, readJSON(t, filepath.Join(dir, "run.json")), "config", "train", "schedule", tt.key), tt.flags)
	}
}

func TestSubsampling(t *testing.T) {
	scan, run := trained(t)
	frames := func(args ...string) (any, string) {
		dir := t.TempDir()
		o := must(t, append([]string{"infer", "--model_path", run, "--test_data", scan, "--output_dir", dir}, args...)...)
		a, err := data.ReadNPZ(filepath.Join(dir, "reconstruction.npz"))
		require.NoError(t, err)
		return a["xcoords"].Data, o.stderr
	}
	seven, text := frames("--n_subsample", "7")
	require.Len(t, seven, 7)
	require.Contains(t, text, "frames 7 of 20")
	again, _ := frames("--n_subsample", "7", "--subsample_seed", "42")
	require.Equal(t, seven, again)
	other, _ := frames("--n_subsample", "7", "--subsample_seed", "43")
	require.NotEqual(t, seven, other)

	dir := t.TempDir()
	o := must(t, quick(scan, dir, "--n_subsample", "9", "--subsample_seed", "3")...)
	require.Contains(t, o.stderr, "frames 4 of 20")
}

func TestInferExtras(t *testing.T) {
	scan, run := trained(t)
	dir := t.TempDir()
	must(t, "infer", "--model_path", run, "--test_data", scan, "--output_dir", dir, "--n_images", "6", "--save_patches", "--comparison_plot",
		"--stitch", "tf", "--phase_vmin", "-0.5", "--phase_vmax", "0.5")
	a, err := data.ReadNPZ(filepath.Join(dir, "reconstruction.npz"))
	require.NoError(t, err)
	require.Equal(t, []int{6, 64, 64}, a["patches"].Shape)
	require.Contains(t, files(t, dir), "comparison_plot.png")

	m := arrays(t)
	delete(m, "objectGuess")
	unknown := filepath.Join(t.TempDir(), "unknown.npz")
	writeArrays(t, unknown, m)
	dir = t.TempDir()
	must(t, "infer", "--model_path", run, "--test_data", unknown, "--output_dir", dir, "--comparison_plot")
	require.Equal(t, []string{"reconstructed_amplitude.png", "reconstructed_phase.png", "reconstruction.npz", "run.json"}, files(t, dir), "nothing to compare with")

	m = arrays(t)
	x, y := m["xcoords"].Data.([]float64), m["ycoords"].Data.([]float64)
	for i := range x {
		x[i], y[i] = 60+0.2*float64(i), 60+0.1*float64(i)
	}
	narrow := filepath.Join(t.TempDir(), "narrow.npz")
	writeArrays(t, narrow, m)
	o := must(t, "infer", "--model_path", run, "--test_data", narrow, "--output_dir", t.TempDir())
	require.Contains(t, o.stderr, "warning: no comparison with the known object: only 2×3 pixels of it lie in the scan")
}

func TestAnotherDoseIsNoted(t *testing.T) {
	_, run := trained(t)
	m := arrays(t)
	frames := m["diffraction"].Data.([]float32)
	for i := range frames {
		frames[i] *= 7
	}
	bright, dir := filepath.Join(t.TempDir(), "bright.npz"), t.TempDir()
	writeArrays(t, bright, m)
	o := must(t, "infer", "--model_path", run, "--test_data", bright, "--output_dir", dir)
	require.Contains(t, o.stderr, "photons on average, those of the training 9.99e+04: the input is normalised to this scan")
	require.Len(t, readJSON(t, filepath.Join(dir, "run.json"))["notes"], 1)
}

func TestWarnings(t *testing.T) {
	m := arrays(t)
	delete(m, "objectGuess")
	for _, key := range []string{"xcoords", "ycoords"} {
		v := m[key].Data.([]float64)
		for i := range v {
			v[i] *= 8
		}
	}
	wide := filepath.Join(t.TempDir(), "wide.npz")
	writeArrays(t, wide, m)
	o := must(t, quick(wide, t.TempDir(), "--probe_scale", "1", "--device", "mps")...)
	for _, want := range []string{
		"neighbouring frames overlap by", "check the unit of the positions (--coord_scale)", "gridsize 1: every pattern keeps a global phase",
		"--device mps: this build runs on the CPU",
	} {
		require.Contains(t, o.stderr, want)
	}
	o = must(t, quick(wide, t.TempDir(), "--probe_scale", "40", "--device", "auto")...)
	require.NotContains(t, o.stderr, "--device")
}

func TestSimulateWithoutAnInput(t *testing.T) {
	dir := t.TempDir()
	paths := map[string]string{}
	for _, flags := range []string{"", "--seed 2", "--domain counts", "--layout hwn", "--no-noise", "--object grf --scan raster --jitter -1", "--object siemens --scan random --probe_modes 2", "--workers 1"} {
		path := filepath.Join(dir, "deep", strings.ReplaceAll(flags, " ", "_")+".npz")
		must(t, append([]string{"simulate", "--output_file", path, "--frames", "9", "--n_photons", "1e4"}, strings.Fields(flags)...)...)
		ds, err := data.Load(path, data.LoadOptions{})
		require.NoError(t, err, flags)
		require.Equal(t, 9, ds.Len())
		require.InEpsilon(t, 1e4, ds.Dose, 0.02)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		paths[flags] = string(text)
	}
	require.True(t, paths[""] == paths["--workers 1"], "the number of workers does not matter")
	require.False(t, paths[""] == paths["--seed 2"])
}
