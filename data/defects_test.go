package data_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/simulate"
)

func simulated(t *testing.T, opt simulate.Options) *data.Dataset {
	t.Helper()
	d, err := simulate.Run(context.Background(), opt)
	require.NoError(t, err)
	return d
}

func requireNoDefects(t *testing.T, d *data.Dataset, what string) *data.Defects {
	t.Helper()
	f, err := d.Defects()
	require.NoError(t, err)
	require.Empty(t, f.Dead, what)
	require.Empty(t, f.Gaps, what)
	require.Empty(t, f.Hot, what)
	require.Empty(t, f.Saturated, what)
	require.Zero(t, f.Ceiling, what)
	require.Nil(t, f.Mask(), what)
	require.InEpsilon(t, d.Dose, f.Dose, 1e-6, what)
	return f
}

func TestNoFalseDefects(t *testing.T) {
	for _, object := range simulate.Objects() {
		for _, photons := range []float64{1e2, 1e4, 1e6, 1e9} {
			for _, frames := range []int{1, 20, 150} {
				for _, noise := range []bool{false, true} {
					opt := simulate.Options{N: 32, Object: object, Frames: frames, NPhotons: photons, Noise: noise, Seed: uint64(frames)}
					requireNoDefects(t, simulated(t, opt), fmt.Sprint(object, photons, frames, noise))
				}
			}
		}
	}
}

func TestNoFalseDefectsInRealData(t *testing.T) {
	path := filepath.Join("..", "..", "shared", "data", "siemens-star-small.npz.bz2")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here: %v", path, err)
	}
	d, err := data.Load(path, data.LoadOptions{Stream: true})
	require.NoError(t, err)
	defer d.Close()
	f := requireNoDefects(t, d, path)
	require.InDelta(t, 0.0212, f.DoseSpread, 1e-4)
	require.Empty(t, f.Empty)
}

// plant returns pixels [r0, r1) × [c0, c1) of an N×N frame.
func plant(n, r0, r1, c0, c1 int) (pixels []int) {
	for r := r0; r < r1; r++ {
		for c := c0; c < c1; c++ {
			pixels = append(pixels, r*n+c)
		}
	}
	return pixels
}

func TestPlantedDefects(t *testing.T) {
	const n, frames = 64, 120
	set := func(pixels []int, v float32) func(*data.Dataset) {
		return func(d *data.Dataset) {
			for i := range d.Len() {
				for _, p := range pixels {
					d.Frame(i)[p] = v
				}
			}
		}
	}
	cross := append(plant(n, 20, 23, 0, n), plant(n, 0, n, 40, 41)...)
	slices.Sort(cross)
	cross = slices.Compact(cross)
	hot := []int{5*n + 5, 5*n + 6, 50*n + 12, 60*n + 60}
	for name, c := range map[string]struct {
		photons        float64 // 0 = 1e6
		change         func(*data.Dataset)
		dead, hot      []int
		gaps           []data.Gap
		ceiling        float32
		saturatedAbove float32 // in the frames as simulated; 0 = none
	}{
		"dead pixels": {change: set([]int{30*n + 33, 32*n + 32, 36*n + 28}, 0), dead: []int{30*n + 33, 32*n + 32, 36*n + 28}},
		"dead block":  {change: set(plant(n, 25, 28, 33, 38), 0), dead: plant(n, 25, 28, 33, 38), gaps: []data.Gap{{25, 33, 3, 5}}},
		"cross":       {change: set(cross, 0), dead: cross, gaps: []data.Gap{{20, 0, 3, n}, {0, 40, n, 1}}},
		"edge":        {change: set(plant(n, 0, n, 0, 26), 0), dead: plant(n, 0, n, 0, 26), gaps: []data.Gap{{0, 0, n, 26}}},
		"far edge":    {change: set(plant(n, 36, n, 0, n), 0), dead: plant(n, 36, n, 0, n), gaps: []data.Gap{{36, 0, 28, n}}},
		"hot pixels":  {change: set(hot, 5e4), hot: hot},
		"warm pixel": {change: func(d *data.Dataset) {
			for i := range d.Len() {
				d.Frame(i)[9*n+50] += float32(40 + i*7919%13)
			}
		}, hot: []int{9*n + 50}},
		"hot near the beam": {change: set([]int{32*n + 37}, 9e5), hot: []int{32*n + 37}},
		"saturation":        {ceiling: 3000, saturatedAbove: 3000},
		"12 bits":           {ceiling: 4095, saturatedAbove: 4095},
		"hot and saturated": {change: set(hot, 5e4), hot: hot, ceiling: 3000, saturatedAbove: 3000},
		"bright spot by the beam": {change: func(d *data.Dataset) {
			for i := range d.Len() {
				d.Frame(i)[32*n+37] = 9e5 + 1200*float32(i%3-1) // varies as photons do
			}
		}},
		"no ceiling": {change: func(d *data.Dataset) {
			for i, v := range d.Frames {
				if v >= 3000 {
					d.Frames[i] = 3000 - float32(i%50)
				}
			}
		}},
		"dim cross": {photons: 3e3, change: set(cross, 0), dead: cross, gaps: []data.Gap{{20, 0, 3, n}, {0, 40, n, 1}}},
		"one bright frame": {change: func(d *data.Dataset) {
			d.Frame(3)[10*n+10] = 1e4 // a cosmic ray is no hot pixel
		}},
	} {
		t.Run(name, func(t *testing.T) {
			photons := cmp.Or(c.photons, 1e6)
			d := simulated(t, simulate.Options{N: n, Object: simulate.DeadLeaves, Frames: frames, NPhotons: photons, Noise: true})
			var saturated []int
			if c.saturatedAbove > 0 {
				over := make([]bool, n*n)
				for i, v := range d.Frames {
					if v >= c.saturatedAbove {
						d.Frames[i], over[i%len(over)] = c.saturatedAbove, true
					}
				}
				for p, x := range over {
					if x {
						saturated = append(saturated, p)
					}
				}
				require.NotEmpty(t, saturated)
			}
			if c.change != nil {
				c.change(d)
			}
			f, err := d.Defects()
			require.NoError(t, err)
			require.Equal(t, c.dead, f.Dead)
			require.Equal(t, c.gaps, f.Gaps)
			require.Equal(t, c.hot, f.Hot)
			require.Equal(t, c.ceiling, f.Ceiling)
			require.Equal(t, saturated, f.Saturated)
			if len(c.dead)+len(c.hot)+len(saturated) == 0 {
				require.Nil(t, f.Mask())
				return
			}
			// Once masked, nothing is left to find.
			d.Mask = f.Mask()
			for _, p := range slices.Concat(c.dead, c.hot, saturated) {
				require.True(t, d.Mask[p])
				for i := range d.Len() {
					d.Frame(i)[p] = 0
				}
			}
			f, err = d.Defects()
			require.NoError(t, err)
			require.Nil(t, f.Mask())
		})
	}
}

func TestDefectsBeam(t *testing.T) {
	d := simulated(t, simulate.Options{N: 32, Frames: 4, NPhotons: 1e4})
	for i, dose := range []float32{1, 3, 0, 0} {
		clear(d.Frame(i))
		d.Frame(i)[7] = dose
		d.Frame(i)[9] = -1 // not measured
	}
	f, err := d.Defects()
	require.NoError(t, err)
	require.Equal(t, 1.0, f.Dose)
	require.InDelta(t, 1.224744871, f.DoseSpread, 1e-9)
	require.Equal(t, []int{2, 3}, f.Empty)
	require.Equal(t, 1.0, f.Mean[7])
	require.Zero(t, f.Mean[9])

	d.Frames = nil
	d.X, d.Y = nil, nil
	f, err = d.Defects()
	require.NoError(t, err)
	require.Zero(t, f.Dose)
	require.Nil(t, f.Mask())
}
