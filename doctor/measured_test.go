package doctor

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

// spoilt returns a scan with photons moved by some columns, and pixels of a frame changed.
func spoilt(ds *data.Dataset, columns int, change func(frame []float32)) []data.Array {
	frames, x, y, probe := file(ds)
	v := frames.Data.([]float32)
	moved := make([]float32, len(v))
	for i := range v {
		p := i % (side * side)
		moved[i-p+p/side*side+(p+columns)%side] = v[i]
	}
	for f := range slices.Chunk(moved, side*side) {
		change(f)
	}
	frames.Data = moved
	return []data.Array{frames, x, y, probe}
}

// Pixels that are bad or masked have no part in what is said of the beam.
func TestBadPixelsDoNotCount(t *testing.T) {
	ds := scanWith(t, crooked, 1e6)
	want := examined(t, write(t, first4(file(ds))...), Options{})
	stop := make([]bool, side*side)
	for p := range stop {
		r, c := p/side-side/2, p%side-side/2
		stop[p] = r*r+c*c < 9
	}
	mask := data.Array{Name: "mask", Shape: []int{side, side}, Data: stop}
	hot := (side/2+6)*side + side/2 + 7
	gap := func(frame []float32) {
		for r := range side {
			frame[r*side+10], frame[r*side+11] = 0, 0
		}
		frame[hot] = 9e6
	}
	none := func([]float32) {}
	for name, tt := range map[string]struct {
		columns int
		arrays  []data.Array
	}{
		"gap and hot pixel": {0, spoilt(ds, 0, gap)},
		"beam stop":         {0, append(spoilt(ds, 0, none), mask)},
		"gap, moved":        {3, spoilt(ds, 3, gap)},
		"beam stop, moved":  {3, append(spoilt(ds, 3, none), mask)},
	} {
		t.Run(name, func(t *testing.T) {
			r := examined(t, write(t, tt.arrays...), Options{})
			if tt.columns == 0 {
				require.Equal(t, OK, r.find("beam centre")[0].Severity, "%v", r.find("beam centre"))
				require.InDelta(t, number(t, want, "probe", `by ([0-9.]+)`), number(t, r, "probe", `by ([0-9.]+)`), 0.02)
				require.InDelta(t, number(t, want, "aperture", `radius of ([0-9.]+)`), number(t, r, "aperture", `radius of ([0-9.]+)`), 1.2)
			} else {
				require.Contains(t, r.find("beam centre")[0].Remedy, "by 0 rows and -3 columns", "%v", r.find("beam centre"))
			}
			require.Less(t, r.peak, 9e6)
			require.Less(t, r.defects.Dose, want.defects.Dose)
			require.Contains(t, r.find("photons")[0].Text, "without masked and bad pixels")
			require.Less(t, number(t, want, "exposure", `by ([0-9.]+) %`)/2, number(t, r, "exposure", `by ([0-9.]+) %`), "not diluted by a steady pixel")
		})
	}
}

func number(t *testing.T, r *Report, check, pattern string) (v float64) {
	text := r.find(check)[0].Text
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	require.Len(t, found, 2, text)
	require.NoError(t, json.Unmarshal([]byte(found[1]), &v))
	return v
}

// A hot pixel does not hide that a frame is empty.
func TestEmptyButForHotPixel(t *testing.T) {
	frame := 0
	arrays := spoilt(scanWith(t, crooked, 1e6), 0, func(f []float32) {
		if frame == 5 {
			clear(f)
		}
		f[100], frame = 5e4, frame+1
	})
	r := examined(t, write(t, arrays...), Options{})
	require.Equal(t, []int{5}, r.defects.Empty)
	require.Contains(t, r.find("empty frames")[0].Text, "1 of 400")
}

func TestFilled(t *testing.T) {
	image := []float64{
		1, 2, 3, 4,
		5, 9, 9, 8,
		1, 9, 9, 2,
		5, 6, 7, 8,
	}
	mean := slices.Clone(image)
	for _, p := range []int{0, 5, 6, 9, 10} {
		mean[p] = unmeasured
	}
	got := filled(image, mean, 4)
	require.InDelta(t, (2.0+5)/2, got[0], 1e-12)
	require.InDelta(t, (2+5+8.0/2+6.0/2)/3, got[5], 1e-12)
	require.Equal(t, 8.0, got[15])
	for p := range mean {
		mean[p] = unmeasured
	}
	require.Equal(t, make([]float64, 16), filled(image, mean, 4))
}
