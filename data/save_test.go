package data

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func fullScene(whole bool) *Dataset {
	d := measuredScene(5, 16, 1e5, whole)
	d.XStart, d.YStart = []float64{1, 2, 3, 4, 5.5}, []float64{5, 4, 3, 2, 1}
	d.ScanIndex = []int64{0, 0, 1, 1, 2}
	d.Patches = make([]complex64, len(d.Frames))
	for i := range d.Patches {
		d.Patches[i] = complex(float32(i), -float32(i)/3)
	}
	d.Probe = append(d.Probe, d.Probe...)
	d.Modes = 2
	seed := uint64(1<<64 - 1)
	d.Metadata = Metadata{Generator: "ptycho test", NPhotons: 1e5, Seed: &seed, Notes: "é"}
	return d
}

func TestSaveLoad(t *testing.T) {
	for name, c := range map[string]struct {
		whole bool
		opt   SaveOptions
		dtype string
		shape []int
		tol   float64 // relative, of the frames
	}{
		"counts":        {true, SaveOptions{}, "<u4", []int{5, 16, 16}, 0},
		"float counts":  {false, SaveOptions{}, "<f4", []int{5, 16, 16}, 0},
		"legacy counts": {true, SaveOptions{Layout: LayoutHWN}, "<f8", []int{16, 16, 5}, 0},
		"amplitude":     {true, SaveOptions{Domain: DomainAmplitude}, "<f4", []int{5, 16, 16}, 0},
		"smooth":        {false, SaveOptions{Domain: DomainAmplitude}, "<f4", []int{5, 16, 16}, 2e-7},
		"legacy":        {false, SaveOptions{Domain: DomainAmplitude, Layout: LayoutHWN}, "<f8", []int{16, 16, 5}, 2e-7},
	} {
		t.Run(name, func(t *testing.T) {
			want := fullScene(c.whole)
			path := filepath.Join(t.TempDir(), "scan.npz")
			require.NoError(t, Save(path, want, c.opt))
			z, err := OpenNPZ(path)
			require.NoError(t, err)
			h, err := z.Header("diffraction")
			require.NoError(t, err)
			require.Equal(t, c.dtype, h.Dtype)
			require.Equal(t, c.shape, h.Shape)
			require.NoError(t, z.Close())

			got, err := Load(path, LoadOptions{})
			require.NoError(t, err)
			for i, v := range want.Frames {
				require.InDelta(t, float64(v), float64(got.Frames[i]), c.tol*float64(v))
			}
			require.Equal(t, DoseMeasured, got.DoseFrom)
			require.InEpsilon(t, want.Dose, got.Dose, 1e-6)
			require.Equal(t, want.Probe, got.Probe)
			require.Equal(t, want.Modes, got.Modes)
			require.Equal(t, want.Object, got.Object)
			require.Equal(t, want.X, got.X)
			require.Equal(t, want.Y, got.Y)
			require.Equal(t, want.XStart, got.XStart)
			require.Equal(t, want.YStart, got.YStart)
			require.Equal(t, want.ScanIndex, got.ScanIndex)
			require.Equal(t, want.Patches, got.Patches)
			require.Equal(t, want.Metadata.Seed, got.Metadata.Seed)
			require.Equal(t, "ptycho test", got.Metadata.Generator)
			require.Equal(t, "é", got.Metadata.Notes)

			first, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, Save(path, want, c.opt))
			second, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, first, second)
		})
	}
}

func TestSaveKeepsDoseFrom(t *testing.T) {
	for _, from := range []string{DoseAssumed, DoseDeclared, DoseMeasured} {
		for _, domain := range []string{DomainCounts, DomainAmplitude} {
			d := fullScene(false)
			d.DoseFrom = from
			path := filepath.Join(t.TempDir(), "scan.npz")
			require.NoError(t, Save(path, d, SaveOptions{Domain: domain}))
			got, err := Load(path, LoadOptions{})
			require.NoError(t, err)
			require.Equal(t, from, got.DoseFrom, domain)
			require.InEpsilon(t, d.Dose, got.Dose, 1e-6)
		}
	}
}

func TestSaveAmbiguousLayout(t *testing.T) {
	want := measuredScene(16, 16, 1e5, true)
	path := filepath.Join(t.TempDir(), "scan.npz")
	require.NoError(t, Save(path, want, SaveOptions{Layout: LayoutHWN}))
	got, err := Load(path, LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, want.Frames, got.Frames)
}

func TestSaveSetup(t *testing.T) {
	want := scene(5, 16)
	path := filepath.Join(t.TempDir(), "setup.npz")
	require.NoError(t, Save(path, want, SaveOptions{}))
	got, err := LoadSetup(path, LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, want.X, got.X)
	require.Equal(t, want.Object, got.Object)
	require.Nil(t, got.Frames)
	_, err = Load(path, LoadOptions{})
	require.ErrorContains(t, err, "diffraction: expected the frames")
}

func TestSaveErrors(t *testing.T) {
	for name, c := range map[string]struct {
		change func(d *Dataset)
		opt    SaveOptions
		text   string
	}{
		"domain":    {nil, SaveOptions{Domain: "volts"}, `domain "volts"`},
		"layout":    {nil, SaveOptions{Layout: "chw"}, `layout "chw"`},
		"frames":    {func(d *Dataset) { d.Frames = d.Frames[1:] }, SaveOptions{}, "Frames has 1279 elements"},
		"positions": {func(d *Dataset) { d.Y = nil }, SaveOptions{}, "Y has 0 elements instead of 5"},
		"modes":     {func(d *Dataset) { d.Modes = 3 }, SaveOptions{}, "Probe has 512"},
		"no probe":  {func(d *Dataset) { d.Modes, d.Probe = 0, nil }, SaveOptions{}, "without a probe"},
		"object":    {func(d *Dataset) { d.Object.Rows++ }, SaveOptions{}, "object of 36×41 pixels"},
	} {
		d := fullScene(true)
		if c.change != nil {
			c.change(d)
		}
		path := filepath.Join(t.TempDir(), "scan.npz")
		err := Save(path, d, c.opt)
		require.ErrorContains(t, err, c.text, name)
		require.ErrorContains(t, err, path, name)
		require.NoFileExists(t, path)
	}
}

func TestUnits(t *testing.T) {
	a := Amplitude{0, 1.5, 65504}
	i := a.Intensity(nil)
	require.Equal(t, Intensity{0, 2.25, 65504 * 65504}, i)
	require.Equal(t, a, i.Amplitude(nil, 1))
	require.Equal(t, Amplitude{0, 0.75, 32752}, i.Amplitude(make(Amplitude, 3), 0.5))
	require.Equal(t, 2.25+65504*65504, i.Sum())
	require.PanicsWithValue(t, "data: length mismatch", func() { a.Intensity(make(Intensity, 2)) })
	require.PanicsWithValue(t, "data: length mismatch", func() { i.Amplitude(make(Amplitude, 1), 1) })
}
