package data

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzLoad(f *testing.F) {
	d := measuredScene(3, 8, 1e3, true)
	multi := fileOf(d)
	multi["_metadata"] = Array{Name: "_metadata", Data: []string{`{"domain": "counts", "dc": "centre"}`}}
	multi["Y"] = Array{"Y", []int{3, 8, 8}, make([]complex64, 3*64)}
	last := fileOf(d)
	last["diffraction"] = Array{"diffraction", []int{8, 8, 3}, framesLast([]float32(d.Frames), 3, 8)}
	padded := tikeOf(d)
	padded["probe"] = Array{"probe", []int{1, 1, 2, 4, 4}, append(make([]complex64, 31), 1)}
	for _, arrays := range []map[string]Array{fileOf(d), multi, last, tikeOf(d), padded} {
		raw, err := os.ReadFile(writeArrays(f, arrays))
		require.NoError(f, err)
		f.Add(raw)
	}
	for _, name := range []string{"savez.npz", "savez_compressed.npz", "pickles.npz"} {
		raw, err := os.ReadFile(golden(name))
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "a.npz")
		require.NoError(t, os.WriteFile(path, raw, 0o644))
		_, _ = LoadSetup(path, LoadOptions{})
		d, err := Load(path, LoadOptions{})
		if err != nil {
			require.IsType(t, Problems{}, err)
			require.NotEmpty(t, err.Error())
			return
		}
		// What was accepted is whole: it can be saved and read again.
		again := filepath.Join(dir, "b.npz")
		require.NoError(t, Save(again, d, SaveOptions{}))
		_, err = Load(again, LoadOptions{})
		require.NoError(t, err)
	})
}

// FuzzLoadArrays changes the arrays of a scan behind the archive's checksums, which would stop most of what
// FuzzLoad tries.
func FuzzLoadArrays(f *testing.F) {
	d := measuredScene(3, 8, 1e3, true)
	standard, tike := fileOf(d), tikeOf(d)
	standard["_metadata"] = Array{Data: []string{"{}"}}
	names := [2][]string{
		{"diffraction", "probeGuess", "objectGuess", "xcoords", "ycoords", "_metadata"},
		{"data", "probe", "psi", "scan", "scan_index", "_metadata"},
	}
	for i, file := range []map[string]Array{standard, tike} {
		var raw [6][]byte
		for k, name := range names[i] {
			if a, ok := file[name]; ok {
				raw[k] = encoded(f, a)
			}
		}
		f.Add(raw[0], raw[1], raw[2], raw[3], raw[4], raw[5], i == 1)
	}
	f.Fuzz(func(t *testing.T, frames, probe, object, x, y, meta []byte, tike bool) {
		keys := names[0]
		if tike {
			keys = names[1]
		}
		path := filepath.Join(t.TempDir(), "a.npz")
		writeRawZip(t, path, keys, [][]byte{frames, probe, object, x, y, meta})
		_, _ = LoadSetup(path, LoadOptions{})
		d, err := Load(path, LoadOptions{})
		if err != nil {
			require.IsType(t, Problems{}, err)
			return
		}
		requireSameLoad(t, path, LoadOptions{})
		require.NoError(t, d.consistent())
		require.True(t, finite(d.Dose))
	})
}

// encoded returns a as an NPY stream.
func encoded(tb testing.TB, a Array) []byte {
	tb.Helper()
	e, err := newEncoder(a)
	require.NoError(tb, err)
	var b bytes.Buffer
	require.NoError(tb, e.writeTo(&b))
	return b.Bytes()
}

// writeRawZip writes members as they are, leaving out empty ones.
func writeRawZip(t *testing.T, path string, names []string, members [][]byte) {
	t.Helper()
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	for i, name := range names {
		if len(members[i]) == 0 {
			continue
		}
		w, err := zw.CreateHeader(&zip.FileHeader{Name: name + npySuffix})
		require.NoError(t, err)
		_, err = w.Write(members[i])
		require.NoError(t, err)
	}
	require.NoError(t, zw.Close())
	require.NoError(t, os.WriteFile(path, buf.Bytes(), 0o644))
}
