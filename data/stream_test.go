package data

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/fft"
	"ptycho/internal/race"
)

// requireSameLoad loads a file into memory and as a stream, and requires the same of both. It returns what is in memory,
// nil where the file is refused.
func requireSameLoad(t *testing.T, path string, opt LoadOptions, what ...any) *Dataset {
	t.Helper()
	want, wantErr := Load(path, opt)
	opt.Stream = true
	got, err := Load(path, opt)
	require.Equal(t, wantErr, err, what...)
	if err != nil {
		return nil
	}
	defer func() { require.NoError(t, got.Close()) }()
	require.False(t, got.InMemory(), what...)
	require.Nil(t, got.Frames, what...)
	require.Nil(t, got.Patches, what...)
	frame := make(Intensity, got.N*got.N)
	for _, i := range []int{got.Len() - 1, 0, got.Len() / 2} {
		require.NoError(t, got.ReadFrame(frame, i), what...)
		require.Equal(t, want.Frame(i), frame, what...)
	}
	header := func(d Dataset) Dataset {
		d.Frames, d.Patches, d.stream = nil, nil, nil
		return d
	}
	require.Equal(t, header(*want), header(*got), what...)
	return want
}

// storedFrames writes real numbers, (n, N, N), as a member in the given dtype, layout and order.
func storedFrames(v []float64, n, side int, dtype string, last, fortran bool) []byte {
	shape := fmt.Sprintf("(%d, %d, %d)", n, side, side)
	if last {
		shape = fmt.Sprintf("(%d, %d, %d)", side, side, n)
	}
	axes := frameAxes{n: n, side: side, last: last, fortran: fortran}
	elements := make([]float64, len(v))
	for e := range elements {
		frame, pixel := axes.place(e)
		elements[e] = v[frame*side*side+pixel]
	}
	var order binary.ByteOrder = binary.LittleEndian
	if dtype[0] == '>' {
		order = binary.BigEndian
	}
	var payload bytes.Buffer
	for _, x := range elements {
		var value any
		switch dtype[1:] {
		case "f2":
			value = uint16(x) // a pattern of bits
		case "f4":
			value = float32(x)
		case "f8":
			value = x
		case "u1":
			value = uint8(x)
		case "u2":
			value = uint16(x)
		case "i4":
			value = int32(x)
		case "u8":
			value = uint64(x)
		case "b1":
			value = x != 0
		}
		if err := binary.Write(&payload, order, value); err != nil {
			panic(err)
		}
	}
	python := map[bool]string{true: "True", false: "False"}[fortran]
	return npyBytes(1, fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", dtype, python, shape), payload.Bytes())
}

// writeMembers writes NPY members, all deflated or none.
func writeMembers(t testing.TB, deflate bool, members map[string][]byte) string {
	t.Helper()
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	for name, raw := range members {
		h := &zip.FileHeader{Name: name + npySuffix}
		if deflate {
			h.Method = zip.Deflate
		}
		w, err := zw.CreateHeader(h)
		require.NoError(t, err)
		_, err = w.Write(raw)
		require.NoError(t, err)
	}
	require.NoError(t, zw.Close())
	path := filepath.Join(t.TempDir(), "scan.npz")
	require.NoError(t, os.WriteFile(path, buf.Bytes(), 0o644))
	return path
}

func TestStreamIsLoad(t *testing.T) {
	const n, side = 7, 8
	base := measuredScene(n, side, 3e4, true)
	// Values of a domain, from counts; their unit is arbitrary where they have one.
	domains := map[string]func(float64) float64{
		"counts": func(v float64) float64 { return v }, "roots": math.Sqrt,
		"amplitudes": func(v float64) float64 { return 0.37 * math.Sqrt(v+0.3) },
		"intensity":  func(v float64) float64 { return 0.7 * v },
	}
	metadata := []string{"", `{"amplitude_scale": 2.5}`, `{"nphotons": 5e5}`, `{"domain": "amplitude", "nphotons": 100}`}
	cases, accepted := 0, 0
	for domain, f := range domains {
		for _, dtype := range []string{"<f4", ">f4", "<f8", "|u1", ">u2", "<i4", "<u8", "<f2", "|b1"} {
			for _, corner := range []bool{false, true} {
				for arrangement := range 8 {
					last, fortran, deflate := arrangement&1 > 0, arrangement&2 > 0, arrangement&4 > 0
					v := apply(base.Frames, func(x float32) float32 { return float32(f(float64(x))) })
					if corner {
						for j := range n {
							fft.Unshift(v[j*side*side:][:side*side], slices.Clone(v[j*side*side:][:side*side]), side, side)
						}
					}
					x := apply(v, func(x float32) float64 { return float64(x) })
					file := fileOf(base)
					members := map[string][]byte{"diffraction": storedFrames(x, n, side, dtype, last, fortran)}
					if meta := metadata[cases%len(metadata)]; meta != "" {
						members["_metadata"] = encoded(t, Array{Data: []string{meta}})
					}
					for _, key := range []string{"xcoords", "ycoords", "probeGuess"} {
						members[key] = encoded(t, file[key])
					}
					if cases%3 > 0 {
						members["objectGuess"] = encoded(t, file["objectGuess"])
					}
					if cases%5 == 0 {
						members["Y"] = encoded(t, Array{Shape: []int{n, side, side}, Data: make([]complex64, len(v))})
					}
					path := writeMembers(t, deflate, members)
					what := []any{"%s %s corner %t last %t fortran %t deflated %t", domain, dtype, corner, last, fortran, deflate}
					if requireSameLoad(t, path, LoadOptions{}, what...) != nil {
						accepted++
					}
					cases++
				}
			}
		}
	}
	require.Greater(t, accepted, cases/2, "most files are good")
}

func TestStreamRefusesWhatLoadRefuses(t *testing.T) {
	good := func() map[string]Array {
		f := fileOf(measuredScene(5, 16, 1e5, true))
		f["Y"] = Array{"Y", []int{5, 16, 16}, make([]complex64, 5*256)}
		return f
	}
	twin := good()
	twin["diff3d"] = Array{"diff3d", twin["diffraction"].Shape, twin["diffraction"].Data}
	require.NotNil(t, requireSameLoad(t, writeArrays(t, twin), LoadOptions{}))
	for name, change := range map[string]func(map[string]Array){
		"NaN":           poke("diffraction", 300, float32(math.NaN())),
		"negative":      poke("diffraction", 300, float32(-1)),
		"empty frames":  fill("diffraction", 0, 512, float32(0)),
		"no frames":     remove("diffraction"),
		"odd side":      set("diffraction", []int{5, 15, 15}, make([]float32, 5*225)),
		"wrong count":   set("diffraction", []int{4, 16, 16}, make([]float32, 4*256)),
		"complex":       set("diffraction", []int{5, 16, 16}, make([]complex64, 5*256)),
		"text":          set("diffraction", []int{5, 16, 16}, make([]string, 5*256)),
		"patches":       poke("Y", 700, complex64(complex(math.Inf(1), 0))),
		"another alias": set("diff3d", []int{5, 16, 16}, make([]float32, 5*256)),
		"alias of text": set("diff3d", []int{5, 16, 16}, make([]string, 5*256)),
		"small alias":   set("diff3d", []int{4, 16, 16}, make([]float32, 4*256)),
		"no positions":  remove("xcoords"),
	} {
		f := good()
		change(f)
		require.True(t, requireSameLoad(t, writeArrays(t, f), LoadOptions{}, name) == nil, name)
	}
}

func TestStreamRealScan(t *testing.T) {
	requireSameLoad(t, shared(t, "siemens-star-small.npz.bz2"), LoadOptions{})
}

// TestStreamSpills needs more than a spool keeps in memory.
func TestStreamSpills(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, dir)
	}
	const n, side = 70, 128
	d := measuredScene(1, side, 1e5, true)
	d.X, d.Y = make([]float64, n), make([]float64, n)
	frame := d.Frames
	d.Frames = nil
	for i := range n {
		d.X[i], d.Y[i] = float64(side/2+i%9), float64(side/2+i%3)
		d.Frames = append(d.Frames, frame...)
		d.Frames[i*side*side+i]++
	}
	require.Greater(t, 4*len(d.Frames), spoolMemory)
	for _, layout := range []string{LayoutNHW, LayoutHWN} {
		path := filepath.Join(t.TempDir(), "scan.npz")
		require.NoError(t, Save(path, d, SaveOptions{Layout: layout}))
		z, err := OpenNPZ(path)
		require.NoError(t, err)
		require.Equal(t, zip.Deflate, z.members["diffraction"].file.Method)
		require.NoError(t, z.Close())
		requireSameLoad(t, path, LoadOptions{}, layout)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
	}
	twin := fileOf(d)
	twin["diff3d"] = Array{"diff3d", twin["diffraction"].Shape, twin["diffraction"].Data}
	twins, err := Load(writeArrays(t, twin), LoadOptions{Stream: true})
	require.NoError(t, err)
	require.Len(t, twins.stream.closer, 2, "the archive and one copy of the frames")
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil {
		require.Len(t, slices.DeleteFunc(fds, func(e os.DirEntry) bool {
			target, _ := os.Readlink(filepath.Join("/proc/self/fd", e.Name()))
			return !strings.HasPrefix(target, dir)
		}), 1, "the copy of the twin is closed")
	}
	require.NoError(t, twins.Close())

	path := filepath.Join(t.TempDir(), "scan.npz")
	require.NoError(t, Save(path, d, SaveOptions{}))
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, filepath.Join(dir, "none"))
	}
	_, err = Load(path, LoadOptions{Stream: true})
	require.ErrorContains(t, err, "diffraction: expected room for unpacked frames in "+filepath.Join(dir, "none"))
	require.ErrorContains(t, err, "set TMPDIR")
}

func TestStreamedFrames(t *testing.T) {
	want := measuredScene(6, 16, 1e5, true)
	path := writeMembers(t, false, func() map[string][]byte {
		m := map[string][]byte{}
		for name, a := range fileOf(want) {
			m[name] = encoded(t, a)
		}
		return m
	}())
	d, err := Load(path, LoadOptions{Stream: true})
	require.NoError(t, err)
	frame := make(Intensity, 256)
	part := d.Select([]int{4, 1, 3}).Select([]int{2, 0})
	for i, f := range []int{3, 4} {
		require.NoError(t, part.ReadFrame(frame, i))
		require.Equal(t, want.Frame(f), frame)
	}
	require.NotEqual(t, want.Frame(3).Sum(), want.Frame(4).Sum())
	require.Equal(t, d.Dose, part.Dose, "the dose is that of the whole scan")
	require.Equal(t, want.Dose, want.Select([]int{3, 4}).Dose)
	require.Equal(t, slices.Max(want.Frames), part.Peak)
	require.PanicsWithValue(t, "data: the frames to average are not in memory", func() { d.MeanFrame() })
	require.NoError(t, want.ReadFrame(frame, 2), "from memory")
	require.Equal(t, want.Frame(2), frame)
	require.True(t, want.InMemory())
	require.NoError(t, want.Close())
	require.Panics(t, func() { _ = d.ReadFrame(frame[1:], 0) })
	require.ErrorContains(t, Save(filepath.Join(t.TempDir(), "b.npz"), d, SaveOptions{}), "not in memory")
	if !race.Enabled {
		require.Zero(t, testing.AllocsPerRun(10, func() {
			if err := d.ReadFrame(frame, 1); err != nil {
				panic(err)
			}
		}))
	}

	z, err := zip.OpenReader(path)
	require.NoError(t, err)
	defer z.Close()
	for _, f := range z.File {
		if strings.HasPrefix(f.Name, "diffraction") {
			at, err := f.DataOffset()
			require.NoError(t, err)
			require.NoError(t, os.Truncate(path, at+128+3*1024))
		}
	}
	require.NoError(t, d.ReadFrame(frame, 2))
	err = d.ReadFrame(frame, 3)
	require.ErrorContains(t, err, path+": frame 3: expected a whole array")
	require.NoError(t, d.Close())
	require.Error(t, part.ReadFrame(frame, 0), "the file is closed")
}

func TestSpool(t *testing.T) {
	for _, limit := range []int{0, 4, 100} {
		s := &spool{limit: limit}
		for _, part := range []string{"abc", "defgh", "ij"} {
			n, err := s.Write([]byte(part))
			require.NoError(t, err)
			require.Equal(t, len(part), n)
		}
		require.Equal(t, limit < 10, s.file != nil)
		b := make([]byte, 4)
		n, err := s.ReadAt(b, 5)
		require.NoError(t, err)
		require.Equal(t, "fghi", string(b[:n]))
		n, err = s.ReadAt(b, 8)
		require.Error(t, err)
		require.Equal(t, "ij", string(b[:n]))
		_, err = s.ReadAt(b, 10)
		require.Error(t, err)
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
	}
}

// TestScanIsRead compares both ways of decoding an array.
func TestScanIsRead(t *testing.T) {
	var arrays []Array
	for _, a := range everyType() {
		if _, text := a.Data.([]string); !text {
			arrays = append(arrays, a)
		}
	}
	path := filepath.Join(t.TempDir(), "a.npz")
	require.NoError(t, WriteNPZ(path, arrays...))
	z, err := OpenNPZ(path)
	require.NoError(t, err)
	defer z.Close()
	for _, a := range arrays {
		got := reflect.MakeSlice(reflect.TypeOf(a.Data), 0, 0)
		require.NoError(t, z.scan(a.Name, func(b block) error {
			require.Equal(t, got.Len(), b.from)
			got = reflect.AppendSlice(got, reflect.ValueOf(b.values))
			return nil
		}))
		require.Equal(t, a.Data, got.Interface(), a.Name)
	}
	require.ErrorContains(t, z.scan("missing", nil), "missing: expected an array of this name")
}
