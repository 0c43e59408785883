package data

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// set replaces an array of a file.
func set(name string, shape []int, v any) func(map[string]Array) {
	return func(f map[string]Array) { f[name] = Array{name, shape, v} }
}

func remove(name string) func(map[string]Array) {
	return func(f map[string]Array) { delete(f, name) }
}

// poke changes one element.
func poke[T any](name string, i int, v T) func(map[string]Array) {
	return func(f map[string]Array) { f[name].Data.([]T)[i] = v }
}

func fill[T any](name string, from, to int, v T) func(map[string]Array) {
	return func(f map[string]Array) {
		for i := from; i < to; i++ {
			f[name].Data.([]T)[i] = v
		}
	}
}

func TestLoadBroken(t *testing.T) {
	const n, side, px = 12, 16, 256
	nan, inf := math.NaN(), math.Inf(1)
	frames := func(shape ...int) func(map[string]Array) {
		return set("diffraction", shape, make([]float32, Array{Shape: shape}.Len()))
	}
	probe := func(shape ...int) func(map[string]Array) {
		return set("probeGuess", shape, make([]complex64, Array{Shape: shape}.Len()))
	}
	metadata := func(v any) func(map[string]Array) { return set(metadataKey, nil, v) }
	for name, c := range map[string]struct {
		change func(map[string]Array)
		opt    LoadOptions
		key    string
		found  string
	}{
		"no frames":            {remove("diffraction"), LoadOptions{}, "diffraction", "only objectGuess"},
		"no x":                 {remove("xcoords"), LoadOptions{}, "xcoords", "only diffraction"},
		"no y":                 {remove("ycoords"), LoadOptions{}, "ycoords", "only diffraction"},
		"no probe":             {remove("probeGuess"), LoadOptions{}, "probeGuess", "only diffraction"},
		"two different frames": {set("diff3d", []int{n, side, side}, make([]float32, n*px)), LoadOptions{}, "diff3d", "a different one"},
		"two shapes of frames": {set("diff3d", []int{n, px}, make([]float32, n*px)), LoadOptions{}, "diff3d", "a different one"},
		"frames of rank 2":     {frames(n, px), LoadOptions{}, "diffraction", "shape [12 256]"},
		"frames of rank 4":     {frames(n, 2, side, side), LoadOptions{}, "diffraction", "shape [12 2 16 16]"},
		"frames not square":    {frames(n, side, 20), LoadOptions{}, "diffraction", "shape [12 16 20]"},
		"one frame too few":    {frames(n-1, side, side), LoadOptions{}, "diffraction", "shape [11 16 16]"},
		"frames in the middle": {frames(side, n, side), LoadOptions{}, "diffraction", "shape [16 12 16]"},
		"layout not as asked":  {frames(n, side, side), LoadOptions{Layout: LayoutHWN}, "diffraction", "shape [12 16 16]"},
		"layout not as told":   {metadata([]string{`{"layout": "hwn"}`}), LoadOptions{}, "diffraction", "shape [12 16 16]"},
		"frames of text":       {set("diffraction", []int{n, 1, 1}, make([]string, n)), LoadOptions{}, "diffraction", "type string"},
		"complex frames":       {set("diffraction", []int{n, side, side}, make([]complex64, n*px)), LoadOptions{}, "diffraction", "type complex64"},
		"NaN in a frame":       {poke("diffraction", 2*px+17, float32(nan)), LoadOptions{}, "diffraction", "1 of 3072, the first in frame 2 at row 1, column 1"},
		"infinity in a frame":  {fill("diffraction", 5, 8, float32(inf)), LoadOptions{}, "diffraction", "3 of 3072, the first in frame 0 at row 0, column 5"},
		"negative counts":      {poke("diffraction", px+2, float32(-1)), LoadOptions{Domain: DomainCounts}, "diffraction", "negative values: 1 of 3072"},
		"no light":             {frames(n, side, side), LoadOptions{}, "diffraction", "12 of 12 frames are empty"},
		"little light":         {fill("diffraction", 0, 2*px, float32(0)), LoadOptions{}, "diffraction", "2 of 12 frames are empty, the first at index 0"},
		"tiny frames":          {frames(n, 4, 4), LoadOptions{}, "diffraction", "N = 4"},
		"odd frames":           {frames(n, 17, 17), LoadOptions{}, "diffraction", "N = 17"},
		"empty frames":         {frames(n, 0, 0), LoadOptions{}, "diffraction", "N = 0"},
		"not the wanted N":     {frames(n, side, side), LoadOptions{N: 64}, "diffraction", "N = 16"},
		"probe of another N":   {probe(side+2, side+2), LoadOptions{}, "probeGuess", "zeros"},
		"lit probe, another N": {set("probeGuess", []int{1, 1}, []complex64{1}), LoadOptions{}, "probeGuess", "side 1"},
		"probe not square":     {probe(side, side+1), LoadOptions{}, "probeGuess", "shape [16 17]"},
		"probe of rank 1":      {probe(px), LoadOptions{}, "probeGuess", "shape [256]"},
		"probe of rank 4":      {probe(2, 3, side, side), LoadOptions{}, "probeGuess", "shape [2 3 16 16]"},
		"no probe modes":       {probe(0, side, side), LoadOptions{}, "probeGuess", "shape [0 16 16]"},
		"dark probe":           {probe(side, side), LoadOptions{}, "probeGuess", "only zeros"},
		"NaN in the probe":     {poke("probeGuess", 9, complex64(complex(nan, 0))), LoadOptions{}, "probeGuess", "1 NaN or infinite, the first at index 9"},
		"probe of text":        {set("probeGuess", nil, []string{"a"}), LoadOptions{}, "probeGuess", "shape []"},
		"object of rank 3":     {set("objectGuess", []int{2, 3, 4}, goldenValues("c8")), LoadOptions{}, "objectGuess", "shape [2 3 4]"},
		"object of rank 1":     {set("objectGuess", []int{24}, goldenValues("c8")), LoadOptions{}, "objectGuess", "shape [24]"},
		"object of text":       {set("objectGuess", []int{1, 1}, []string{"a"}), LoadOptions{}, "objectGuess", "type string"},
		"infinity in object":   {poke("objectGuess", 3, complex64(complex(0, inf))), LoadOptions{}, "objectGuess", "the first at index 3"},
		"y too short":          {set("ycoords", []int{n - 1}, make([]float64, n-1)), LoadOptions{}, "ycoords", "11"},
		"x of rank 2":          {set("xcoords", []int{n / 2, 2}, make([]float64, n)), LoadOptions{}, "xcoords", "shape [6 2]"},
		"x of text":            {set("xcoords", []int{n}, make([]string, n)), LoadOptions{}, "xcoords", "type string"},
		"NaN in x":             {poke("xcoords", 4, nan), LoadOptions{}, "xcoords", "1 NaN or infinite, the first at index 4"},
		"x out of reach":       {poke("xcoords", 4, 1e19), LoadOptions{}, "xcoords", "1e+19 at element 4"},
		"infinity in y":        {poke("ycoords", 0, inf), LoadOptions{}, "ycoords", "the first at index 0"},
		"starts too many":      {set("xcoords_start", []int{n + 1}, make([]float64, n+1)), LoadOptions{}, "xcoords_start", "13"},
		"y start not finite":   {set("ycoords_start", []int{1}, []float64{nan}), LoadOptions{}, "ycoords_start", "NaN"},
		"scan_index too short": {set("scan_index", []int{2}, []int64{0, 0}), LoadOptions{}, "scan_index", "found 2"},
		"scan_index not whole": {set("scan_index", []int{n}, append(make([]float64, n-1), 0.5)), LoadOptions{}, "scan_index", "0.5 at index 11"},
		"probe off the object": {poke("xcoords", 7, 41.0), LoadOptions{}, "xcoords", "1 outside, the first at index 7: x 41"},
		"one place":            {func(f map[string]Array) { fill("xcoords", 0, n, 9.0)(f); fill("ycoords", 0, n, 9.0)(f) }, LoadOptions{}, "xcoords", "12 times the same position"},
		"patch with NaN":       {set("Y", []int{n, side, side}, append(make([]complex64, n*px-1), complex64(complex(nan, 0)))), LoadOptions{}, "Y", "1 NaN"},
		"patches of text":      {set("Y", []int{n, side, side}, make([]string, n*px)), LoadOptions{}, "Y", "type string"},
		"metadata a number":    {metadata([]float64{1}), LoadOptions{}, metadataKey, "type float64"},
		"metadata not JSON":    {metadata([]string{"{"}), LoadOptions{}, metadataKey, "JSON"},
		"metadata of bad type": {metadata([]string{`{"nphotons": "many"}`}), LoadOptions{}, metadataKey, "nphotons"},
		"metadata domain":      {metadata([]string{`{"domain": "volts"}`}), LoadOptions{}, metadataKey, `"volts"`},
		"metadata dc":          {metadata([]string{`{"dc": "left"}`}), LoadOptions{}, metadataKey, `"left"`},
		"metadata dose":        {metadata([]string{`{"dose": -3}`}), LoadOptions{}, metadataKey, "-3"},
		"option domain":        {nil, LoadOptions{Domain: "volts"}, "option domain", `"volts"`},
		"option dc":            {nil, LoadOptions{DC: "center"}, "option dc", `"center"`},
		"option layout":        {nil, LoadOptions{Layout: "chw"}, "option layout", `"chw"`},
		"option nphotons":      {nil, LoadOptions{NPhotons: nan}, "option nphotons", "NaN"},
		"option coord_scale":   {nil, LoadOptions{CoordScale: -1}, "option coord_scale", "-1"},
		"option N":             {nil, LoadOptions{N: -8}, "option N", "-8"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fileOf(measuredScene(n, side, 1e5, true))
			if c.change != nil {
				c.change(f)
			}
			path := writeArrays(t, f)
			_, err := Load(path, c.opt)
			requireProblem(t, err, path, c.key, c.found)
		})
	}
}

func requireProblem(t *testing.T, err error, path, key, found string) {
	t.Helper()
	var ps Problems
	require.ErrorAs(t, err, &ps)
	for _, p := range ps {
		require.Equal(t, path, p.File)
		require.NotEmpty(t, p.Expected)
		require.NotEmpty(t, p.Found)
		require.NotEmpty(t, p.Remedy)
		require.NotContains(t, p.Error(), "\n")
	}
	require.ErrorContains(t, err, key+": expected")
	require.ErrorContains(t, err, found)
}

func TestLoadBrokenTike(t *testing.T) {
	for name, c := range map[string]struct {
		change     func(map[string]Array)
		key, found string
	}{
		"scan of rank 1": {set("scan", []int{12}, make([]float32, 12)), "scan", "shape [12]"},
		"scan of three":  {set("scan", []int{4, 3}, make([]float32, 12)), "scan", "shape [4 3]"},
		"scan of text":   {set("scan", []int{1, 2}, make([]string, 2)), "scan", "type string"},
		"NaN":            {poke("scan", 3, float32(math.NaN())), "scan", "the first at index 3"},
		"no positions":   {set("scan", []int{0, 2}, []float32{}), "scan", "none"},
		"no data":        {remove("data"), "data", "only probe"},
		"no probe":       {remove("probe"), "probe", "only data"},
		"large probe":    {set("probe", []int{32, 32}, append(make([]complex64, 1023), 1)), "probe", "side 32"},
		"two slices":     {set("psi", []int{2, 3, 4}, goldenValues("c8")), "psi", "shape [2 3 4]"},
	} {
		f := tikeOf(measuredScene(6, 16, 1e5, true))
		c.change(f)
		path := writeArrays(t, f)
		_, err := Load(path, LoadOptions{})
		require.Error(t, err, name)
		requireProblem(t, err, path, c.key, c.found)
	}
}

func TestLoadSetupBroken(t *testing.T) {
	d := measuredScene(3, 16, 1e5, true)
	f := fileOf(d)
	set("probeGuess", []int{7, 7}, append(make([]complex64, 48), 1))(f)
	_, err := LoadSetup(writeArrays(t, f), LoadOptions{})
	require.ErrorContains(t, err, "probeGuess: expected an even side between 8 and 1024, found N = 7")
	f = fileOf(d)
	delete(f, "ycoords")
	_, err = LoadSetup(writeArrays(t, f), LoadOptions{N: 32})
	require.ErrorContains(t, err, "ycoords: expected the rows")
	require.ErrorContains(t, err, "probeGuess: expected N = 32")
	f = tikeOf(d)
	set("data", []int{3, 6, 6}, make([]float32, 108))(f)
	_, err = LoadSetup(writeArrays(t, f), LoadOptions{})
	require.ErrorContains(t, err, "data: expected an even side")
}

func TestLoadUnreadable(t *testing.T) {
	whole, err := os.ReadFile(writeArrays(t, fileOf(measuredScene(3, 16, 1e5, true))))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		raw   []byte
		found string
	}{
		"empty":     {nil, "found an empty file"},
		"not a zip": {[]byte("hello"), "found something else"},
		"truncated": {whole[:len(whole)/2], "found a truncated or damaged zip archive"},
		"no arrays": {[]byte("PK\x05\x06" + string(make([]byte, 18))), "only no arrays"},
	} {
		path := writeFile(t, "a.npz", c.raw)
		_, err := Load(path, LoadOptions{})
		require.ErrorContains(t, err, path+": ", name)
		require.ErrorContains(t, err, c.found, name)
	}
	_, err = Load(filepath.Join(t.TempDir(), "none.npz"), LoadOptions{})
	require.ErrorContains(t, err, "no such file")
	// A byte changed within an array is caught by its checksum.
	whole[100] ^= 1
	_, err = Load(writeFile(t, "a.npz", whole), LoadOptions{})
	require.Error(t, err)
}

func TestLoadReportsEverything(t *testing.T) {
	f := fileOf(measuredScene(12, 16, 1e5, true))
	poke("diffraction", 3, float32(-2))(f)
	poke("diffraction", 4, float32(math.NaN()))(f)
	poke("xcoords", 4, math.Inf(-1))(f)
	set("ycoords", []int{5}, make([]float64, 5))(f)
	set("probeGuess", []int{16, 16}, make([]complex64, 256))(f)
	poke("objectGuess", 4, complex64(complex(math.NaN(), 0)))(f)
	set("scan_index", []int{1}, []int64{0})(f)
	path := writeArrays(t, f)
	_, err := Load(path, LoadOptions{N: 64})
	var ps Problems
	require.ErrorAs(t, err, &ps)
	found := map[string]int{}
	for _, p := range ps {
		found[p.Key]++
	}
	require.Equal(t, map[string]int{"diffraction": 3, "xcoords": 1, "ycoords": 1, "probeGuess": 1, "objectGuess": 1, "scan_index": 1}, found)
	var p Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, path, p.File)
}

func TestLoadOverflow(t *testing.T) {
	f := fileOf(measuredScene(3, 16, 1e5, true))
	fill("diffraction", 0, 3*256, float32(3e38))(f)
	set(metadataKey, nil, []string{`{"domain": "amplitude", "amplitude_scale": 1}`})(f)
	_, err := Load(writeArrays(t, f), LoadOptions{})
	require.ErrorContains(t, err, "diffraction: expected values within float32's range")
}
