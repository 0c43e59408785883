package main

import (
	"encoding/json"
	"math/cmplx"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/ckpt"
	"ptycho/data"
	"ptycho/model"
)

// numpyArray is what numpy says of an array.
type numpyArray struct {
	DType string
	Shape []int
	Text  string
	Sum   float64    // of the moduli
	Ends  [4]float64 // the first and the last element, real and imaginary
}

// numpy reads a file with numpy, without allowing pickle.
func numpy(t testing.TB, path string) (map[string]numpyArray, map[string]string) {
	pythons := slices.DeleteFunc([]string{"python3", "/usr/bin/python3", "python"}, func(name string) bool {
		return exec.Command(name, "-c", "import numpy").Run() != nil
	})
	if len(pythons) == 0 {
		t.Skip("SKIPPED: there is no Python with numpy to read our files")
	}
	cmd := exec.Command(pythons[0], filepath.Join("testdata", "read.py"), path)
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		t.Fatalf("%s: %s", path, exit.Stderr)
	}
	require.NoError(t, err)
	var v struct {
		Arrays map[string]numpyArray
		Meta   map[string]string
	}
	require.NoError(t, json.Unmarshal(out, &v))
	return v.Arrays, v.Meta
}

// requireNumpy compares what numpy finds with values of ours.
func requireNumpy[T float32 | float64 | int64 | complex64](t testing.TB, got numpyArray, dtype string, shape []int, want []T) {
	require.Equal(t, dtype, got.DType)
	require.Equal(t, shape, got.Shape)
	sum := 0.0
	for _, v := range want {
		sum += cmplx.Abs(number(v))
	}
	require.InEpsilon(t, sum+1, got.Sum+1, 1e-6)
	first, last := number(want[0]), number(want[len(want)-1])
	require.InDeltaSlice(t, []float64{real(first), imag(first), real(last), imag(last)}, got.Ends[:], 1e-12)
}

func number(v any) complex128 {
	switch v := v.(type) {
	case float32:
		return complex(float64(v), 0)
	case float64:
		return complex(v, 0)
	case int64:
		return complex(float64(v), 0)
	case complex64:
		return complex128(v)
	}
	panic("no number")
}

func TestNumpyReadsReconstructions(t *testing.T) {
	trained(t)
	path := filepath.Join(resultDir(t), "reconstruction.npz")
	got, _ := numpy(t, path)
	a, err := data.ReadNPZ(path)
	require.NoError(t, err)
	require.Len(t, got, len(a))
	shape := a["object"].Shape
	requireNumpy(t, got["object"], "<c8", shape, a["object"].Data.([]complex64))
	requireNumpy(t, got["coverage"], "<f4", shape, a["coverage"].Data.([]float32))
	requireNumpy(t, got["origin"], "<i8", []int{2}, a["origin"].Data.([]int64))
	requireNumpy(t, got["xcoords"], "<f8", []int{20}, a["xcoords"].Data.([]float64))
	requireNumpy(t, got["ycoords"], "<f8", []int{20}, a["ycoords"].Data.([]float64))
	requireNumpy(t, got["probe"], "<c8", []int{64, 64}, a["probe"].Data.([]complex64))
}

func TestNumpyReadsRefinements(t *testing.T) {
	dir, _ := refined(t, scanFile(t), append(everything, "--iterations", "2")...)
	got, _ := numpy(t, filepath.Join(dir, "reconstruction.npz"))
	a := readResult(t, dir)
	require.Len(t, got, len(a))
	shape := a["object"].Shape
	requireNumpy(t, got["object"], "<c8", shape, a["object"].Data.([]complex64))
	requireNumpy(t, got["coverage"], "<f4", shape, a["coverage"].Data.([]float32))
	requireNumpy(t, got["origin"], "<i8", []int{2}, a["origin"].Data.([]int64))
	for _, key := range []string{"xcoords", "ycoords", "xcoords_start", "ycoords_start", "gain"} {
		requireNumpy(t, got[key], "<f8", []int{20}, a[key].Data.([]float64))
	}
	requireNumpy(t, got["probe"], "<c8", []int{2, 64, 64}, a["probe"].Data.([]complex64))
	requireNumpy(t, got["background"], "<f4", []int{64, 64}, a["background"].Data.([]float32))
}

func TestNumpyReadsSimulations(t *testing.T) {
	for layout, tt := range map[string]struct {
		frames, complex string
		shape           []int
	}{
		"nhw": {"<f4", "<c8", []int{6, 64, 64}},
		"hwn": {"<f8", "<c16", []int{64, 64, 6}},
	} {
		t.Run(layout, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s.npz")
			must(t, "simulate", "--output_file", path, "--n_images", "6", "--nphotons", "1e5", "--layout", layout, "--domain", "amplitude")
			got, _ := numpy(t, path)
			ds, err := data.Load(path, data.LoadOptions{})
			require.NoError(t, err)
			require.Equal(t, tt.shape, got["diffraction"].Shape)
			require.Equal(t, tt.frames, got["diffraction"].DType)
			sum := 0.0
			for _, v := range ds.Frames.Amplitude(nil, 1) {
				sum += float64(v)
			}
			require.InEpsilon(t, sum, got["diffraction"].Sum, 1e-6)
			require.Equal(t, tt.complex, got["probeGuess"].DType)
			require.Equal(t, tt.complex, got["objectGuess"].DType)
			require.Equal(t, []int{ds.Object.Rows, ds.Object.Cols}, got["objectGuess"].Shape)
			requireNumpy(t, got["xcoords"], "<f8", []int{6}, ds.X)
			requireNumpy(t, got["ycoords"], "<f8", []int{6}, ds.Y)
			require.Equal(t, "U", got["_metadata"].DType)
			var meta data.Metadata
			require.NoError(t, json.Unmarshal([]byte(got["_metadata"].Text), &meta))
			require.Equal(t, ds.Metadata, meta)
		})
	}
}

func TestNumpyReadsCheckpoints(t *testing.T) {
	_, run := trained(t)
	path := filepath.Join(run, "checkpoints", "best.safetensors")
	got, meta := numpy(t, path)
	f, err := ckpt.Read(path)
	require.NoError(t, err)
	require.Len(t, got, len(f.Tensors))
	for _, w := range f.Tensors {
		requireNumpy(t, got[w.Name], "<f4", w.Shape, w.Data)
	}
	require.Equal(t, model.Format, meta["format"])
	var cfg model.Config
	require.NoError(t, json.Unmarshal([]byte(meta["config"]), &cfg))
	net, _, err := model.Load(path)
	require.NoError(t, err)
	require.Equal(t, net.Config, cfg)

	// Convolution weights are stored as PyTorch has them.
	p := net.Params.All()[0]
	w, s := net.Params.View(p), p.Shape
	first := got[p.Name]
	require.Equal(t, []int{s[3], s[2], s[0], s[1]}, first.Shape)
	require.InDelta(t, float64(w[0]), first.Ends[0], 1e-12)
}
