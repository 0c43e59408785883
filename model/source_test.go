package model_test

import (
	"math"
	"math/cmplx"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/internal/race"
	"ptycho/internal/testutil"
	"ptycho/model"
	"ptycho/physics"
)

// scan returns a dataset of four frames over an object without symmetries.
func scan() *data.Dataset {
	const rows, cols, n = 90, 140, 64
	ds := &data.Dataset{Path: "scan.npz", N: n, X: []float64{50, 60, 55, 71.5}, Y: []float64{40, 45, 38, 52.25}}
	for i := range ds.X {
		ds.Frames = append(ds.Frames, randomSample(uint64(i), 1, n).Frames[0]...)
	}
	ds.Object = &data.Image{Rows: rows, Cols: cols, Pix: make([]complex64, rows*cols)}
	for i := range ds.Object.Pix {
		y, x := float64(i/cols), float64(i%cols)
		ds.Object.Pix[i] = complex64(cmplx.Rect(1+0.01*x, 0.005*y-0.2+0.1*math.Sin(0.3*x)))
	}
	return ds
}

// streamed saves ds and opens it to read its frames when they are needed.
func streamed(t testing.TB, ds *data.Dataset) *data.Dataset {
	saved := *ds
	saved.Probe, saved.Modes = make([]complex64, 64*64), 1
	saved.Probe[0] = 1
	path := filepath.Join(t.TempDir(), "scan.npz")
	require.NoError(t, data.Save(path, &saved, data.SaveOptions{}))
	out, err := data.Load(path, data.LoadOptions{Stream: true})
	require.NoError(t, err)
	t.Cleanup(func() { out.Close() })
	return out
}

func TestSourceReadsFramesFromTheFile(t *testing.T) {
	ds := scan()
	file := streamed(t, ds)
	net := newNetwork(t, pinnConfig(64, 2, 1))
	groups := []data.Group{{0, 1, 2, 3}, {2, 0, 3, 1}}
	s, err := net.NewInferenceSource(file, groups)
	require.NoError(t, err)
	memory, err := net.NewInferenceSource(ds, groups)
	require.NoError(t, err)
	var got, want, other model.Sample
	for g := range groups {
		require.NoError(t, s.Fill(&got, g))
		require.NoError(t, s.Fill(&other, 1-g), "does not touch the first")
		require.NoError(t, memory.Fill(&want, g))
		require.Equal(t, want.Frames, got.Frames)
		require.Equal(t, want.X, got.X)
	}
	if !race.Enabled {
		require.Zero(t, testing.AllocsPerRun(5, func() {
			if err := s.Fill(&got, 0); err != nil {
				panic(err)
			}
		}))
	}
	require.PanicsWithValue(t, "model: the frames to train or evaluate on are not in memory", func() { _, _ = net.NewSource(file, groups) })
	require.NoError(t, file.Close())
	require.ErrorContains(t, s.Fill(&got, 0), "scan.npz: frame 0")
}

func supervised(t testing.TB, gridsize int) *model.Network {
	cfg := pinnConfig(64, gridsize, 1)
	cfg.ModelType = "supervised"
	return newNetwork(t, cfg)
}

func TestSourceFillsFrames(t *testing.T) {
	ds := scan()
	net := newNetwork(t, pinnConfig(64, 2, 1))
	s, err := net.NewSource(ds, []data.Group{{0, 1, 2, 3}, {2, 0, 3, 1}})
	require.NoError(t, err)
	var got model.Sample
	for range 2 { // the sample is used again
		require.NoError(t, s.Fill(&got, 1))
		require.Equal(t, []data.Intensity{ds.Frame(2), ds.Frame(0), ds.Frame(3), ds.Frame(1)}, got.Frames)
		require.Equal(t, []float64{55, 50, 71.5, 60}, got.X)
		require.Equal(t, []float64{38, 40, 52.25, 45}, got.Y)
		require.InEpsilon(t, physics.PoissonFloor(ds.Frames), got.Floor, 1e-9)
		require.Nil(t, got.Amplitude)
	}
	inference, err := net.NewInferenceSource(ds, s.Groups)
	require.NoError(t, err)
	require.NoError(t, inference.Fill(&got, 0))
	require.Equal(t, ds.X, got.X)
	require.Zero(t, got.Floor)
}

// The label of a frame is the object under it: pixel (r, c) is object row Y−N/2+r, column X−N/2+c.
func TestLabelsLieUnderTheirFrames(t *testing.T) {
	ds := scan()
	net := supervised(t, 2)
	s, err := net.NewSource(ds, []data.Group{{1, 0, 3, 2}})
	require.NoError(t, err)
	var got model.Sample
	require.NoError(t, s.Fill(&got, 0))
	amplitude, phase := testutil.NCHW(got.Amplitude, 1, 64, 64, 4), testutil.NCHW(got.Phase, 1, 64, 64, 4)
	scale := float64(amplitude[0]) / cmplx.Abs(complex128(ds.Object.Pix[13*140+28]))
	for k, f := range []int{1, 0, 2, 3} {
		if f >= 2 {
			continue // not at whole pixels
		}
		for _, at := range [][2]int{{0, 0}, {10, 50}, {63, 5}, {40, 33}} {
			o := complex128(ds.Object.Pix[(int(ds.Y[f])-32+at[0])*140+int(ds.X[f])-32+at[1]])
			require.InEpsilon(t, scale*cmplx.Abs(o), amplitude[k*4096+at[0]*64+at[1]], 1e-5)
			require.InDelta(t, cmplx.Phase(o), phase[k*4096+at[0]*64+at[1]], 1e-5)
		}
	}
	for i, v := range amplitude[:4096] {
		r, c := 45-32+i/64, 60-32+i%64
		require.InDelta(t, scale*cmplx.Abs(complex128(ds.Object.Pix[r*140+c])), v, 1e-4)
	}
}

// In the network's unit the exit waves have the mean energy (N/2)².
func TestLabelScale(t *testing.T) {
	ds := scan()
	net := supervised(t, 1)
	s, err := net.NewSource(ds, []data.Group{{0}, {1}, {2}, {3}})
	require.NoError(t, err)
	energy := 0.0
	for g := range s.Groups {
		var sample model.Sample
		require.NoError(t, s.Fill(&sample, g))
		for i, a := range sample.Amplitude {
			re, im := float64(net.Probe()[i]), float64(net.Probe()[4096+i])
			energy += float64(a) * float64(a) * (re*re + im*im) / 4
		}
	}
	require.InEpsilon(t, 32*32, energy, 1e-5)
}

// Patches in the file are used in place of the object.
func TestLabelsFromPatches(t *testing.T) {
	ds := scan()
	net := supervised(t, 1)
	s, err := net.NewSource(ds, []data.Group{{3}})
	require.NoError(t, err)
	var want, got model.Sample
	require.NoError(t, s.Fill(&want, 0))
	re, im := make([]float32, 4096), make([]float32, 4096)
	for f := range ds.X {
		physics.GatherComplex(re, im, 64, ds.Object.Pix, 90, 140, ds.Y[f]-32, ds.X[f]-32)
		for i := range re {
			ds.Patches = append(ds.Patches, complex(re[i], im[i]))
		}
	}
	ds.Object = nil
	s, err = net.NewSource(ds, []data.Group{{3}})
	require.NoError(t, err)
	require.NoError(t, s.Fill(&got, 0))
	require.Equal(t, want.Amplitude, got.Amplitude)
	require.Equal(t, want.Phase, got.Phase)
}

// One patch for a whole group lies around the mean position of its frames, as in the forward model.
func TestLabelOfASmallObject(t *testing.T) {
	ds := scan()
	ds.X, ds.Y = []float64{50, 60, 54, 64}, []float64{40, 45, 38, 49} // mean 57, 43
	cfg := pinnConfig(64, 2, 1)
	cfg.ModelType, cfg.ObjectBig = "supervised", false
	net := newNetwork(t, cfg)
	s, err := net.NewSource(ds, []data.Group{{1, 0, 3, 2}})
	require.NoError(t, err)
	var got model.Sample
	require.NoError(t, s.Fill(&got, 0))
	require.Len(t, got.Amplitude, 64*64)
	for _, at := range [][2]int{{0, 0}, {10, 50}, {63, 5}} {
		o := complex128(ds.Object.Pix[(43-32+at[0])*140+57-32+at[1]])
		require.InDelta(t, cmplx.Phase(o), got.Phase[at[0]*64+at[1]], 1e-5)
	}
	ds.Patches, ds.Object = make([]complex64, 4*64*64), nil
	_, err = net.NewSource(ds, s.Groups)
	require.ErrorContains(t, err, "scan.npz: key objectGuess")
}

func TestSourceErrors(t *testing.T) {
	ds := scan()
	ds.Object = nil
	_, err := supervised(t, 1).NewSource(ds, []data.Group{{0}})
	require.ErrorContains(t, err, "scan.npz: key objectGuess or Y")
	cfg := pinnConfig(64, 1, 1)
	cfg.Loss.Realspace, cfg.Loss.RealspaceMAE = 1, 1
	_, err = newNetwork(t, cfg).NewSource(ds, []data.Group{{0}})
	require.ErrorContains(t, err, "the true object")

	other := newNetwork(t, pinnConfig(128, 1, 1))
	for _, f := range []func(*data.Dataset, []data.Group) (*model.Source, error){other.NewSource, other.NewInferenceSource} {
		_, err = f(ds, []data.Group{{0}})
		require.ErrorContains(t, err, "expected frames of 128×128 pixels")
		require.ErrorContains(t, err, "found 64×64")
	}
}

// Every patch of a group fits its canvas, and single frames need no more than their own side.
func TestSourceCanvas(t *testing.T) {
	ds := scan() // of which frame 3 lies 12.375 pixels from the middle of all four
	for want, groups := range map[int][]data.Group{64: {{0}, {3}}, 64 + 2*13 + 2: {{0, 1, 2, 3}}} {
		s := &model.Source{Data: ds, Groups: groups}
		require.Equal(t, want, s.Canvas())
	}
	require.Equal(t, 64, (&model.Source{Data: ds}).Canvas())
}
