package model_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/ckpt"
	"ptycho/internal/testutil"
	"ptycho/model"
)

// trained returns a network whose weights and, if it is trainable, probe are not those it was made with.
func trained(t testing.TB, trainable bool) *model.Network {
	cfg := pinnConfig(64, 2, 1)
	cfg.ProbeModes, cfg.ProbeTrainable, cfg.Seed = 2, trainable, 42
	net, err := model.New(cfg, testutil.Signed(1, 2*2*64*64))
	require.NoError(t, err)
	for i, v := range testutil.Signed(2, len(net.Params.Data)) {
		net.Params.Data[i] += 0.1 * v
	}
	net.Params.Updated()
	return net
}

// evaluate returns amplitude, phase and expected counts for a sample.
func evaluate(net *model.Network, s model.Sample) [][]float32 {
	p := net.NewPass(model.PassOptions{Mode: model.Evaluate, Canvas: 76})
	net.Params.Updated()
	p.Set(0, s)
	p.Forward()
	a, phi := p.Object()
	return [][]float32{slices.Clone(a), slices.Clone(phi), slices.Clone(p.Expected())}
}

func TestSaveAndLoad(t *testing.T) {
	sample := randomSample(1, 4, 64)
	for _, trainable := range []bool{false, true} {
		net := trained(t, trainable)
		path := filepath.Join(t.TempDir(), "net.safetensors")
		require.NoError(t, net.Save(path, map[string]string{"epoch": "7", "format": "other"}))
		got, meta, err := model.Load(path)
		require.NoError(t, err)
		require.Equal(t, "7", meta["epoch"])
		require.Equal(t, net.Config, got.Config)
		require.Equal(t, net.Params.All(), got.Params.All())
		require.True(t, slices.Equal(net.Params.Data, got.Params.Data))
		require.Equal(t, net.Probe(), got.Probe())
		before, after := evaluate(net, sample), evaluate(got, sample)
		for i := range before {
			require.True(t, slices.Equal(before[i], after[i]), "a forward pass, bit for bit")
		}

		again := filepath.Join(t.TempDir(), "again.safetensors")
		require.NoError(t, got.Save(again, map[string]string{"epoch": "7"}))
		require.True(t, slices.Equal(read(t, path), read(t, again)), "equal networks give equal bytes")
	}
}

func read(t testing.TB, path string) []byte {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// The file holds convolution weights in the order [Out,In,K,K].
func TestSaveOrder(t *testing.T) {
	net := trained(t, true)
	path := filepath.Join(t.TempDir(), "net.safetensors")
	require.NoError(t, net.Save(path, nil))
	f, err := ckpt.Read(path)
	require.NoError(t, err)
	for _, p := range net.Params.All() {
		tensor := f.Tensor(p.Name)
		shape, want := []int(p.Shape), net.Params.View(p)
		if p.Name != model.ProbeName {
			shape, want = oihw(p.Shape, net.Params.View(p))
		}
		require.Equal(t, shape, tensor.Shape, p.Name)
		require.Equal(t, want, tensor.Data, p.Name)
	}
	require.Len(t, f.Tensors, len(net.Params.All()))
}

func TestLoadIsStrict(t *testing.T) {
	net := trained(t, false)
	dir := t.TempDir()
	good := filepath.Join(dir, "good.safetensors")
	require.NoError(t, net.Save(good, nil))
	const bias = "phase.centre.bias"
	drop := func(name string) func(*ckpt.File) {
		return func(f *ckpt.File) {
			f.Tensors = slices.DeleteFunc(f.Tensors, func(t ckpt.Tensor) bool { return t.Name == name })
		}
	}
	config := func(change func(*model.Config)) func(*ckpt.File) {
		return func(f *ckpt.File) {
			cfg := net.Config
			change(&cfg)
			b, err := json.Marshal(cfg)
			require.NoError(t, err)
			f.Meta["config"] = string(b)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*ckpt.File)
		want   string
	}{
		{"unchanged", func(*ckpt.File) {}, ""},
		{"missing tensor", drop(bias), `missing (1): "` + bias},
		{"missing probe", drop(model.ProbeName), "tensor probe: expected shape [2×2×64×64]"},
		{"extra tensor", func(f *ckpt.File) {
			f.Tensors = append(f.Tensors, ckpt.Tensor{Name: "extra", Shape: []int{1}, Data: []float32{1}})
		}, `unexpected (1): "extra"`},
		{"shape", func(f *ckpt.File) { f.Tensor(bias).Shape = []int{2, 2} }, `"` + bias + `" (expected F32 [4], found F32 [2 2])`},
		{"type", func(f *ckpt.File) { b := f.Tensor(bias); b.Data, b.F64 = nil, make([]float64, 4) }, "found F64 [4]"},
		{"other format", func(f *ckpt.File) { f.Meta["format"] = "ptycho-state" }, `expected "ptycho-model", found "ptycho-state"`},
		{"no format", func(f *ckpt.File) { delete(f.Meta, "format") }, "metadata format"},
		{"version", func(f *ckpt.File) { f.Meta["format_version"] = "2" }, `format_version: expected 1, found "2"`},
		{"no config", func(f *ckpt.File) { delete(f.Meta, "config") }, "metadata config"},
		{"unknown setting", func(f *ckpt.File) { f.Meta["config"] = `{"N":64,"attention":true}` }, "attention"},
		{"invalid config", config(func(c *model.Config) { c.MeanCount = 0 }), "mean_count 0"},
		{"other filters", config(func(c *model.Config) { c.Filters = 2 }), "wrong shape or type"},
		{"absurd filters", config(func(c *model.Config) { c.Filters = 100000 }), "metadata config: n_filters_scale 100000 is not between 1 and 64"},
		{"other size", config(func(c *model.Config) { c.N = 128 }), "tensor probe"},
		{"missing widest tensor", drop("encoder.2.conv2.weight"), `missing (1): "encoder.2.conv2.weight"`},
		{"other gridsize", config(func(c *model.Config) { c.Gridsize = 1 }), "encoder.0.conv1.weight"},
	} {
		f, err := ckpt.Read(good)
		require.NoError(t, err)
		tt.change(f)
		path := filepath.Join(dir, "changed.safetensors")
		require.NoError(t, ckpt.Write(path, f))
		_, _, err = model.Load(path)
		if tt.want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, tt.want, tt.name)
		require.ErrorContains(t, err, path, tt.name)
	}
}

// A small file that says it is a network of 2.4 billion weights is refused without allocating them.
func TestLoadOfAGiant(t *testing.T) {
	path := filepath.Join(t.TempDir(), "net.safetensors")
	require.NoError(t, trained(t, false).Save(path, nil))
	f, err := ckpt.Read(path)
	require.NoError(t, err)
	f.Meta["config"] = strings.Replace(f.Meta["config"], `"n_filters_scale":1,`, `"n_filters_scale":64,`, 1)
	require.NoError(t, ckpt.Write(path, f))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err = model.Load(path)
	runtime.ReadMemStats(&after)
	require.EqualError(t, err, "ckpt: "+path+" does not fit the configured network\n"+
		"  wrong shape or type (1): \"encoder.2.conv2.weight\" (expected F32 [8192 8192 3 3], found F32 [128 128 3 3])\n"+
		"  use the configuration that the checkpoint was trained with, or train anew")
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<20))
}

func TestLoadOfDamagedFile(t *testing.T) {
	net := trained(t, false)
	path := filepath.Join(t.TempDir(), "net.safetensors")
	require.NoError(t, net.Save(path, nil))
	whole := read(t, path)
	for _, at := range []int{0, 100, len(whole) / 2, len(whole) - 1} {
		b := slices.Clone(whole)
		b[at] ^= 4
		require.NoError(t, os.WriteFile(path, b, 0o600))
		_, _, err := model.Load(path)
		require.ErrorContains(t, err, path, "bit flip at %d", at)
	}
	require.NoError(t, os.WriteFile(path, whole[:len(whole)-5], 0o600))
	_, _, err := model.Load(path)
	require.Error(t, err)
}

func TestSaveFails(t *testing.T) {
	net := newNetwork(t, pinnConfig(64, 1, 1))
	require.Error(t, net.Save(filepath.Join(t.TempDir(), "none", "net.safetensors"), nil))
}

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	_, err := model.Resolve(filepath.Join(dir, "nothing"))
	require.ErrorContains(t, err, "nothing")
	_, _, err = model.Load(filepath.Join(dir, "nothing"))
	require.ErrorContains(t, err, "nothing")
	_, err = model.Resolve(dir)
	require.ErrorContains(t, err, fmt.Sprintf("expected a checkpoint, %s or %s", model.BestFile, model.LastFile))

	write := func(name string) string {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		return path
	}
	// In the order of rising preference.
	for _, name := range []string{"last.safetensors", "best.safetensors", model.LastFile, model.BestFile} {
		path := write(name)
		for _, arg := range []string{dir, path} {
			got, err := model.Resolve(arg)
			require.NoError(t, err)
			require.Equal(t, path, got)
		}
	}
	got, err := model.Resolve(filepath.Join(dir, "checkpoints"))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, model.BestFile), got)
}
