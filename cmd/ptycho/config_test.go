package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

// configuration writes a configuration file.
func configuration(t testing.TB, name, text string) string {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func TestConfigurationFile(t *testing.T) {
	scan := scanFile(t)
	for name, text := range map[string]string{
		"flat.yaml":     "train_data_file: %q\nnepochs: 1\nn-images: 5\nn_filters_scale: 1\nlearning_rate: 2e-3\nprobe_big: False\nobject_big: true\n",
		"sections.yaml": "train:\n  train_data_file: %q\n  max_epochs: 1\n  n_groups: 5\n  optimiser:\n    learning_rate: 0.002\nmodel:\n  n_filters_scale: 1\n  probe_big: no\n  object_big: yes\ninfer: # of another command\n  stitch: tf\n  batch_size: 16\n",
		"flat.json":     `{"train_data_file": %q, "epochs": 1, "n_images": 5, "n_filters_scale": 1, "learning_rate": 0.002, "probe_big": false, "object_big": true}`,
		"sections.json": `{"train": {"train_data_file": %q, "nepochs": 1, "n_images": 5, "learning_rate": 2e-3}, "model": {"n_filters_scale": 1, "probe_big": false, "object_big": true}}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, "train", "--config", configuration(t, name, fmt.Sprintf(text, scan)), "--output_dir", dir, "--gridsize", "1")
			flags := at(t, readJSON(t, filepath.Join(dir, "run.json")), "config", "flags").(map[string]any)
			for key, want := range map[string]any{
				"train_data_file": scan, "nepochs": 1.0, "n_groups": 5.0, "n_filters_scale": 1.0, "learning_rate": 0.002, "probe_big": false, "object_big": true,
				"gridsize": 1.0, "batch_size": 16.0, "loss": "auto",
			} {
				require.Equal(t, want, flags[key], key)
			}
		})
	}
	o := must(t, "inspect", scan)
	require.Equal(t, o, must(t, "inspect", scan, "--swap_xy", "false"))
	path := configuration(t, "c.yaml", "simulate:\n  n_images: 6\n  nphotons: 1e3\n  noise: false\n  output_file: "+filepath.Join(t.TempDir(), "s.npz"))
	o = must(t, "simulate", "--config="+path)
	require.Contains(t, o.stderr, "frames 6")
	require.Contains(t, o.stderr, "photons a frame 1000")
}

// TestPrecedence follows the dose of a scan through flag, configuration file, metadata and default.
func TestPrecedence(t *testing.T) {
	m := arrays(t)
	frames := m["diffraction"].Data.([]float32)
	for i, v := range frames {
		frames[i] = 1e-3*float32(math.Sqrt(float64(v))) + 1e-6
	}
	delete(m, "objectGuess")
	plain, told := filepath.Join(t.TempDir(), "plain.npz"), filepath.Join(t.TempDir(), "told.npz")
	writeArrays(t, plain, m)
	m["_metadata"] = data.Array{Data: []string{`{"nphotons": 2e4}`}}
	writeArrays(t, told, m)
	config := configuration(t, "c.yaml", "nphotons: 3e4\nlearning_rate: 7e-4\n")
	for _, tt := range []struct {
		name, scan string
		args       []string
		dose, rate float64
	}{
		{"default", plain, nil, 1e9, 1e-3},
		{"metadata", told, nil, 2e4, 1e-3},
		{"file", told, []string{"--config", config}, 3e4, 7e-4},
		{"flag", told, []string{"--nphotons", "4e4", "--config", config, "--learning_rate", "5e-4"}, 4e4, 5e-4},
		{"flag that says the default", plain, []string{"--config", config, "--learning_rate", "1e-3"}, 3e4, 1e-3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, quick(tt.scan, dir, tt.args...)...)
			rec := readJSON(t, filepath.Join(dir, "run.json"))
			s := at(t, rec, "config", "model", "intensity_scale").(float64)
			require.InEpsilon(t, tt.dose, s*s*32*32, 1e-4)
			require.Equal(t, tt.rate, at(t, rec, "config", "train", "learning_rate"))
		})
	}
}

func TestBadConfigurationFiles(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"unknown key", "train:\n  n_epochs_: 3\n  colour: red\n", []string{"unknown key colour, n-epochs-", "keys are the names of flags"}},
		{"itself", "config: other.yaml\n", []string{"unknown key config"}},
		{"given twice", "train:\n  nepochs: 3\nother:\n  nepochs: 4\n", []string{"key nepochs is given twice"}},
		{"given twice in other spellings", "batch_size: 3\nbatch-size: 4\n", []string{"is given twice"}},
		{"given under two names", "nepochs: 3\nmax_epochs: 4\n", []string{"max-epochs 4 and nepochs 3 are the same flag; give one of them"}},
		{"not YAML", "nepochs: 3: 4\n", []string{"expected YAML or JSON with flag names as keys", "[1:"}},
		{"not JSON", `{"nepochs": 3`, []string{"expected YAML or JSON"}},
		{"a list", "- nepochs\n", []string{"expected YAML or JSON with flag names as keys"}},
		{"a wrong type", "nepochs: many\n", []string{"--nepochs", `"many"`, "some flags are those of"}},
		{"a list of values", "nepochs: [1, 2]\n", []string{"--nepochs", "[1 2]"}},
		{"a wrong choice", "loss: huber\n", []string{"--loss must be one of", `"poisson"`, `"huber"`}},
		{"a wrong number", "val_fraction: 3\n", []string{"val_fraction 3 is not in [0, 1)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := configuration(t, "c.yaml", tt.text)
			dir := filepath.Join(t.TempDir(), "out")
			requireFailure(t, ptycho("train", "--train_data_file", "any.npz", "--output_dir", dir, "--config", path), exitUsage, tt.want...)
			require.Empty(t, files(t, dir))
		})
	}
	o := ptycho("train", "--train_data_file", "any.npz", "--config", "absent.yaml")
	requireFailure(t, o, exitFailed, "configuration", "absent.yaml", "no such file", "check --config")
	empty := configuration(t, "empty.yaml", "# nothing\nmodel:\n")
	requireFailure(t, ptycho("train", "--config", empty), exitUsage, "missing flags: --train-data-file")
}
