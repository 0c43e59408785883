package data

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/fft"
)

// requireMasked loads a file of d's frames in which pixels are spoilt, from memory and as a stream, and requires d with these
// pixels masked.
func requireMasked(t *testing.T, d *Dataset, f map[string]Array, opt LoadOptions, pixels []int, note string) {
	t.Helper()
	slices.Sort(pixels)
	got := requireSameLoad(t, writeArrays(t, f), opt)
	require.NotNil(t, got)
	require.Equal(t, pixels, indices(got.Mask))
	var total float64
	for i := range d.Len() {
		want := slices.Clone(d.Frame(i))
		for _, p := range pixels {
			want[p] = 0
		}
		require.Equal(t, want, got.Frame(i), i)
		total += want.Sum()
	}
	require.InDelta(t, total/float64(d.Len()), got.Dose, 1e-9, "of what was measured")
	require.Equal(t, DomainCounts, got.Domain)
	requireNote(t, got, note)

	c, err := got.Compact(CompactOptions{})
	require.NoError(t, err)
	frame := make([]float32, d.N*d.N)
	require.NoError(t, c.Read(frame, 1))
	require.Len(t, indices(apply(frame, func(v float32) bool { return v < 0 })), len(pixels))
}

// spoil writes v into pixels of all frames.
func spoil[T any](f map[string]Array, px int, v T, pixels ...int) {
	frames := f["diffraction"].Data.([]T)
	for from := 0; from < len(frames); from += px {
		for _, p := range pixels {
			frames[from+p] = v
		}
	}
}

// asType gives the frames another type.
func asType[T any](f map[string]Array, convert func(float32) T) {
	a := f["diffraction"]
	f["diffraction"] = Array{a.Name, a.Shape, apply(a.Data.([]float32), convert)}
}

func TestPixelsLostInAllFrames(t *testing.T) {
	const n, side, px = 7, 16, 256
	d := measuredScene(n, side, 1e4, true)
	nan := math.NaN()
	for name, c := range map[string]struct {
		change func(map[string]Array)
		pixels []int
		note   string
	}{
		"NaN":      {func(f map[string]Array) { spoil(f, px, float32(nan), 3, 137) }, []int{3, 137}, "2 pixels are NaN or infinite in every frame: masked"},
		"negative": {func(f map[string]Array) { spoil(f, px, float32(-1), 8) }, []int{8}, "1 pixels are negative in every frame: masked"},
		"both": {func(f map[string]Array) {
			spoil(f, px, float32(math.Inf(1)), 0, 255)
			poke("diffraction", 3*px, float32(-2))(f)
		}, []int{0, 255}, "2 pixels are NaN or infinite or negative in every frame: masked"},
		"double": {func(f map[string]Array) {
			asType(f, func(x float32) float64 { return float64(x) })
			spoil(f, px, nan, 9)
		}, []int{9}, "NaN"},
		"signed": {func(f map[string]Array) {
			asType(f, func(x float32) int32 { return int32(x) })
			spoil(f, px, int32(-2), 9)
		}, []int{9}, "negative"},
		"16 bits": {func(f map[string]Array) {
			asType(f, func(x float32) uint16 { return uint16(x) })
			spoil(f, px, uint16(math.MaxUint16), 10, 11)
		}, []int{10, 11}, "2 pixels are at the largest value of their type in every frame: masked"},
		"32 bits": {func(f map[string]Array) {
			asType(f, func(x float32) uint32 { return uint32(x) })
			spoil(f, px, uint32(math.MaxUint32), 12)
		}, []int{12}, "largest value"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fileOf(d)
			c.change(f)
			requireMasked(t, d, f, LoadOptions{}, c.pixels, c.note)
		})
	}

	// Interleaved and column by column, too.
	v := apply(d.Frames, func(x float32) float64 { return float64(x) })
	for i := range n {
		v[i*px+19] = -1
	}
	for arrangement := range 4 {
		members := map[string][]byte{"diffraction": storedFrames(v, n, side, "<f4", arrangement&1 > 0, arrangement&2 > 0)}
		mask := make([]bool, px)
		mask[77] = true
		members["mask"] = encoded(t, Array{Shape: []int{side, side}, Data: mask})
		for _, key := range []string{"xcoords", "ycoords", "probeGuess"} {
			members[key] = encoded(t, fileOf(d)[key])
		}
		got := requireSameLoad(t, writeMembers(t, true, members), LoadOptions{})
		require.Equal(t, []int{19, 77}, indices(got.Mask))
		require.Equal(t, float32(0), got.Frame(2)[19])
		require.Equal(t, d.Frame(3)[18], got.Frame(3)[18])
	}
}

func TestMaskKeys(t *testing.T) {
	const n, side, px = 5, 16, 256
	d := measuredScene(n, side, 1e5, true)
	bad := func(pixels ...int) []bool {
		m := make([]bool, px)
		for _, p := range pixels {
			m[p] = true
		}
		return m
	}
	good := func(pixels ...int) []uint8 {
		return apply(bad(pixels...), func(b bool) uint8 {
			if b {
				return 0
			}
			return 1
		})
	}
	square := []int{side, side}
	for name, c := range map[string]struct {
		change func(map[string]Array)
		pixels []int
	}{
		"mask":           {set("mask", square, bad(3, 5)), []int{3, 5}},
		"bad_pixels":     {set("bad_pixels", []int{1, side, side, 1}, apply(bad(3), boolAs[int64])), []int{3}},
		"bad_pixel_mask": {set("bad_pixel_mask", square, apply(bad(4), boolAs[float32])), []int{4}},
		"good_pixels":    {set("good_pixels", square, good(6)), []int{6}},
		"valid_pixels":   {set("valid_pixels", square, good(7, 8)), []int{7, 8}},
		"several":        {func(f map[string]Array) { set("mask", square, bad(1))(f); set("good_pixels", square, good(2))(f) }, []int{1, 2}},
		"hides": {func(f map[string]Array) {
			set("mask", square, bad(100))(f)
			poke("diffraction", 100, float32(math.NaN()))(f)
			poke("diffraction", px+100, float32(-5))(f)
			poke("diffraction", 2*px+100, float32(1e30))(f)
		}, []int{100}},
		"with others": {func(f map[string]Array) { set("mask", square, bad(100))(f); spoil(f, px, float32(-1), 99) }, []int{99, 100}},
	} {
		t.Run(name, func(t *testing.T) {
			f := fileOf(d)
			c.change(f)
			requireMasked(t, d, f, LoadOptions{}, c.pixels, "of 256 pixels of a frame are masked")
			for _, note := range requireSameLoad(t, writeArrays(t, f), LoadOptions{}).Notes {
				require.NotContains(t, note, "not used")
			}
		})
	}

	f := fileOf(d)
	set("mask", square, bad())(f)
	require.Nil(t, requireSameLoad(t, writeArrays(t, f), LoadOptions{}).Mask)

	// An option's mask adds to the file's, and shifts with the frames.
	f = tikeOf(d)
	inFile, inOption := bad(0, 17), bad(0, 200)
	set("mask", square, inFile)(f)
	path := writeFile(t, "mask.npy", encoded(t, Array{Shape: square, Data: inOption}))
	got := requireSameLoad(t, writeArrays(t, f), LoadOptions{Mask: path})
	shifted := make([]bool, px)
	fft.Shift(shifted, bad(0, 17, 200), side, side)
	require.Equal(t, shifted, got.Mask)
	require.True(t, got.Mask[8*side+8], "the direct beam")
	require.Zero(t, got.Frame(0)[8*side+8])

	setup, err := LoadSetup(writeArrays(t, f), LoadOptions{})
	require.NoError(t, err)
	require.Nil(t, setup.Mask)
}

func TestMaskErrors(t *testing.T) {
	const n, side, px = 5, 16, 256
	all := slices.Repeat([]bool{true}, px)
	square := []int{side, side}
	text := writeFile(t, "text.npy", []byte("hello"))
	wide := writeFile(t, "wide.npy", encoded(t, Array{Shape: []int{px}, Data: all}))
	missing := filepath.Join(t.TempDir(), "none.npy")
	for name, c := range map[string]struct {
		change    func(map[string]Array)
		option    string
		file, key string // of the problem; "" = the scan
		found     string
	}{
		"of each frame":     {set("mask", []int{n, side, side}, make([]bool, n*px)), "", "", "mask", "a mask for each frame; store one mask for all frames"},
		"frames last":       {set("mask", []int{side, side, n}, make([]bool, n*px)), "", "", "mask", "a mask for each frame"},
		"of another size":   {set("good_pixels", []int{side, 2}, make([]bool, 2*side)), "", "", "good_pixels", "shape [16 2]"},
		"of text":           {set("bad_pixels", square, make([]string, px)), "", "", "bad_pixels", "type string"},
		"nothing left":      {set("mask", square, all), "", "", "diffraction", "all of them are masked"},
		"no option file":    {nil, missing, missing, "", "no such file"},
		"no array":          {nil, text, text, "", "expected"},
		"option's shape":    {nil, wide, wide, "", "shape [256]"},
		"lost in one frame": {func(f map[string]Array) { spoil(f, px, float32(-1), 9); poke("diffraction", 30, float32(-1))(f) }, "", "", "diffraction", "negative values: 1 of 1280, the first in frame 0 at row 1, column 14"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fileOf(measuredScene(n, side, 1e5, true))
			if c.change != nil {
				c.change(f)
			}
			path := writeArrays(t, f)
			_, err := Load(path, LoadOptions{Mask: c.option})
			var ps Problems
			require.ErrorAs(t, err, &ps)
			require.Len(t, ps, 1)
			if c.file == "" {
				c.file = path
			}
			require.Equal(t, []string{c.file, c.key}, []string{ps[0].File, ps[0].Key})
			require.ErrorContains(t, err, c.found)
		})
	}
}

// TestSaturatedInSomeFrames keeps the largest value of a type that is met in some frames only.
func TestSaturatedInSomeFrames(t *testing.T) {
	d := measuredScene(5, 16, 1e4, true)
	f := fileOf(d)
	asType(f, func(x float32) uint16 { return uint16(x) })
	poke("diffraction", 256+136, uint16(math.MaxUint16))(f)
	got := requireSameLoad(t, writeArrays(t, f), LoadOptions{})
	require.Nil(t, got.Mask)
	require.Equal(t, float32(math.MaxUint16), got.Frame(1)[136])
}

func TestMaskSaved(t *testing.T) {
	d := measuredScene(5, 16, 1e5, true)
	d.Mask = make([]bool, 256)
	d.Mask[40] = true
	for i := range 5 {
		d.Frame(i)[40] = 0
	}
	require.Equal(t, d.Mask, d.Select([]int{2}).Mask)
	dir := t.TempDir()
	for _, opt := range []SaveOptions{{}, {Layout: LayoutHWN}, {Domain: DomainAmplitude}} {
		path := filepath.Join(dir, "a.npz")
		require.NoError(t, Save(path, d, opt))
		got := requireSameLoad(t, path, LoadOptions{})
		require.Equal(t, d.Mask, got.Mask)
		require.Equal(t, d.Frames, got.Frames)
		again := filepath.Join(dir, "b.npz")
		require.NoError(t, Save(again, got, opt))
		arrays, err := ReadNPZ(again)
		require.NoError(t, err)
		require.Equal(t, Array{"mask", []int{16, 16}, d.Mask}, arrays["mask"])
	}
	a, err := os.ReadFile(filepath.Join(dir, "a.npz"))
	require.NoError(t, err)
	require.NoError(t, Save(filepath.Join(dir, "c.npz"), d, SaveOptions{Domain: DomainAmplitude}))
	c, err := os.ReadFile(filepath.Join(dir, "c.npz"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(a, c))
	d.Mask = d.Mask[1:]
	require.ErrorContains(t, Save(filepath.Join(dir, "a.npz"), d, SaveOptions{}), "Mask has 255 elements")
}

// TestMaskKeepsTheDomain hides values under a mask that would make counts amplitudes.
func TestMaskKeepsTheDomain(t *testing.T) {
	d := measuredScene(5, 16, 1e5, true)
	mask := make([]bool, 256)
	for p := range 30 {
		mask[p] = true
	}
	for name, change := range map[string]func(f map[string]Array){
		"float32": func(map[string]Array) {},
		"float64": func(f map[string]Array) {
			asType(f, func(x float32) float64 { return float64(x) })
			spoil(f, 256, 1e6+0.1, 7)
		},
	} {
		f := fileOf(d)
		delete(f, "objectGuess")
		for p := range 30 {
			spoil(f, 256, float32(1e6)+0.5, p)
		}
		change(f)
		set("mask", []int{16, 16}, mask)(f)
		got, err := Load(writeArrays(t, f), LoadOptions{})
		require.NoError(t, err, name)
		require.Equal(t, DomainCounts, got.Domain, name)
		require.Equal(t, d.Frame(2)[100], got.Frame(2)[100], name)
		require.Less(t, got.Peak, float32(1e6), name)
	}
}
