package data

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// scene returns a small consistent scan without frames: a curved probe that moves over a structured object,
// not square, which the frames do not leave.
func scene(n, side int) *Dataset {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	rows, cols := 2*side+3, 2*side+9
	d := &Dataset{N: side, Modes: 1, Probe: make([]complex64, side*side), Object: &Image{rows, cols, make([]complex64, rows*cols)}}
	for i := range d.Probe {
		r, c := float64(i/side-side/2), float64(i%side-side/2)
		rr := (r*r + c*c) / float64(side*side)
		d.Probe[i] = complex64(cmplx.Rect(math.Exp(-12*rr), 9*rr+r/float64(side)))
	}
	for i := range d.Object.Pix {
		r, c := float64(i/cols), float64(i%cols)
		d.Object.Pix[i] = complex64(cmplx.Rect(0.8+0.2*math.Sin(r*c/50), 0.7*math.Cos(r/3)+0.4*rng.Float64()))
	}
	for range n {
		d.X = append(d.X, float64(side/2+rng.IntN(cols-side+1)))
		d.Y = append(d.Y, float64(side/2+rng.IntN(rows-side+1)))
	}
	return d
}

// measuredScene returns a scene whose frames hold dose photons on average, rounded to whole ones if asked.
func measuredScene(n, side int, dose float64, whole bool) *Dataset {
	d := scene(n, side)
	var energy float64
	frames := make([][]float64, n)
	for j := range frames {
		frames[j] = farField(d, j)
		for _, v := range frames[j] {
			energy += v
		}
	}
	for _, f := range frames {
		for _, v := range f {
			v *= dose * float64(n) / energy
			if whole {
				v = math.Round(v)
			}
			d.Frames = append(d.Frames, float32(v))
		}
	}
	d.Dose = d.Frames.Sum() / float64(n)
	d.DoseFrom = DoseMeasured
	return d
}

// fileOf returns the arrays of a PtychoPINN file with counts.
func fileOf(d *Dataset) map[string]Array {
	n, side := d.Len(), d.N
	f := map[string]Array{}
	put := func(name string, shape []int, v any) { f[name] = Array{name, shape, v} }
	put("diffraction", []int{n, side, side}, []float32(slices.Clone(d.Frames)))
	put("probeGuess", []int{side, side}, slices.Clone(d.Probe))
	put("objectGuess", []int{d.Object.Rows, d.Object.Cols}, slices.Clone(d.Object.Pix))
	put("xcoords", []int{n}, slices.Clone(d.X))
	put("ycoords", []int{n}, slices.Clone(d.Y))
	return f
}

// tikeOf returns the arrays of a tike file with counts.
func tikeOf(d *Dataset) map[string]Array {
	n, side := d.Len(), d.N
	frames := []float32(slices.Clone(d.Frames))
	for j := range n {
		toCorner(frames[j*side*side:(j+1)*side*side], side)
	}
	var scan []float32
	for j := range n {
		scan = append(scan, float32(d.Y[j])-float32(side/2), float32(d.X[j])-float32(side/2))
	}
	return map[string]Array{
		"data":  {"data", []int{1, n, side, side}, frames},
		"scan":  {"scan", []int{1, n, 2}, scan},
		"probe": {"probe", []int{1, 1, 1, 1, side, side}, slices.Clone(d.Probe)},
		"psi":   {"psi", []int{1, d.Object.Rows, d.Object.Cols}, slices.Clone(d.Object.Pix)},
	}
}

func writeArrays(t testing.TB, f map[string]Array) string {
	t.Helper()
	var arrays []Array
	for _, a := range f {
		arrays = append(arrays, a)
	}
	slices.SortFunc(arrays, func(a, b Array) int { return strings.Compare(a.Name, b.Name) })
	path := filepath.Join(t.TempDir(), "scan.npz")
	require.NoError(t, WriteNPZ(path, arrays...))
	return path
}

// shared returns the path of a file of real data, or skips the test.
func shared(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here: %v", name, err)
	}
	return path
}

func requireNote(t *testing.T, d *Dataset, part string) {
	t.Helper()
	require.Contains(t, strings.Join(d.Notes, "\n"), part)
}

func TestLoadStandard(t *testing.T) {
	want := measuredScene(5, 16, 1e5, true)
	f := fileOf(want)
	f["xcoords_start"] = Array{"xcoords_start", []int{5}, []float64{1, 2, 3, 4, 5}}
	f["ycoords_start"] = Array{"ycoords_start", []int{5, 1}, []float32{5, 4, 3, 2, 1}}
	f["scan_index"] = Array{"scan_index", []int{5}, []int32{0, 0, 1, 1, 1}}
	f["norm_Y_I"] = Array{Name: "norm_Y_I", Data: []float64{1}}
	patches := make([]complex128, 5*16*16)
	patches[7] = 2i
	f["Y"] = Array{"Y", []int{5, 16, 16, 1}, patches}
	got, err := Load(writeArrays(t, f), LoadOptions{N: 16})
	require.NoError(t, err)
	require.Equal(t, want.Frames, got.Frames)
	require.Equal(t, want.Probe, got.Probe)
	require.Equal(t, want.Object, got.Object)
	require.Equal(t, want.X, got.X)
	require.Equal(t, want.Y, got.Y)
	require.Equal(t, []float64{1, 2, 3, 4, 5}, got.XStart)
	require.Equal(t, []float64{5, 4, 3, 2, 1}, got.YStart)
	require.Equal(t, []int64{0, 0, 1, 1, 1}, got.ScanIndex)
	require.Equal(t, complex64(2i), got.Patches[7])
	require.Equal(t, 1, got.Modes)
	require.Equal(t, DomainCounts, got.Domain)
	require.Equal(t, DoseMeasured, got.DoseFrom)
	require.InEpsilon(t, 1e5, got.Dose, 0.01)
	requireNote(t, got, "not used: norm_Y_I")
}

func TestLoadLayouts(t *testing.T) {
	d := measuredScene(5, 16, 1e5, true)
	last := framesLast([]float32(d.Frames), 5, 16)
	for name, c := range map[string]struct {
		shape []int
		data  any
		opt   LoadOptions
	}{
		"nhw":           {[]int{5, 16, 16}, []float32(d.Frames), LoadOptions{Layout: LayoutNHW}},
		"nhw1":          {[]int{5, 16, 16, 1}, []float32(d.Frames), LoadOptions{}},
		"1nhw":          {[]int{1, 5, 16, 16}, []float32(d.Frames), LoadOptions{}},
		"hwn":           {[]int{16, 16, 5}, last, LoadOptions{}},
		"hwn asked":     {[]int{16, 16, 5}, last, LoadOptions{Layout: LayoutHWN}},
		"hwn1 float64":  {[]int{16, 16, 5, 1}, apply(last, func(v float32) float64 { return float64(v) }), LoadOptions{}},
		"integer dtype": {[]int{5, 16, 16}, apply(d.Frames, func(v float32) uint16 { return uint16(v) }), LoadOptions{}},
	} {
		f := fileOf(d)
		delete(f, "diffraction")
		f["diff3d"] = Array{"diff3d", c.shape, c.data}
		got, err := Load(writeArrays(t, f), c.opt)
		require.NoError(t, err, name)
		require.Equal(t, d.Frames, got.Frames, name)
	}
}

func TestLoadAmbiguousLayout(t *testing.T) {
	d := measuredScene(16, 16, 1e5, true)
	got, err := Load(writeArrays(t, fileOf(d)), LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, d.Frames, got.Frames)
	requireNote(t, got, "taken as (n, N, N)")

	f := fileOf(d)
	f["diffraction"] = Array{"diffraction", []int{16, 16, 16}, framesLast([]float32(d.Frames), 16, 16)}
	got, err = Load(writeArrays(t, f), LoadOptions{Layout: LayoutHWN})
	require.NoError(t, err)
	require.Equal(t, d.Frames, got.Frames)
}

func TestLoadSingleFrame(t *testing.T) {
	d := measuredScene(1, 16, 1e5, true)
	for _, shape := range [][]int{{1, 16, 16}, {16, 16, 1}, {1, 16, 16, 1}, {1, 1, 16, 16}} {
		f := fileOf(d)
		f["diffraction"] = Array{"diffraction", shape, []float32(d.Frames)}
		got, err := Load(writeArrays(t, f), LoadOptions{})
		require.NoError(t, err, "%v", shape)
		require.Equal(t, d.Frames, got.Frames, "%v", shape)
	}
}

func TestLoadProbeShapes(t *testing.T) {
	d := measuredScene(3, 16, 1e5, true)
	two := append(slices.Clone(d.Probe), d.Probe...)
	for _, c := range []struct {
		shape []int
		data  []complex64
		modes int
	}{{[]int{16, 16, 1}, d.Probe, 1}, {[]int{1, 16, 16}, d.Probe, 1}, {[]int{2, 16, 16}, two, 2}, {[]int{1, 1, 2, 16, 16}, two, 2}} {
		f := fileOf(d)
		f["probeGuess"] = Array{"probeGuess", c.shape, c.data}
		got, err := Load(writeArrays(t, f), LoadOptions{})
		require.NoError(t, err, "%v", c.shape)
		require.Equal(t, c.modes, got.Modes)
		require.Equal(t, c.data, got.Probe)
	}
}

func TestLoadTike(t *testing.T) {
	want := measuredScene(6, 16, 1e5, true)
	f := tikeOf(want)
	flat := tikeOf(want)
	flat["data"] = Array{"data", []int{6, 16, 16}, flat["data"].Data}
	flat["scan"] = Array{"scan", []int{6, 2}, flat["scan"].Data}
	flat["probe"] = Array{"probe", []int{16, 16}, flat["probe"].Data}
	for name, f := range map[string]map[string]Array{"with unit axes": f, "without": flat} {
		got, err := Load(writeArrays(t, f), LoadOptions{})
		require.NoError(t, err, name)
		require.Equal(t, want.X, got.X, name)
		require.Equal(t, want.Y, got.Y, name)
		require.Equal(t, want.Frames, got.Frames, name)
		require.Equal(t, want.Object, got.Object, name)
		require.Equal(t, "psi", got.ObjectKey, name)
		requireNote(t, got, "shifted by N/2")
	}
}

func TestLoadTransforms(t *testing.T) {
	d := measuredScene(3, 16, 1e5, true)
	f := fileOf(d)
	delete(f, "objectGuess")
	f["xcoords_start"] = Array{"xcoords_start", []int{3}, []float64{1, 2, 3}}
	f["ycoords_start"] = Array{"ycoords_start", []int{3}, []float64{4, 5, 6}}
	got, err := Load(writeArrays(t, f), LoadOptions{FlipX: true, SwapXY: true, CoordScale: 2})
	require.NoError(t, err)
	for j := range 3 {
		require.Equal(t, 2*d.Y[j], got.X[j])
		require.Equal(t, -2*d.X[j], got.Y[j])
	}
	require.Equal(t, []float64{8, 10, 12}, got.XStart)
	require.Equal(t, []float64{-2, -4, -6}, got.YStart)
	requireNote(t, got, "positions changed as asked")
	got, err = Load(writeArrays(t, f), LoadOptions{FlipY: true})
	require.NoError(t, err)
	require.Equal(t, d.X, got.X)
	require.Equal(t, -d.Y[1], got.Y[1])
}

// The object belongs to the positions of the file: it is the truth no more once they are mirrored, or once
// scaling moves them off it.
func TestLoadTransformsWithAnObject(t *testing.T) {
	d := measuredScene(12, 16, 1e5, true)
	path := writeArrays(t, fileOf(d))
	for name, tt := range map[string]struct {
		opt  LoadOptions
		note string
	}{
		"none":       {LoadOptions{CoordScale: 1}, ""},
		"flip x":     {LoadOptions{FlipX: true}, "objectGuess is not used: it belongs to the positions before they were flipped"},
		"flip y":     {LoadOptions{FlipY: true}, "objectGuess is not used"},
		"swap":       {LoadOptions{SwapXY: true}, "objectGuess is not used"},
		"scale":      {LoadOptions{CoordScale: 0.9}, ""},
		"off it":     {LoadOptions{CoordScale: 10}, "of the scaled positions lie outside of it"},
		"everything": {LoadOptions{FlipX: true, FlipY: true, SwapXY: true, CoordScale: 10}, "objectGuess is not used"},
	} {
		got, err := Load(path, tt.opt)
		require.NoError(t, err, name)
		require.Equal(t, d.Frames, got.Frames, name)
		if tt.note == "" {
			require.Equal(t, d.Object, got.Object, name)
			continue
		}
		require.Nil(t, got.Object, name)
		requireNote(t, got, tt.note)
		for _, n := range got.Notes {
			require.NotContains(t, n, "not used: objectGuess", name)
		}
	}
	got, err := LoadSetup(path, LoadOptions{FlipX: true})
	require.NoError(t, err)
	require.Nil(t, got.Object)

	f := fileOf(d)
	delete(f, "objectGuess")
	got, err = Load(writeArrays(t, f), LoadOptions{FlipX: true})
	require.NoError(t, err)
	require.NotContains(t, strings.Join(got.Notes, " "), "objectGuess", "there is no object to leave out")
}

func TestLoadNotes(t *testing.T) {
	d := measuredScene(12, 16, 1e5, true)
	f := fileOf(d)
	f["diff3d"] = f["diffraction"]
	a := f["diff3d"]
	a.Name = "diff3d"
	f["diff3d"] = a
	d.X[0], d.Y[0] = d.X[1], d.Y[1]
	f["xcoords"], f["ycoords"] = Array{"xcoords", []int{12}, d.X}, Array{"ycoords", []int{12}, d.Y}
	d.X[2] = 3
	clear(f["diffraction"].Data.([]float32)[:16*16])
	f["Y"] = Array{"Y", []int{12}, make([]float32, 12)}
	f["xcoords_start"] = Array{"xcoords_start", []int{12}, d.X}
	got, err := Load(writeArrays(t, f), LoadOptions{})
	require.NoError(t, err)
	for _, note := range []string{
		"1 of 12 positions repeat", "1 of 12 frames reach beyond", "1 of 12 frames are empty, the first at index 0",
		"Y of shape [12] is not a patch", "only one of xcoords_start",
	} {
		requireNote(t, got, note)
	}
	require.Nil(t, got.Patches)
	require.Nil(t, got.XStart)
}

func TestLoadSetup(t *testing.T) {
	d := measuredScene(4, 16, 1e5, true)
	got, err := LoadSetup(writeArrays(t, fileOf(d)), LoadOptions{})
	require.NoError(t, err)
	require.Nil(t, got.Frames)
	require.Zero(t, got.Dose)
	require.Equal(t, 16, got.N)
	require.Equal(t, d.X, got.X)
	require.Equal(t, d.Object, got.Object)

	f := fileOf(d)
	for _, key := range []string{"diffraction", "xcoords", "ycoords", "objectGuess"} {
		delete(f, key)
	}
	got, err = LoadSetup(writeArrays(t, f), LoadOptions{})
	require.NoError(t, err)
	require.Zero(t, got.Len())
	require.Nil(t, got.Object)
	require.Equal(t, d.Probe, got.Probe)

	f = tikeOf(d)
	delete(f, "data")
	got, err = LoadSetup(writeArrays(t, f), LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, d.X, got.X)
	require.Equal(t, 16, got.N)
}

func TestRealSiemensStar(t *testing.T) {
	d, err := Load(shared(t, "siemens-star-small.npz.bz2"), LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, []int{516, 128, 1}, []int{d.Len(), d.N, d.Modes})
	require.Equal(t, []string{DomainCounts, DoseMeasured}, []string{d.Domain, d.DoseFrom})
	require.InDelta(t, 461212.9, d.Dose, 1)
	s := newSurvey(Header{}, frameAxes{n: d.Len(), side: d.N}, nil, 0)
	s.add(block{values: []float32(d.Frames)}, d.Frames)
	require.Greater(t, s.light[centre], 20*s.light[corner])
	require.InDelta(t, 64-164, slices.Min(d.Y), 1)

	_, err = Load(d.Path, LoadOptions{DC: DCCentre, Domain: DomainAmplitude})
	require.ErrorContains(t, err, "declare dc corner")
	require.ErrorContains(t, err, "whole numbers up to 963")
}

func TestRealSetup(t *testing.T) {
	path := shared(t, "run1084.npz")
	d, err := LoadSetup(path, LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, []int{1087, 64, 227, 226}, []int{d.Len(), d.N, d.Object.Rows, d.Object.Cols})
	require.Nil(t, d.Frames)
	require.InDelta(t, 68.85736650749537, slices.Min(d.X), 1e-9)
	_, err = Load(path, LoadOptions{})
	require.ErrorContains(t, err, "diffraction: expected the frames")
}

// directDFT returns |Σ ψ exp(-2πi(ur+vc)/n)|²/n² with u = v = 0 at [n/2, n/2], by definition.
func directDFT(psi []complex128, n int) []float64 {
	phase := make([]complex128, n)
	for k := range phase {
		phase[k] = cmplx.Rect(1, -2*math.Pi*float64(k)/float64(n))
	}
	rows := make([]complex128, n*n)
	for r := range n {
		for v := range n {
			for c := range n {
				rows[r*n+v] += psi[r*n+c] * phase[(v+n/2)*c%n]
			}
		}
	}
	dst := make([]float64, n*n)
	for u := range n {
		for v := range n {
			var z complex128
			for r := range n {
				z += rows[r*n+v] * phase[(u+n/2)*r%n]
			}
			dst[u*n+v] = (real(z)*real(z) + imag(z)*imag(z)) / float64(n*n)
		}
	}
	return dst
}

// misfit returns the largest difference between the frames of d and the direct transform of probe and object
// at positions shifted by (dx, dy), relative to the brightest pixel.
func misfit(d *Dataset, dx, dy int) float64 {
	var worst, brightest float64
	n := d.N
	for j := range d.Len() {
		sum := make([]float64, n*n)
		for m := range d.Modes {
			psi := make([]complex128, n*n)
			for i := range psi {
				r, c := int(d.Y[j])-n/2+i/n+dy, int(d.X[j])-n/2+i%n+dx
				if r >= 0 && c >= 0 && r < d.Object.Rows && c < d.Object.Cols {
					psi[i] = complex128(d.Probe[m*n*n+i]) * complex128(d.Object.Pix[r*d.Object.Cols+c])
				}
			}
			for i, v := range directDFT(psi, n) {
				sum[i] += v
			}
		}
		for i, v := range sum {
			worst = max(worst, math.Abs(v-float64(d.Frame(j)[i])))
			brightest = max(brightest, v)
		}
	}
	return worst / brightest
}

func TestRealMultimode(t *testing.T) {
	d, err := Load(shared(t, "multimode-forward-golden.npz"), LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, []int{169, 32, 2}, []int{d.Len(), d.N, d.Modes})
	require.Equal(t, []string{DomainCounts, DoseAssumed}, []string{d.Domain, d.DoseFrom})
	require.Less(t, misfit(d, 0, 0), 1e-5)
	require.Greater(t, misfit(d, 1, 0), 1e-2)
	require.Greater(t, misfit(d, 0, -1), 1e-2)
	setup, err := LoadSetup(d.Path, LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, d.X, setup.X)
	require.Equal(t, d.Probe, setup.Probe)
	require.Equal(t, 32, setup.N)
}

func TestFarField(t *testing.T) {
	d := scene(2, 16)
	d.X[1], d.Y[1] = 2, float64(d.Object.Rows)-1
	for j := range 2 {
		d.Frames = append(d.Frames, apply(farField(d, j), func(v float64) float32 { return float32(v) })...)
	}
	require.Less(t, misfit(d, 0, 0), 1e-6)
}
