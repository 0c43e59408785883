package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/ckpt"
	"ptycho/data"
)

// requireFailure checks the exit code, that there is one message, and what it says.
func requireFailure(t testing.TB, o outcome, code int, fragments ...string) {
	require.Equal(t, code, o.code, "%s", o.stderr)
	require.Equal(t, 1, strings.Count("\n"+o.stderr, "\nptycho: "), "one message: %s", o.stderr)
	require.NotContains(t, o.stderr, "goroutine")
	for _, f := range fragments {
		require.Contains(t, o.stderr, f)
	}
}

type spoil = func(m map[string]data.Array)

// with replaces an array.
func with(key string, shape []int, values any) spoil {
	return func(m map[string]data.Array) { m[key] = data.Array{Shape: shape, Data: values} }
}

// frame changes an element of a frame.
func frame(at int, v float32) spoil {
	return func(m map[string]data.Array) { m["diffraction"].Data.([]float32)[at] = v }
}

// coordinates changes every coordinate of both axes.
func coordinates(f func(float64) float64) spoil {
	return func(m map[string]data.Array) {
		for _, key := range []string{"xcoords", "ycoords"} {
			v := m[key].Data.([]float64)
			for i := range v {
				v[i] = f(v[i])
			}
		}
	}
}

// crop makes frames and probe smaller.
func crop(side int) spoil {
	return func(m map[string]data.Array) {
		m["diffraction"] = data.Array{Shape: []int{12, side, side}, Data: m["diffraction"].Data.([]float32)[:12*side*side]}
		m["probeGuess"] = data.Array{Shape: []int{side, side}, Data: m["probeGuess"].Data.([]complex64)[10*64:][:side*side]}
	}
}

// first keeps so many frames.
func first(n int) spoil {
	return func(m map[string]data.Array) {
		m["diffraction"] = data.Array{Shape: []int{n, 64, 64}, Data: m["diffraction"].Data.([]float32)[:n*64*64]}
		for _, key := range []string{"xcoords", "ycoords"} {
			m[key] = data.Array{Shape: []int{n}, Data: m[key].Data.([]float64)[:n]}
		}
	}
}

func without(keys ...string) spoil {
	return func(m map[string]data.Array) {
		for _, key := range keys {
			delete(m, key)
		}
	}
}

func TestBrokenDatasets(t *testing.T) {
	_, run := trained(t)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, tt := range []struct {
		name  string
		spoil spoil
		flags []string
		want  []string
	}{
		{"no frames", without("diffraction"), nil, []string{"diffraction: expected the frames, (n, N, N), under this name or diff3d", "found only objectGuess"}},
		{"no positions", without("xcoords", "ycoords"), nil, []string{"xcoords: expected", "ycoords: expected", "add it to the file under this name"}},
		{"no probe", without("probeGuess"), nil, []string{"probeGuess: expected the probe, (N, N) or (modes, N, N)"}},
		{"nothing at all", without("diffraction", "xcoords", "ycoords", "probeGuess", "objectGuess"), nil, []string{"diffraction", "xcoords", "ycoords", "probeGuess", "no arrays"}},
		{"frames of text", with("diffraction", []int{12, 64, 64}, make([]string, 12*64*64)), nil, []string{"diffraction: expected real numbers", "string"}},
		{"complex frames", with("diffraction", []int{12, 64, 64}, make([]complex64, 12*64*64)), nil, []string{"diffraction: expected real numbers", "complex64", "store the array with a numeric dtype"}},
		{"complex positions", with("xcoords", []int{12}, make([]complex128, 12)), nil, []string{"xcoords: expected real numbers", "complex128"}},
		{"flat frames", with("diffraction", []int{12, 4096}, make([]float32, 12*4096)), nil, []string{"diffraction: expected shape (12, N, N) or (N, N, 12)", "found shape [12 4096]"}},
		{"oblong frames", with("diffraction", []int{12, 32, 128}, make([]float32, 12*4096)), nil, []string{"found shape [12 32 128]", "give one square frame for each element of xcoords"}},
		{"fewer frames than positions", with("diffraction", []int{11, 64, 64}, make([]float32, 11*4096)), nil, []string{"expected shape (12, N, N)", "found shape [11 64 64]"}},
		{"fewer y than x", with("ycoords", []int{11}, make([]float64, 11)), nil, []string{"ycoords: expected 12 elements, as many as xcoords has, found 11"}},
		{"positions in a matrix", with("xcoords", []int{6, 2}, make([]float64, 12)), nil, []string{"xcoords: expected shape (n,), found shape [6 2]"}},
		{"probe of another side", with("probeGuess", []int{32, 32}, make([]complex64, 1024)), nil, []string{"probeGuess: expected"}},
		{"oblong probe", with("probeGuess", []int{64, 32}, make([]complex64, 2048)), nil, []string{"probeGuess: expected shape (N, N)", "found shape [64 32]"}},
		{"dark probe", with("probeGuess", []int{64, 64}, make([]complex64, 4096)), nil, []string{"probeGuess: expected a probe that lights something, found only zeros"}},
		{"NaN in the probe", func(m map[string]data.Array) { m["probeGuess"].Data.([]complex64)[77] = complex(nan, 0) }, nil, []string{"probeGuess: expected finite values", "the first at index 77"}},
		{"NaN in a frame", frame(3*4096+4*64+5, nan), nil, []string{"diffraction: expected finite values", "frame 3 at row 4, column 5", "mask or interpolate bad pixels"}},
		{"infinity in a frame", frame(9, inf), nil, []string{"diffraction: expected finite values", "frame 0 at row 0, column 9"}},
		{"negative counts", frame(2*4096, -3), nil, []string{"diffraction: expected counts or amplitudes, at least 0", "frame 2 at row 0, column 0"}},
		{"dark frames", with("diffraction", []int{12, 64, 64}, make([]float32, 12*4096)), nil, []string{"expected light in the frames, found 12 of 12 frames are empty"}},
		{"NaN in the positions", coordinates(func(x float64) float64 { return math.NaN() }), nil, []string{"xcoords: expected finite positions", "ycoords: expected finite positions", "12 NaN or infinite"}},
		{"positions outside the object", coordinates(func(x float64) float64 { return x + 1000 }), nil, []string{"xcoords: expected positions within the object", "12 outside, the first at index 0", "check the unit (object pixels), origin and sign"}},
		{"a position beyond any object", func(m map[string]data.Array) { m["xcoords"].Data.([]float64)[4] = 1e19 }, nil, []string{"xcoords: expected positions within", "found 1e+19 at element 4", "check their unit, and --coord_scale"}},
		{"identical positions", coordinates(func(float64) float64 { return 60 }), nil, []string{"xcoords: expected a scan, found 12 times the same position"}},
		{"positions in metres", coordinates(func(x float64) float64 { return 1e-6 * x }), nil, []string{"expected positions in object pixels, found a scan of", "--coord_scale"}},
		{"groups that do not overlap", func(m map[string]data.Array) {
			without("objectGuess")(m)
			coordinates(func(x float64) float64 { return 50 * x })(m)
		}, []string{"--gridsize", "2"}, []string{"groups do not overlap", "more than half the frame size N = 64", "use gridsize 1, or check the unit"}},
		{"too few frames for a group", first(3), []string{"--gridsize", "2", "--n_images", "3"}, []string{"gridsize 2 needs groups of 4 frames, but there are only 3 frames", "pass a smaller gridsize"}},
		{"N = 48", crop(48), nil, []string{"expected frames with a side of one of [64 128 256] pixels", "found 48; crop or pad"}},
		{"N = 32", crop(32), nil, []string{"expected frames with a side of one of [64 128 256] pixels", "found 32; crop or pad"}},
		{"another N than asked for", first(12), []string{"--N", "128"}, []string{"diffraction: expected N = 128, found N = 64"}},
		{"counts said to be amplitudes", first(12), []string{"--domain", "amplitude"}, []string{"diffraction: expected amplitudes, as declared, found whole numbers up to", "declare domain counts"}},
		{"direct beam elsewhere", first(12), []string{"--dc", "corner"}, []string{"diffraction: expected the direct beam at the corner, as declared", "declare dc centre"}},
		{"axes elsewhere", first(12), []string{"--layout", "hwn"}, []string{"diffraction: expected shape (N, N, 12)", "found shape [12 64 64]"}},
		{"metadata that contradict", with("_metadata", nil, []string{`{"domain": "light"}`}), nil, []string{`_metadata: expected domain "counts" or "amplitude", found "light"`}},
		{"metadata that are no JSON", with("_metadata", nil, []string{`{"domain`}), nil, []string{"_metadata: expected JSON with the known fields"}},
		{"no known object for a supervised training", without("objectGuess"), []string{"--model_type", "supervised"}, []string{"key objectGuess or Y: expected the true object, which this loss needs, found neither"}},
		{"several at once", func(m map[string]data.Array) {
			frame(5, nan)(m)
			without("probeGuess", "ycoords")(m)
		}, nil, []string{"diffraction: expected finite", "probeGuess: expected", "ycoords: expected"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path, out := filepath.Join(dir, "scan.npz"), filepath.Join(dir, "out")
			m := arrays(t)
			tt.spoil(m)
			writeArrays(t, path, m)
			requireFailure(t, ptycho(quick(path, out, tt.flags...)...), exitFailed, append(tt.want, path)...)
			require.Empty(t, files(t, out))
			if tt.flags == nil && !strings.HasPrefix(tt.name, "N = ") { // which any command has to see
				if tt.name != "no frames" && tt.name != "nothing at all" && tt.name != "positions in metres" {
					requireFailure(t, ptycho("inspect", path), exitFailed, append(tt.want, path)...)
				}
				requireFailure(t, ptycho("infer", "--model_path", run, "--test_data", path, "--output_dir", out), exitFailed, append(tt.want, path)...)
				require.Empty(t, files(t, out))
				requireFailure(t, ptycho("refine", "--test_data", path, "--output_dir", out, "--iterations", "1"), exitFailed, append(tt.want, path)...)
				require.Empty(t, files(t, out))
			}
		})
	}
}

func TestATestScanIsCheckedBeforeTraining(t *testing.T) {
	scan := scanFile(t)
	m := arrays(t)
	without("objectGuess")(m)
	coordinates(func(x float64) float64 { return 50 * x })(m)
	wide, out := filepath.Join(t.TempDir(), "wide.npz"), filepath.Join(t.TempDir(), "out")
	writeArrays(t, wide, m)
	requireFailure(t, ptycho(quick(scan, out, "--gridsize", "2", "--test_data_file", wide)...), exitFailed, wide, "groups do not overlap")
	requireFailure(t, ptycho(quick(scan, out, "--model_type", "supervised", "--test_data_file", wide)...), exitFailed, wide, "objectGuess or Y")
	requireFailure(t, ptycho(quick(scan, out, "--test_data_file", "absent.npz")...), exitFailed, "absent.npz", "check the path")
	require.Empty(t, files(t, out))
}

func TestAScanThatDoesNotFitTheNetwork(t *testing.T) {
	_, run := trained(t)
	big := filepath.Join(t.TempDir(), "big.npz")
	must(t, "simulate", "--output_file", big, "--N", "128", "--n_images", "4", "--nphotons", "1e4")
	out := filepath.Join(t.TempDir(), "out")
	requireFailure(t, ptycho("infer", "--model_path", run, "--test_data", big, "--output_dir", out), exitFailed,
		big, "expected frames of 64×64 pixels, as the network was trained on, found 128×128", "crop or pad")
	require.Empty(t, files(t, out))
}

// damaged returns the file's bytes with one bit turned.
func damaged(b []byte, at int, bit uint) []byte {
	c := bytes.Clone(b)
	c[at] ^= 1 << bit
	return c
}

func TestDamagedDatasets(t *testing.T) {
	scan := scanFile(t)
	good, err := os.ReadFile(scan)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "damaged.npz")
	write := func(b []byte) { require.NoError(t, os.WriteFile(path, b, 0o644)) }

	for _, length := range []int{0, 1, 3, 4, 30, 100, len(good) / 3, len(good) / 2, len(good) - 100, len(good) - 22, len(good) - 1} {
		write(good[:length])
		requireFailure(t, ptycho("inspect", path), exitFailed, path, "expected an NPZ file")
	}
	write(good[:len(good)/2])
	requireFailure(t, ptycho(quick(path, filepath.Join(t.TempDir(), "out"))...), exitFailed, path, "a truncated or damaged zip archive; copy or write the file again")

	r := rand.New(rand.NewPCG(3, 4))
	refused := 0
	for range 60 {
		at := r.IntN(len(good))
		write(damaged(good, at, uint(r.IntN(8))))
		if o := ptycho("inspect", path); o.code != exitOK { // what is not covered by a checksum may go unnoticed
			requireFailure(t, o, exitFailed, path, "expected", "found")
			refused++
		}
	}
	require.Greater(t, refused, 50)

	for name, tt := range map[string]struct {
		content []byte
		want    string
	}{
		"text":   {[]byte("1 2 3\n"), "something else"},
		"npy":    {append([]byte("\x93NUMPY\x01\x00"), make([]byte, 100)...), "a single NPY array"},
		"hdf5":   {[]byte("\x89HDF\r\n\x1a\n........"), "an HDF5 file"},
		"gzip":   {[]byte("\x1f\x8b\x08......"), "a gzip file"},
		"bzip2":  {[]byte("BZh91AY&SY......"), "a whole bzip2 file"},
		"nought": {nil, "an empty file"},
	} {
		t.Run(name, func(t *testing.T) {
			write(tt.content)
			requireFailure(t, ptycho("inspect", path), exitFailed, path, tt.want)
			requireFailure(t, ptycho("simulate", "--input_file", path, "--output_file", filepath.Join(t.TempDir(), "x.npz")), exitFailed, path, tt.want)
		})
	}
	dir := t.TempDir()
	requireFailure(t, ptycho(quick(dir, filepath.Join(dir, "out"))...), exitFailed, dir, "a directory")
}

func TestDamagedCheckpoints(t *testing.T) {
	scan, run := trained(t)
	best := filepath.Join(run, "checkpoints", "best.safetensors")
	good, err := os.ReadFile(best)
	require.NoError(t, err)
	path, out := filepath.Join(t.TempDir(), "damaged.safetensors"), filepath.Join(t.TempDir(), "out")
	infer := func(want ...string) {
		requireFailure(t, ptycho("infer", "--model_path", path, "--test_data", scan, "--output_dir", out), exitFailed, append(want, path)...)
		require.Empty(t, files(t, out))
	}
	write := func(b []byte) { require.NoError(t, os.WriteFile(path, b, 0o644)) }
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 40 {
		at := r.IntN(len(good))
		if i < 20 {
			at = r.IntN(9000) // the header
		}
		write(damaged(good, at, uint(r.IntN(8))))
		infer("expected", "found")
	}
	for _, length := range []int{0, 7, 8, 200, 5000, len(good) / 2, len(good) - 1} {
		write(good[:length])
		infer("expected", "found", "checkpoint")
	}
	write(append(bytes.Clone(good), 0))
	infer("expected", "found")

	picture, err := os.ReadFile(filepath.Join(resultDir(t), "reconstructed_phase.png"))
	require.NoError(t, err)
	archive, err := os.ReadFile(scan)
	require.NoError(t, err)
	foreign := []byte(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}    `)
	for name, tt := range map[string]struct {
		content []byte
		want    string
	}{
		"png":                 {picture, "a PNG image"},
		"zip":                 {archive, "a ZIP archive"},
		"another safetensors": {append(append([]byte{byte(len(foreign)), 0, 0, 0, 0, 0, 0, 0}, foreign...), 0, 0, 0, 0), "give a .safetensors checkpoint that ptycho wrote"},
		"json":                {[]byte(`{"a": 1}` + strings.Repeat(" ", 100)), "a JSON text"},
		"zeros":               {make([]byte, 1000), "expected a safetensors header"},
		"of the training":     {mustRead(t, filepath.Join(run, "checkpoints", "state.safetensors")), `expected "ptycho-model", found "ptycho-training-state"`},
		"of another version":  {rewritten(t, best, func(f *ckpt.File) { f.Meta["format_version"] = "99" }), `format_version: expected 1, found "99"`},
		"of another network": {rewritten(t, best, func(f *ckpt.File) {
			f.Meta["config"] = strings.Replace(f.Meta["config"], `"n_filters_scale":1`, `"n_filters_scale":2`, 1)
		}), "wrong shape or type"},
		"with a strange config": {rewritten(t, best, func(f *ckpt.File) { f.Meta["config"] = `{"colour":1}` }), "metadata config"},
		"with a wrong config":   {rewritten(t, best, func(f *ckpt.File) { f.Meta["config"] = `{"N":65}` }), "frame side N=65"},
		"without a tensor":      {rewritten(t, best, func(f *ckpt.File) { f.Tensors = f.Tensors[1:] }), "missing (1)"},
		"with one more tensor": {rewritten(t, best, func(f *ckpt.File) {
			f.Tensors = append(f.Tensors, ckpt.Tensor{Name: "extra", Shape: []int{1}, Data: []float32{1}})
		}), `unexpected (1): "extra"`},
		"without a probe":  {rewritten(t, best, func(f *ckpt.File) { f.Tensors = f.Tensors[:len(f.Tensors)-1] }), "tensor probe: expected shape"},
		"with NaN weights": {rewritten(t, best, func(f *ckpt.File) { f.Tensors[0].Data[0] = float32(math.NaN()) }), "values that are not finite"},
	} {
		t.Run(name, func(t *testing.T) {
			write(tt.content)
			o := ptycho("infer", "--model_path", path, "--test_data", scan, "--output_dir", out)
			requireFailure(t, o, exitFailed, tt.want)
			require.Empty(t, files(t, out))
		})
	}
	requireFailure(t, ptycho("infer", "--model_path", t.TempDir(), "--test_data", scan, "--output_dir", out), exitFailed,
		"expected a checkpoint, checkpoints/best.safetensors or checkpoints/last.safetensors, found none", "give the output directory of ptycho train")
	requireFailure(t, ptycho("infer", "--model_path", "absent", "--test_data", scan, "--output_dir", out), exitFailed, "absent", "no such file", "give the output directory of ptycho train")
}

func mustRead(t testing.TB, path string) []byte {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// rewritten returns the bytes of a checkpoint with changes, its checksums being right.
func rewritten(t testing.TB, path string, change func(*ckpt.File)) []byte {
	f, err := ckpt.Read(path)
	require.NoError(t, err)
	change(f)
	copied := filepath.Join(t.TempDir(), "copy.safetensors")
	require.NoError(t, ckpt.Write(copied, f))
	return mustRead(t, copied)
}

func TestOutputThatCannotBeWritten(t *testing.T) {
	scan, run := trained(t)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o644))
	dirs := []string{file, filepath.Join(file, "below")}
	if _, err := os.Stat("/proc/self"); err == nil {
		dirs = append(dirs, "/proc/absent/out", "/proc/self")
	}
	for _, dir := range dirs {
		want := []string{"output directory " + dir, "choose one that can be written"}
		requireFailure(t, ptycho(quick(scan, dir)...), exitFailed, want...)
		requireFailure(t, ptycho("infer", "--model_path", run, "--test_data", scan, "--output_dir", dir), exitFailed, want...)
		requireFailure(t, ptycho("refine", "--test_data", scan, "--output_dir", dir, "--iterations", "1"), exitFailed, want...)
		requireFailure(t, ptycho("simulate", "--output_file", filepath.Join(dir, "s.npz"), "--n_images", "4"), exitFailed, want...)
	}
	require.Equal(t, "mine", string(mustRead(t, file)))

	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "s.npz", "x"), 0o755))
	requireFailure(t, ptycho("simulate", "--output_file", filepath.Join(dir, "s.npz"), "--n_images", "4"), exitFailed, "cannot write", "s.npz")
	require.Empty(t, files(t, dir))
}

func TestStartsThatDoNotFit(t *testing.T) {
	scan, _ := trained(t)
	dir := t.TempDir()
	object := filepath.Join(resultDir(t), "reconstruction.npz")
	change := func(name string, f func(m map[string]data.Array)) string {
		m, err := data.ReadNPZ(object)
		require.NoError(t, err)
		f(m)
		path := filepath.Join(dir, name+".npz")
		writeArrays(t, path, m)
		return path
	}
	nan := complex64(complex(math.NaN(), 0))
	other := filepath.Join(dir, "other.npz")
	must(t, "simulate", "--output_file", other, "--N", "128", "--n_images", "4", "--nphotons", "1e5")
	must(t, "refine", "--test_data", other, "--output_dir", filepath.Join(dir, "other"), "--iterations", "1")
	for name, tt := range map[string]struct {
		path string
		want []string
	}{
		"a scan":       {scan, []string{"object: expected a reconstruction", "give the reconstruction.npz of an inference or a refinement"}},
		"absent":       {filepath.Join(dir, "absent.npz"), []string{"no such file", "check the path"}},
		"a directory":  {dir, []string{"a directory"}},
		"a picture":    {filepath.Join(resultDir(t), "reconstructed_phase.png"), []string{"expected an NPZ file"}},
		"without":      {change("without", without("origin")), []string{"origin: expected in a reconstruction, not found"}},
		"of other N":   {filepath.Join(dir, "other", "reconstruction.npz"), []string{"probe: expected 64×64 pixels like the frames, found 128×128; give --probe file"}},
		"NaN":          {change("nan", func(m map[string]data.Array) { m["object"].Data.([]complex64)[5000] = nan }), []string{"object: expected finite values", "give another start"}},
		"NaN in probe": {change("probe", func(m map[string]data.Array) { m["probe"].Data.([]complex64)[77] = nan }), []string{"probe: expected finite values"}},
		"dark probe":   {change("dark", func(m map[string]data.Array) { clear(m["probe"].Data.([]complex64)) }), []string{"probe: expected finite values that are not all zero"}},
		"far away": {change("far", func(m map[string]data.Array) { m["origin"] = data.Array{Shape: []int{2}, Data: []int64{0, 400}} }), []string{
			"object: expected one that this scan shows", "from row 0, column 400 on", "give a start from the same scan",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			requireFailure(t, ptycho("refine", "--test_data", scan, "--output_dir", out, "--init", tt.path, "--iterations", "1"), exitFailed, append(tt.want, tt.path)...)
			require.Empty(t, files(t, out))
		})
	}
	out := filepath.Join(dir, "out")
	requireFailure(t, ptycho("refine", "--test_data", scan, "--output_dir", out, "--model_path", "absent"), exitFailed, "absent", "no such file", "give the output directory of ptycho train")
	requireFailure(t, ptycho("refine", "--test_data", other, "--output_dir", out, "--model_path", runDir(t)), exitFailed, other, "expected frames of 64×64 pixels, as the network was trained on")
	require.Empty(t, files(t, out))
	must(t, "refine", "--test_data", scan, "--output_dir", out, "--init", filepath.Join(dir, "other", "reconstruction.npz"), "--probe", "file", "--iterations", "1")
}

func TestMasksThatDoNotFit(t *testing.T) {
	scan, dir := scanFile(t), t.TempDir()
	mask := func(name string, side int, v bool) string {
		m := make([]bool, side*side)
		for i := range m {
			m[i] = v
		}
		return npyFile(t, filepath.Join(dir, name+".npy"), data.Array{Shape: []int{side, side}, Data: m})
	}
	for name, tt := range map[string]struct {
		path string
		want []string
	}{
		"another size": {mask("small", 32, false), []string{"expected a mask of shape (64, 64), found shape [32 32]"}},
		"everything":   {mask("all", 64, true), []string{"expected pixels that were measured, found that all of them are masked"}},
		"absent":       {filepath.Join(dir, "absent.npy"), []string{"absent.npy", "no such file", "check the path"}},
		"a scan":       {scan, []string{scan, "expected"}},
	} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			requireFailure(t, ptycho("refine", "--test_data", scan, "--output_dir", out, "--mask", tt.path, "--iterations", "1"), exitFailed, tt.want...)
			require.Empty(t, files(t, out))
		})
	}
}

// TestFewFrames refines as little as there can be.
func TestFewFrames(t *testing.T) {
	m := arrays(t)
	without("objectGuess")(m)
	first(1)(m)
	one := filepath.Join(t.TempDir(), "one.npz")
	writeArrays(t, one, m)
	for scan, flags := range map[string][]string{one: nil, scanFile(t): {"--n_subsample", "1"}} {
		dir := t.TempDir()
		o := must(t, append([]string{"refine", "--test_data", scan, "--output_dir", dir, "--iterations", "3"}, append(flags, everything...)...)...)
		require.NotContains(t, o.stderr, "training")
		require.Equal(t, []int{1}, readResult(t, dir)["xcoords"].Shape)
	}
}

func TestWrongUsage(t *testing.T) {
	scan, run := trained(t)
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"frobnicate", []string{"unexpected argument frobnicate", "see ptycho --help"}},
		{"--bogus", []string{"unknown flag --bogus"}},
		{"train --train_data_file SCAN --bogus 3", []string{"unknown flag --bogus"}},
		{"train --train_data_file SCAN stray", []string{"unexpected argument stray"}},
		{"train", []string{"missing flags: --train-data-file"}},
		{"train --train_data_file", []string{"--train-data-file"}},
		{"infer --test_data SCAN", []string{"missing flags: --model-path"}},
		{"infer --model_path RUN", []string{"missing flags: --test-data"}},
		{"simulate", []string{"missing flags: --output-file"}},
		{"simulate --output_file OUT/s.npz --object cow", []string{"--object must be one of", `"siemens"`, `"cow"`}},
		{"simulate --output_file OUT/s.npz --scan zigzag", []string{"--scan must be one of", `"spiral"`, `"zigzag"`}},
		{"simulate --output_file OUT/s.npz --layout whn", []string{"--layout must be one of", `"whn"`}},
		{"train --train_data_file SCAN --nepochs -1", []string{"nepochs -1 is not positive"}},
		{"train --train_data_file SCAN --nepochs many", []string{"--nepochs", `"many"`}},
		{"train --train_data_file SCAN --nepochs 1.5", []string{"--nepochs", `"1.5"`}},
		{"train --train_data_file SCAN --batch_size 0", []string{"batch_size 0 is not positive"}},
		{"train --train_data_file SCAN --batch_size -4 --nepochs 0 --workers -1", []string{"batch_size -4", "nepochs 0", "workers -1"}},
		{"train --train_data_file SCAN --n_images -4", []string{"n_groups -4 is negative"}},
		{"train --train_data_file SCAN --gridsize 0", []string{"gridsize 0 is not between 1 and 8"}},
		{"train --train_data_file SCAN --n_filters_scale 0", []string{"n_filters_scale 0"}},
		{"train --train_data_file SCAN --seed -1", []string{"--seed", `"-1"`}},
		{"train --train_data_file SCAN --learning_rate 0", []string{"learning_rate 0 is not positive"}},
		{"train --train_data_file SCAN --learning_rate NaN", []string{"learning_rate NaN is not positive"}},
		{"train --train_data_file SCAN --val_fraction 1", []string{"val_fraction 1 is not in [0, 1)"}},
		{"train --train_data_file SCAN --gradient_clip_val -1", []string{"gradient_clip_val -1 is negative"}},
		{"train --train_data_file SCAN --plateau_factor 1", []string{"plateau_factor 1 is not in (0, 1)"}},
		{"train --train_data_file SCAN --scheduler steps", []string{"--scheduler steps", "plateau", "cosine"}},
		{"train --train_data_file SCAN --scheduler steps --nepochs 0", []string{"--scheduler steps", "nepochs 0"}},
		{"train --train_data_file SCAN --loss huber", []string{"--loss must be one of", `"poisson"`}},
		{"train --train_data_file SCAN --loss poisson --nll_weight 0", []string{"all weights of the loss on the frames are zero", "see ptycho train --help"}},
		{"train --train_data_file SCAN --mae_weight -1", []string{"loss weight -1 is negative"}},
		{"train --train_data_file SCAN --realspace_weight 1", []string{"realspace_weight multiplies tv_weight and realspace_mae_weight, and both are zero"}},
		{"train --train_data_file SCAN --model_type gan", []string{"--model-type must be one of", `"supervised"`}},
		{"train --train_data_file SCAN --amp_activation tanh", []string{"--amp-activation must be one of"}},
		{"train --train_data_file SCAN --group_mode far", []string{"--group-mode must be one of"}},
		{"train --train_data_file SCAN --domain photons", []string{"--domain must be one of"}},
		{"train --train_data_file SCAN --dc left", []string{"--dc must be one of"}},
		{"train --train_data_file SCAN --object_big=maybe", []string{"--object-big", "maybe"}},
		{"train --train_data_file SCAN --log_format xml", []string{"--log-format must be one of"}},
		{"infer --model_path RUN --test_data SCAN --stitch mean", []string{"--stitch must be one of", `"probe"`, `"tf"`}},
		{"infer --model_path RUN --test_data SCAN --n_images -1", []string{"expected not to be negative"}},
		{"infer --model_path RUN --test_data SCAN --batch_size 0", []string{"--batch-size at least 1"}},
		{"infer --model_path RUN --test_data SCAN --phase_vmin 2 --phase_vmax 1", []string{"--phase_vmin 2 and --phase_vmax 1"}},
		{"infer --model_path RUN --test_data SCAN --phase_vmin NaN --phase_vmax 1", []string{"--phase_vmin NaN"}},
		{"infer --model_path RUN --test_data SCAN --refine -1", []string{"--refine and --workers are expected not to be negative"}},
		{"infer --model_path RUN --test_data SCAN --holdout 0.1", []string{"--holdout 0.1: expected with --refine"}},
		{"infer --model_path RUN --test_data SCAN --refine 2 --save_patches", []string{"--save_patches and --refine"}},
		{"infer --model_path RUN --test_data SCAN --refine 2 --holdout NaN", []string{"--holdout 0 to 1/3"}},
		{"refine", []string{"missing flags: --test-data"}},
		{"refine --test_data SCAN --init RUN --model_path RUN", []string{"--model-path and --init can't be used together"}},
		{"refine --test_data SCAN --probe start", []string{"--probe start: expected a start, --model_path or --init", "see ptycho refine --help"}},
		{"refine --test_data SCAN --probe guess", []string{"--probe must be one of", `"estimate"`}},
		{"refine --test_data SCAN --loss gauss", []string{"--loss must be one of", `"poisson"`}},
		{"refine --test_data SCAN --batches dense", []string{"--batches must be one of", `"compact"`}},
		{"refine --test_data SCAN --bogus 3", []string{"unknown flag --bogus"}},
		{"refine --test_data SCAN --iterations -1 --polish -1 --batch_size -1 --patience 0 --workers -1", []string{"iterations -1: expected", "polish -1: expected", "batch_size -1", "patience 0", "workers -1"}},
		{"refine --test_data SCAN --step NaN --momentum NaN --holdout NaN --max_shift NaN", []string{"step NaN: expected", "momentum NaN: expected", "holdout NaN: expected", "max_shift NaN: expected"}},
		{"refine --test_data SCAN --step 3 --momentum 1 --holdout 0.6 --max_shift Inf --probe_modes 33", []string{"step 3", "momentum 1", "holdout 0.6", "max_shift +Inf", "probe_modes 33: expected 1 to 32, or 0"}},
		{"refine --test_data SCAN --seed -1", []string{"--seed", `"-1"`}},
		{"refine --test_data SCAN --n_subsample -1", []string{"n_subsample -1 is negative"}},
		{"refine --test_data SCAN --memory much", []string{"--memory much: expected a size such as 1GiB or 500MB"}},
		{"refine --test_data SCAN --memory 0", []string{"--memory 0: expected a size"}},
		{"refine --test_data SCAN --memory 10EB", []string{"--memory 10EB: expected a size"}},
		{"refine --test_data SCAN --phase_vmin 2 --phase_vmax 1", []string{"--phase_vmin 2 and --phase_vmax 1"}},
		{"inspect", []string{`expected "<file>"`}},
		{"inspect SCAN SCAN", []string{"unexpected argument"}},
	} {
		t.Run(tt.args, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			args := strings.Fields(strings.NewReplacer("SCAN", scan, "RUN", run, "OUT", out).Replace(tt.args))
			if command := args[0]; command == "train" || command == "infer" || command == "refine" {
				args = append([]string{command, "--output_dir", out}, args[1:]...)
			}
			requireFailure(t, ptycho(args...), exitUsage, tt.want...)
			require.Empty(t, files(t, out))
		})
	}
}

func TestBadValuesOfASimulation(t *testing.T) {
	scan := scanFile(t)
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"--nphotons -4", []string{"-4 photons a frame; pass a positive number"}},
		{"--nphotons 1e30", []string{"1e+30 photons a frame"}},
		{"--N 2", []string{"N = 2; pass at least 16"}},
		{"--n_images -2", []string{"-2 frames; pass at least 1"}},
		{"--step NaN", []string{"step NaN px"}},
		{"--object file", []string{"needs a setup with an object"}},
		{"--scan file", []string{"needs a setup with positions"}},
		{"--object_size 70 --n_images 400 --step 9", []string{"object"}},
		{"--input_file SCAN --N 128", []string{scan, "N = 64, not 128"}},
		{"--input_file SCAN --n_images 99", []string{"99 frames asked for, but the setup has 20 positions"}},
		{"--input_file SCAN --probe_modes 2", []string{"has a probe; leave the parameters of a synthetic one out"}},
		{"--N 65", []string{"N = 65; pass an even number"}},
		{"--N 4096", []string{"N = 4096; pass an even number up to 1024"}},
		{"--N 0 --n_images 0 --step 0 --object_size 0", []string{"N 0 is not positive; leave it out", "n_images 0 is not", "step 0 is not", "object_size 0 is not"}},
		{"--nphotons 0 --probe_modes 0 --probe_size 0", []string{"nphotons 0 is not positive", "probe_modes 0 is not", "probe_size 0 is not"}},
		{"--n_images 0 --nphotons -4 --N 2 --workers -1", []string{"n_images 0", "-4 photons", "N = 2", "-1 workers", "see ptycho simulate --help"}},
	} {
		t.Run(tt.args, func(t *testing.T) {
			dir := t.TempDir()
			args := strings.Fields(strings.ReplaceAll(tt.args, "SCAN", scan))
			requireFailure(t, ptycho(append([]string{"simulate", "--output_file", filepath.Join(dir, "s.npz")}, args...)...), exitUsage, tt.want...)
			require.Empty(t, files(t, dir))
		})
	}
	o := ptycho("simulate", "--output_file", filepath.Join(t.TempDir(), "s.npz"), "--input_file", "absent.npz", "--N", "2")
	requireFailure(t, o, exitFailed, "absent.npz", "check the path")
}

func TestASimulationDoesNotReplaceItsInput(t *testing.T) {
	good, err := os.ReadFile(scanFile(t))
	require.NoError(t, err)
	dir := t.TempDir()
	scan, link := filepath.Join(dir, "scan.npz"), filepath.Join(dir, "link.npz")
	require.NoError(t, os.WriteFile(scan, good, 0o644))
	names := []string{scan, dir + "/./scan.npz"}
	if os.Symlink(scan, link) == nil {
		names = append(names, link)
	}
	for _, name := range names {
		requireFailure(t, ptycho("simulate", "--input_file", scan, "--output_file", name, "--nphotons", "1e3"), exitUsage,
			name+" is the input file", "expected another name")
		require.True(t, bytes.Equal(good, mustRead(t, scan)), "the scan is as it was")
	}
}

func TestResumeFlag(t *testing.T) {
	scan := scanFile(t)
	dir, whole := t.TempDir(), t.TempDir()
	must(t, quick(scan, whole, "--nepochs", "2")...)
	must(t, quick(scan, dir, "--resume")...) // nothing to go on with: starts anew
	checkHistory(t, dir, 1)
	o := must(t, quick(scan, dir, "--resume", "--nepochs", "2")...)
	require.Contains(t, o.stderr, "epoch 2/2")
	require.NotContains(t, o.stderr, "epoch 1/2")
	checkHistory(t, dir, 2)
	for _, name := range []string{"best", "last"} {
		name = filepath.Join("checkpoints", name+".safetensors")
		require.True(t, bytes.Equal(mustRead(t, filepath.Join(whole, name)), mustRead(t, filepath.Join(dir, name))), name)
	}

	record := mustRead(t, filepath.Join(dir, "run.json"))
	for flags, want := range map[string]string{
		"--learning_rate 3e-3":   "train.learning_rate: then 0.001, now 0.003",
		"--seed 4":               "train.seed: then 42, now 4",
		"--n_images 5":           "data: then ",
		"--gridsize 2":           "model.gridsize: then 1, now 2",
		"--mae_weight 2":         "model.loss.mae_weight: then 0, now 2",
		"--amp_activation swish": "model.amp_activation: then sigmoid, now swish",
	} {
		o := ptycho(quick(scan, dir, append(strings.Fields(flags), "--resume", "--nepochs", "3")...)...)
		requireFailure(t, o, exitFailed, want, "start anew without --resume", dir)
	}
	require.Equal(t, record, mustRead(t, filepath.Join(dir, "run.json")), "a run that is refused leaves no record")

	state := filepath.Join(dir, "checkpoints", "state.safetensors")
	require.NoError(t, os.WriteFile(state, damaged(mustRead(t, state), 5000, 3), 0o644))
	requireFailure(t, ptycho(quick(scan, dir, "--resume", "--nepochs", "3")...), exitFailed, state, "expected", "found")
}

func TestDivergenceIsAnError(t *testing.T) {
	scan := scanFile(t)
	dir := t.TempDir()
	o := ptycho(quick(scan, dir, "--learning_rate", "1e30", "--batch_size", "1")...)
	requireFailure(t, o, exitFailed, "epoch 1, step 2: the loss or its gradient is not finite", "pattern", "lower --learning_rate", "last.safetensors")
	must(t, "inspect", dir)
	rec := readJSON(t, filepath.Join(dir, "run.json"))
	require.Nil(t, rec["finished"])
	require.NotContains(t, rec, "results")
}

func TestUnknownKernel(t *testing.T) {
	if os.Getenv("PTYCHO_KERNEL") != "" {
		t.Skip("a kernel is chosen")
	}
	p := start(t, []string{"PTYCHO_KERNEL=abacus"}, "inspect", "any.npz")
	require.Error(t, p.cmd.Wait())
	require.Equal(t, exitUsage, p.cmd.ProcessState.ExitCode())
	require.Contains(t, p.stderr.String(), fmt.Sprintf("%q", "abacus"))
}
