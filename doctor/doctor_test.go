package doctor

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

func examined(t testing.TB, path string, opt Options) *Report {
	r, err := Examine(context.Background(), path, opt)
	require.NoError(t, err)
	return r
}

// find returns the findings of a check.
func (r *Report) find(name string) (found []Finding) {
	for _, f := range r.Findings {
		if f.Name == name {
			found = append(found, f)
		}
	}
	return found
}

func write(t testing.TB, arrays ...data.Array) string {
	path := filepath.Join(t.TempDir(), "scan.npz")
	require.NoError(t, data.WriteNPZ(path, arrays...))
	return path
}

// file returns the arrays of a scan as a file may have them.
func file(ds *data.Dataset) (frames, x, y, probe data.Array) {
	n := ds.Len()
	return data.Array{Name: "diffraction", Shape: []int{n, ds.N, ds.N}, Data: slices.Clone([]float32(ds.Frames))},
		data.Array{Name: "xcoords", Shape: []int{n}, Data: slices.Clone(ds.X)},
		data.Array{Name: "ycoords", Shape: []int{n}, Data: slices.Clone(ds.Y)},
		data.Array{Name: "probeGuess", Shape: []int{ds.N, ds.N}, Data: ds.Probe}
}

func TestHealthy(t *testing.T) {
	path := write(t, first4(file(scanWith(t, crooked, 1e6)))...)
	r := examined(t, path, Options{})
	require.False(t, r.Fatal())
	for _, name := range []string{"file", "direct beam", "counts", "photons", "empty frames", "detector", "unit", "probe", "beam centre", "orientation", "twin"} {
		require.Len(t, r.find(name), 1, name)
		require.Equal(t, OK, r.find(name)[0].Severity, "%v", r.find(name))
	}
	r.say("other", Warn, "do it", "%d", 1)
	b, err := json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(b), `"severity":"ok"`)
	var back Report
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, Report{File: r.File, Findings: r.Findings, Orientation: &Orientation{Frames: "as stored"}}, back)
	require.ErrorContains(t, json.Unmarshal([]byte(`{"findings": [{"severity": "bad"}]}`), &back), `severity "bad" is none of ok, note, warn, fatal`)
}

func first4(a, b, c, d data.Array) []data.Array { return []data.Array{a, b, c, d} }

// A scan that is turned, has dead pixels, empty frames and the direct beam in the corner is repaired, and then is healthy.
func TestFix(t *testing.T) {
	ds, err := scanWith(t, crooked, 1e6).Oriented(data.Rot90)
	require.NoError(t, err)
	frames, x, y, probe := file(ds)
	v, dead := frames.Data.([]float32), (side/2+1)*side+side/2-2
	for i := range ds.Len() {
		v[i*side*side+dead] = 0
	}
	clear(v[7*side*side : 8*side*side])
	shifted := make([]float32, len(v))
	for i := range v {
		p := i % (side * side)
		shifted[i-p+(p/side+side/2)%side*side+(p+side/2)%side] = v[i]
	}
	frames.Data = shifted
	path := write(t, frames, x, y, probe)
	r := examined(t, path, Options{})
	require.True(t, r.Fatal())
	require.Equal(t, Warn, r.find("detector")[0].Severity)
	require.Equal(t, Warn, r.find("empty frames")[0].Severity)
	require.Contains(t, r.find("direct beam")[0].Text, "corner")

	_, err = r.Fix(path)
	require.ErrorContains(t, err, "is the scan itself")
	out := filepath.Join(t.TempDir(), "fixed.npz")
	done, err := r.Fix(out)
	require.NoError(t, err)
	require.Len(t, done, 4)
	again := examined(t, out, Options{})
	require.False(t, again.Fatal(), "%v", again.Findings)
	for _, name := range []string{"empty frames", "detector", "orientation"} {
		require.Equal(t, OK, again.find(name)[0].Severity, "%v", again.find(name))
	}
	require.Contains(t, again.find("direct beam")[0].Text, "centre")
	fixed, err := data.Load(out, data.LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, ds.Len()-1, fixed.Len())
	require.Equal(t, slices.Delete(slices.Clone(ds.X), 7, 8), fixed.X)
	require.Contains(t, fixed.Metadata.Notes, "rot270")
}

func TestFixPositions(t *testing.T) {
	ds := turnedScan(t, scanWith(t, crooked, 1e6), data.AsStored, data.Rot90)
	path := write(t, first4(file(ds))...)
	r := examined(t, path, Options{})
	require.Equal(t, data.Rot270, r.positions, "%v", r.find("orientation"))
	out := filepath.Join(t.TempDir(), "fixed.npz")
	_, err := r.Fix(out)
	require.NoError(t, err)
	require.False(t, examined(t, out, Options{}).Fatal())
	// The flags of the remedy do the same, and are found from others.
	const right = "--flip_x --swap_xy"
	require.Contains(t, r.find("orientation")[0].Remedy, "give "+right+" (")
	flagged := data.LoadOptions{FlipX: true, SwapXY: true}
	r = examined(t, path, Options{Load: flagged})
	require.False(t, r.Fatal())
	require.Equal(t, &Orientation{Frames: "as stored", Flags: right}, r.Orientation)
	stored := []string{"positions are stored as " + right + " turned them: load the file without these flags"}
	done, err := r.Fix(out)
	require.NoError(t, err)
	require.Equal(t, stored, done)
	require.False(t, examined(t, out, Options{}).Fatal())

	r = examined(t, path, Options{Load: data.LoadOptions{FlipY: true, SwapXY: true}})
	require.Contains(t, r.find("orientation")[0].Text, "with "+right+":")
	require.Contains(t, r.find("orientation")[0].Remedy, "give "+right+" instead of --flip_y --swap_xy")
	require.Equal(t, right, r.Orientation.Flags)
	done, err = r.Fix(out)
	require.NoError(t, err)
	require.Equal(t, stored, done)

	// Flags that are wrong are given up.
	path = write(t, first4(file(scanWith(t, crooked, 1e6)))...)
	r = examined(t, path, Options{Load: flagged})
	require.Contains(t, r.find("orientation")[0].Text, "without flags:")
	require.Contains(t, r.find("orientation")[0].Remedy, "give none of "+right)
	done, err = r.Fix(out)
	require.NoError(t, err)
	require.Equal(t, []string{"positions are not turned: load the file without " + right}, done)
	require.False(t, examined(t, out, Options{}).Fatal())
}

func TestCombine(t *testing.T) {
	x, y := []float64{1}, []float64{2}
	for a := range data.Orientation(data.Orientations) {
		for b := range data.Orientation(data.Orientations) {
			opt := data.LoadOptions{FlipX: a&data.FlipX != 0, FlipY: a&data.FlipY != 0, SwapXY: a&data.Transpose != 0}
			ax, ay := turnPositions(a, x, y)
			wantX, wantY := turnPositions(b, ax, ay)
			opt.FlipX, opt.FlipY, opt.SwapXY = combine(opt, b)
			gotX, gotY := turnPositions(given(opt), x, y)
			require.Equal(t, [][]float64{wantX, wantY}, [][]float64{gotX, gotY}, "%v then %v", a, b)
		}
	}
}

func TestMismatch(t *testing.T) {
	ds := scanWith(t, crooked, 1e6)
	for name, change := range map[string]func(frames, x, y *data.Array){
		"fewer frames":    func(f, _, _ *data.Array) { *f = first(*f, 0, ds.Len()-3) },
		"fewer positions": func(_, x, y *data.Array) { *x, *y = first(*x, 0, ds.Len()-3), first(*y, 0, ds.Len()-3) },
		"fewer rows":      func(_, _, y *data.Array) { *y = first(*y, 0, ds.Len()-3) },
	} {
		frames, x, y, probe := file(ds)
		change(&frames, &x, &y)
		r := examined(t, write(t, frames, x, y, probe), Options{})
		require.True(t, r.Fatal(), name)
		require.NotEmpty(t, r.find("file")[0].Remedy)
		for _, check := range []string{"photons", "overlap", "probe", "aperture"} {
			require.Len(t, r.find(check), 1, "%s: all else is said: %s", name, check)
		}
		require.Empty(t, r.find("orientation"), "positions may not belong to the frames")
		_, err := r.Fix(filepath.Join(t.TempDir(), "fixed.npz"))
		require.ErrorContains(t, err, "cannot be corrected")
	}
	_, x, y, probe := file(ds)
	r := examined(t, write(t, x, y, probe), Options{})
	require.True(t, r.Fatal())
	require.Len(t, r.find("overlap"), 1, "without frames, the setup is examined")
	junk := filepath.Join(t.TempDir(), "junk.npz")
	require.NoError(t, os.WriteFile(junk, []byte("junk"), 0o600))
	_, err := Examine(context.Background(), junk, Options{})
	require.ErrorContains(t, err, "expected an NPZ file")
	_, err = Examine(context.Background(), junk+".npz", Options{})
	require.ErrorContains(t, err, "expected a readable file")
}

func TestUnit(t *testing.T) {
	ds := scanWith(t, crooked, 1e6)
	for _, tt := range []struct {
		pixel float64
		unit  string
	}{{2e-8, "in m "}, {0.02, "in µm "}, {50, "in nm "}} {
		frames, x, y, probe := file(ds)
		for _, v := range [][]float64{x.Data.([]float64), y.Data.([]float64)} {
			for i := range v {
				v[i] *= tt.pixel
			}
		}
		path := write(t, frames, x, y, probe)
		r := examined(t, path, Options{})
		f := r.find("unit")[0]
		require.Equal(t, Fatal, f.Severity, "%v", r.Findings)
		require.Contains(t, f.Remedy, tt.unit)
		require.Contains(t, f.Remedy, "--coord_scale")
		_, err := r.Fix(filepath.Join(t.TempDir(), "fixed.npz"))
		require.ErrorContains(t, err, "--coord_scale")

		r = examined(t, path, Options{Load: data.LoadOptions{CoordScale: 1 / tt.pixel}})
		require.False(t, r.Fatal())
		out := filepath.Join(t.TempDir(), "fixed.npz")
		done, err := r.Fix(out)
		require.NoError(t, err)
		require.Contains(t, done[0], "load the file without --coord_scale")
		require.False(t, examined(t, out, Options{}).Fatal())
	}
}

func TestBeam(t *testing.T) {
	ds := scanWith(t, crooked, 1e6)
	frames, x, y, probe := file(ds)
	v := frames.Data.([]float32)
	moved := make([]float32, len(v))
	for i := range v { // three columns to the right
		p := i % (side * side)
		moved[i-p+p/side*side+(p+3)%side] = v[i]
	}
	frames.Data = moved
	r := examined(t, write(t, frames, x, y, probe), Options{})
	require.Contains(t, r.find("beam centre")[0].Text, "+3.0")
	require.Contains(t, r.find("beam centre")[0].Remedy, "by 0 rows and -3 columns")

	faint := scanWith(t, crooked, 200)
	require.Equal(t, Note, examined(t, write(t, first4(file(faint))...), Options{}).find("photons")[0].Severity)
}

func TestTwin(t *testing.T) {
	r := &Report{}
	r.checkTwin(&data.Dataset{N: side, Probe: plain})
	r.checkTwin(&data.Dataset{N: side, Probe: crooked})
	require.Equal(t, Note, r.Findings[0].Severity)
	require.Equal(t, OK, r.Findings[1].Severity)
}
