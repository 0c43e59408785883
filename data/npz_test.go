package data

import (
	"archive/zip"
	"bytes"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// everyType is one array of each element type that WriteNPZ takes.
func everyType() []Array {
	var arrays []Array
	for _, kind := range []string{"f4", "f8", "c8", "c16", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", "U3"} {
		arrays = append(arrays, Array{kind, []int{2, 3, 4}, goldenValues(kind)})
	}
	return append(arrays,
		Array{Name: "scalar", Data: []float64{math.Pi}},
		Array{"none", []int{0, 5}, []float32{}},
		Array{"long", []int{40000}, make([]float64, 40000)},
		Array{Name: "text", Data: []string{"dose é €"}},
	)
}

func TestWriteNPZ(t *testing.T) {
	path := filepath.Join(t.TempDir(), "all.npz")
	arrays := everyType()
	require.NoError(t, WriteNPZ(path, arrays...))
	got, err := ReadNPZ(path)
	require.NoError(t, err)
	require.Len(t, got, len(arrays))
	for _, a := range arrays {
		require.Equal(t, a, got[a.Name])
	}

	first, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, WriteNPZ(path, arrays...))
	second, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, first, second, "equal arrays give equal bytes")
}

func TestWriteNPZMembers(t *testing.T) {
	noise := make([]float32, 4096)
	for i := range noise {
		noise[i] = float32(math.Sin(float64(i * i)))
	}
	var buf bytes.Buffer
	require.NoError(t, writeNPZ(&buf, []Array{
		{"noise", []int{4096}, noise}, {"zeros", []int{64, 64}, make([]uint32, 4096)},
	}))
	zr, err := zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	require.NoError(t, err)
	require.Equal(t, []uint16{zip.Store, zip.Deflate}, []uint16{zr.File[0].Method, zr.File[1].Method})
	for _, f := range zr.File {
		r, err := f.Open()
		require.NoError(t, err)
		h, err := readHeader(r)
		require.NoError(t, err)
		require.Zero(t, h.size%64, "the data of %s is aligned", f.Name)
	}
}

func TestWriteNPZErrors(t *testing.T) {
	dir := t.TempDir()
	for name, arrays := range map[string][]Array{
		"no name":       {{Data: []float32{1}}},
		"name twice":    {{Name: "a", Data: []float32{1}}, {Name: "a", Data: []float32{1}}},
		"element type":  {{Name: "a", Data: []int{1}}},
		"length":        {{"a", []int{3}, []float32{1}}},
		"negative axes": {{"a", []int{-1, -1}, []float32{1}}},
	} {
		path := filepath.Join(dir, "bad.npz")
		require.Error(t, WriteNPZ(path, arrays...), name)
		require.NoFileExists(t, path, name)
	}
	require.Error(t, WriteNPZ(filepath.Join(dir, "missing", "a.npz")))
}

func TestNPZAccess(t *testing.T) {
	z, err := OpenNPZ(golden("savez.npz"))
	require.NoError(t, err)
	defer z.Close()
	require.Equal(t, []string{"diffraction", "x"}, z.Names())
	require.True(t, z.Has("x"))
	h, err := z.Header("diffraction")
	require.NoError(t, err)
	require.Equal(t, []int{2, 3, 4}, h.Shape)
	require.Equal(t, "<u2", h.Dtype)
	_, err = z.Header("y")
	require.ErrorContains(t, err, "only diffraction, x")
	_, err = z.Read("y")
	require.ErrorContains(t, err, "y: expected an array of this name")
}

func writeFile(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, b, 0o644))
	return path
}

func TestOpenNPZErrors(t *testing.T) {
	whole, err := os.ReadFile(golden("savez.npz"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		raw   []byte
		found string
	}{
		"empty":      {nil, "an empty file"},
		"truncated":  {whole[:len(whole)-30], "a truncated or damaged zip archive"},
		"npy":        {npyBytes(1, "{}", nil), "a single NPY array"},
		"hdf5":       {[]byte("\x89HDF\r\n\x1a\n..."), "an HDF5 file"},
		"gzip":       {[]byte("\x1f\x8b\x08"), "a gzip file"},
		"text":       {[]byte("x,y\n1,2\n"), "something else"},
		"bad bzip2":  {[]byte("BZh9rubbish"), "bzip2"},
		"short bz2":  {[]byte("BZh91AY&SY"), "EOF"},
		"void bzip2": {[]byte("BZh9\x17\x72\x45\x38\x50\x90\x00\x00\x00\x00"), "an empty file"},
	} {
		path := writeFile(t, "a.npz", c.raw)
		_, err := OpenNPZ(path)
		require.ErrorContains(t, err, c.found, name)
		require.ErrorContains(t, err, path, name)
	}
	_, err = OpenNPZ(filepath.Join(t.TempDir(), "none.npz"))
	require.ErrorContains(t, err, "no such file")
	_, err = OpenNPZ(t.TempDir())
	require.ErrorContains(t, err, "a directory")
}

func TestInflateLimit(t *testing.T) {
	// bzip2 of "hello hello\n".
	packed := []byte("BZh91AY&SY\x85tnA\x00\x00\x02\xd1\x00\x00\x10@\x00\x02D\xa0\x000\xc0\x04\xa6\x98R\r\xc2\x86\x17rE8P\x90\x85tnA")
	var raw bytes.Buffer
	n, err := inflate(&raw, bytes.NewReader(packed), 12)
	require.NoError(t, err)
	require.Equal(t, int64(12), n)
	require.Equal(t, "hello hello\n", raw.String())
	_, err = inflate(&raw, bytes.NewReader(packed), 11)
	require.ErrorContains(t, err, "at most 11 bytes")
}

// rawZip makes an archive of one member with a free choice of what its directory says.
func rawZip(t *testing.T, h zip.FileHeader, payload []byte) *NPZ {
	t.Helper()
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	w, err := zw.CreateRaw(&h)
	require.NoError(t, err)
	_, err = w.Write(payload)
	require.NoError(t, err)
	require.NoError(t, zw.Close())
	z, err := newNPZ(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	require.NoError(t, err)
	return z
}

func TestMemberErrors(t *testing.T) {
	good := npyBytes(1, "{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }\n", []byte{1, 0, 2, 0})
	vast := npyBytes(1, "{'descr': '<u2', 'fortran_order': False, 'shape': (1000000000000,), }\n", []byte{1, 0, 2, 0})
	size := func(b []byte) uint64 { return uint64(len(b)) }
	base := zip.FileHeader{Name: "a.npy", CRC32: crc32.ChecksumIEEE(good), CompressedSize64: size(good), UncompressedSize64: size(good)}
	for name, c := range map[string]struct {
		change  func(h *zip.FileHeader)
		payload []byte
		found   string
	}{
		"checksum":     {func(h *zip.FileHeader) { h.CRC32++ }, good, "checksum"},
		"method":       {func(h *zip.FileHeader) { h.Method = 93 }, good, "zip method 93"},
		"encrypted":    {func(h *zip.FileHeader) { h.Flags |= 1 }, good, "encrypted"},
		"stored vast":  {func(h *zip.FileHeader) { h.UncompressedSize64 = 2e12 }, vast, "2000000000000 bytes packed"},
		"deflate vast": {func(h *zip.FileHeader) { h.Method, h.UncompressedSize64 = zip.Deflate, 2e12 }, vast, "2000000000000 bytes packed"},
		"past the end": {func(h *zip.FileHeader) { h.CompressedSize64, h.UncompressedSize64 = 2e12, 2e12 }, vast, "2000000000000 bytes packed"},
		"header":       {func(h *zip.FileHeader) { h.CompressedSize64, h.UncompressedSize64 = 4, 4 }, good[:4], "checksum"},
		"not deflated": {func(h *zip.FileHeader) { h.Method = zip.Deflate }, good, "truncated"},
		"short": {func(h *zip.FileHeader) {
			h.CompressedSize64, h.UncompressedSize64 = size(good)-2, size(good)-2
		}, good[:len(good)-2], "another size"},
	} {
		h := base
		c.change(&h)
		z := rawZip(t, h, c.payload)
		_, err := z.Read("a")
		require.ErrorContains(t, err, c.found, name)
		require.ErrorContains(t, err, "a: expected", name)
	}
	a, err := rawZip(t, base, good).Read("a")
	require.NoError(t, err)
	require.Equal(t, []uint16{1, 2}, a.Data)
	require.Empty(t, rawZip(t, zip.FileHeader{Name: "notes.txt"}, nil).Names())
}

func TestReadNPZReportsAll(t *testing.T) {
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	for _, name := range []string{"bad1.npy", "bad2.npy", "twice.npy", "twice.npy"} {
		_, err := zw.Create(name)
		require.NoError(t, err)
	}
	require.NoError(t, zw.Close())
	path := writeFile(t, "a.npz", buf.Bytes())
	_, err := ReadNPZ(path)
	var ps Problems
	require.ErrorAs(t, err, &ps)
	require.Len(t, ps, 3)
	require.Equal(t, []string{"bad1", "bad2", "twice"}, []string{ps[0].Key, ps[1].Key, ps[2].Key})
	require.Contains(t, ps[2].Found, "twice")
	z, err := OpenNPZ(path)
	require.NoError(t, err)
	defer z.Close()
	require.Empty(t, z.Headers())
}

func TestArrayConversions(t *testing.T) {
	for _, kind := range []string{"i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"} {
		a := Array{kind, []int{24}, goldenValues(kind)}
		step, start := 1.0, -5.0
		switch kind[0] {
		case 'u':
			start = 0
		case 'f':
			step, start = 0.5, -3
		}
		f64, err := a.Float64s()
		require.NoError(t, err)
		f32, err := a.Float32s()
		require.NoError(t, err)
		c64, err := a.Complex64s()
		require.NoError(t, err)
		i64, ierr := a.Int64s()
		require.Equal(t, kind[0] == 'f', ierr != nil, kind)
		for k := range 24 {
			want := start + step*float64(k)
			require.Equal(t, want, f64[k], kind)
			require.Equal(t, float32(want), f32[k], kind)
			require.Equal(t, complex(float32(want), 0), c64[k], kind)
			if ierr == nil {
				require.Equal(t, int64(want), i64[k], kind)
			}
		}
	}
	b := Array{"b", []int{2}, []bool{true, false}}
	i64, err := b.Int64s()
	require.NoError(t, err)
	require.Equal(t, []int64{1, 0}, i64)
	f32, err := b.Float32s()
	require.NoError(t, err)
	require.Equal(t, []float32{1, 0}, f32)
	c, err := Array{"c", []int{1}, []complex128{2 + 3i}}.Complex64s()
	require.NoError(t, err)
	require.Equal(t, []complex64{2 + 3i}, c)
}

func TestArrayConversionErrors(t *testing.T) {
	text := Array{"a", []int{1}, []string{"x"}}
	wave := Array{"a", []int{1}, []complex64{1i}}
	for _, a := range []Array{text, wave, {}} {
		_, err := a.Float32s()
		require.Error(t, err)
		_, err = a.Float64s()
		require.Error(t, err)
		_, err = a.Int64s()
		require.Error(t, err)
	}
	_, err := text.Complex64s()
	require.ErrorContains(t, err, "elements of type string")
	for _, v := range []any{
		[]float64{math.NaN()}, []float64{math.Inf(1)}, []float64{0.5}, []float64{1 << 63}, []uint64{1 << 63}, []float32{1e30},
	} {
		_, err := Array{"a", []int{1}, v}.Int64s()
		require.ErrorContains(t, err, "within int64", "%v", v)
	}
	exact, err := Array{"a", []int{2}, []uint64{1<<63 - 1, 1<<53 + 1}}.Int64s()
	require.NoError(t, err)
	require.Equal(t, []int64{1<<63 - 1, 1<<53 + 1}, exact)
}
