package data

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/fft"
)

// withFrames replaces the frames of a standard file by f of each value.
func withFrames(d *Dataset, f func(v float64) float64) map[string]Array {
	m := fileOf(d)
	m["diffraction"] = Array{"diffraction", []int{d.Len(), d.N, d.N}, apply(d.Frames, func(v float32) float64 { return f(float64(v)) })}
	return m
}

func TestDomainDetection(t *testing.T) {
	counts := measuredScene(6, 16, 1e5, true)
	smooth := measuredScene(6, 16, 1e5, false)
	identity := func(v float64) float64 { return v }
	meta := func(m map[string]Array, text string) map[string]Array {
		m[metadataKey] = Array{Name: metadataKey, Data: []string{text}}
		return m
	}
	noObject := func(m map[string]Array) map[string]Array {
		delete(m, "objectGuess")
		return m
	}
	for name, c := range map[string]struct {
		file     map[string]Array
		opt      LoadOptions
		domain   string
		doseFrom string
		dose     float64
		note     string
	}{
		"whole numbers": {withFrames(counts, identity), LoadOptions{}, DomainCounts, DoseMeasured, 1e5, "whole numbers"},
		"roots":         {withFrames(counts, math.Sqrt), LoadOptions{}, DomainAmplitude, DoseMeasured, 1e5, "square roots of whole numbers"},
		"roots in float32": {
			withFrames(counts, func(v float64) float64 { return float64(float32(math.Sqrt(v))) }),
			LoadOptions{},
			DomainAmplitude, DoseMeasured, 1e5, "square roots",
		},
		"roots declared": {withFrames(counts, math.Sqrt), LoadOptions{Domain: DomainAmplitude}, DomainAmplitude, DoseMeasured, 1e5, "declared"},
		"evidence of intensity": {
			withFrames(smooth, func(v float64) float64 { return v * 1.7e-4 }),
			LoadOptions{},
			DomainCounts, DoseAssumed, 17, "as intensities (match 1.0000)",
		},
		"intensity with a dose": {
			withFrames(smooth, func(v float64) float64 { return v * 1.7e-4 }),
			LoadOptions{NPhotons: 3e6},
			DomainCounts, DoseDeclared, 3e6, "3e+06 photons a frame, declared",
		},
		"evidence of amplitude": {
			withFrames(smooth, func(v float64) float64 { return math.Sqrt(v) * 0.013 }),
			LoadOptions{},
			DomainAmplitude, DoseAssumed, DefaultDose, "as amplitudes (match 1.0000)",
		},
		"amplitude by default": {
			noObject(withFrames(smooth, func(v float64) float64 { return math.Sqrt(v) * 0.013 })),
			LoadOptions{},
			DomainAmplitude, DoseAssumed, DefaultDose, "the format's default",
		},
		"amplitude with a dose": {
			noObject(withFrames(smooth, func(v float64) float64 { return math.Sqrt(v) * 0.013 })),
			LoadOptions{NPhotons: 5e4},
			DomainAmplitude, DoseDeclared, 5e4, "50000 photons",
		},
		"amplitude with PtychoPINN's dose": {
			meta(noObject(withFrames(smooth, func(v float64) float64 { return math.Sqrt(v) * 0.013 })),
				`{"schema_version": "1.0.0", "physics_parameters": {"nphotons": 2e6, "N": 16}}`),
			LoadOptions{},
			DomainAmplitude, DoseDeclared, 2e6, "2e+06 photons",
		},
		"counts declared by metadata": {
			meta(withFrames(smooth, identity), `{"domain": "counts"}`), LoadOptions{}, DomainCounts, DoseMeasured, 1e5, "declared",
		},
		"option over metadata": {
			meta(withFrames(smooth, identity), `{"domain": "amplitude"}`),
			LoadOptions{Domain: DomainCounts},
			DomainCounts, DoseMeasured, 1e5, "the option says counts and wins",
		},
		"declared dose unused": {
			withFrames(counts, identity), LoadOptions{NPhotons: 1e9}, DomainCounts, DoseMeasured, 1e5, "the declared 1e+09 photons a frame are not used",
		},
		"amplitude with a scale": {
			meta(withFrames(smooth, func(v float64) float64 { return math.Sqrt(v) / 40 }), `{"domain": "amplitude", "amplitude_scale": 40}`),
			LoadOptions{},
			DomainAmplitude, DoseDeclared, 1e5, "declared",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Load(writeArrays(t, c.file), c.opt)
			require.NoError(t, err)
			require.Equal(t, c.domain, d.Domain)
			require.Equal(t, c.doseFrom, d.DoseFrom)
			require.InEpsilon(t, c.dose, d.Dose, 2e-3)
			require.InEpsilon(t, d.Frames.Sum()/6, d.Dose, 1e-12)
			requireNote(t, d, c.note)
			// Whatever the file held, the frames are proportional to the photons.
			source := smooth
			if c.domain == DomainCounts && c.note == "whole numbers" || d.DoseFrom == DoseMeasured && c.domain == DomainAmplitude {
				source = counts
				require.Equal(t, counts.Frames, d.Frames)
			}
			k := d.Dose / source.Dose
			for i, v := range source.Frames {
				require.InDelta(t, float64(v)*k, float64(d.Frames[i]), k*(1+1e-5*float64(v)))
			}
		})
	}
}

func TestDomainRefused(t *testing.T) {
	counts := measuredScene(6, 16, 1e5, true)
	_, err := Load(writeArrays(t, fileOf(counts)), LoadOptions{Domain: DomainAmplitude})
	require.ErrorContains(t, err, "diffraction: expected amplitudes, as declared, found whole numbers")
	_, err = Load(writeArrays(t, withFrames(counts, math.Sqrt)), LoadOptions{Domain: DomainCounts})
	require.ErrorContains(t, err, "diffraction: expected counts, as declared")
	// Few levels of whole amplitudes are not refused: they may be whole by construction.
	coarse := withFrames(counts, func(v float64) float64 { return min(math.Round(v), 3) })
	d, err := Load(writeArrays(t, coarse), LoadOptions{Domain: DomainAmplitude})
	require.NoError(t, err)
	require.Equal(t, DoseAssumed, d.DoseFrom)
}

func TestMeasureValues(t *testing.T) {
	for name, c := range map[string]struct {
		values        []float32
		counts, roots bool
	}{
		"counts":            {[]float32{0, 1, 2, 7, 100}, true, false},
		"roots":             {[]float32{0, 1, 1.4142135, 2, 1.7320508, 12.041595}, false, true},
		"neither":           {[]float32{0.1, 1.5, 2.7, 3}, false, false},
		"tiny":              {[]float32{1e-20, 1e-5, 3e-3}, false, false},
		"dark":              {[]float32{0, 0}, false, false},
		"large and unclear": {[]float32{1000.3, 2000.7}, false, false},
		"integers of roots": {[]float32{1, 1, 1, 1, 1, 1, 1.4142135}, false, true},
	} {
		s := newClassifier(epsilon32)
		classify(&s, c.values)
		require.Equal(t, c.counts, s.counts(), name)
		require.Equal(t, c.roots, s.rootsOfCounts(), name)
	}
	s := newClassifier(epsilon32)
	for i := range 3 * manyLevels {
		classify(&s, []float32{float32(i), 1})
	}
	require.Equal(t, manyLevels, s.levels)
}

func TestSurveyUsesThePrecisionOfTheValues(t *testing.T) {
	roots, rounded := make([]float64, 64), make([]float32, 64)
	for i := range roots {
		roots[i] = math.Sqrt(float64(1e6 + 7*i))
		rounded[i] = float32(roots[i])
	}
	axes := frameAxes{n: 1, side: 8}
	double, single := newSurvey(Header{}, axes, nil, 0), newSurvey(Header{}, axes, nil, 0)
	double.add(block{values: roots}, rounded)
	require.True(t, double.stats().rootsOfCounts())
	single.add(block{values: apply(rounded, func(x float32) float64 { return float64(x) })}, rounded)
	require.False(t, single.stats().rootsOfCounts(), "float32 does not tell such large ones from others")
}

// toCorner moves the direct beam of a frame of n×n pixels to [0, 0].
func toCorner(v []float32, n int) { fft.Unshift(v, slices.Clone(v), n, n) }

func TestDC(t *testing.T) {
	d := measuredScene(3, 16, 1e5, true)
	corner := func() map[string]Array {
		f := fileOf(d)
		v := f["diffraction"].Data.([]float32)
		for j := range 3 {
			toCorner(v[j*256:(j+1)*256], 16)
		}
		return f
	}
	flat := func() map[string]Array {
		return withFrames(d, func(float64) float64 { return 5 })
	}
	for name, c := range map[string]struct {
		file map[string]Array
		opt  LoadOptions
		note string
	}{
		"seen":     {corner(), LoadOptions{}, "shifted by N/2"},
		"declared": {corner(), LoadOptions{DC: DCCorner}, ""},
		"centre":   {fileOf(d), LoadOptions{DC: DCCentre}, ""},
	} {
		got, err := Load(writeArrays(t, c.file), c.opt)
		require.NoError(t, err, name)
		require.Equal(t, d.Frames, got.Frames, name)
		requireNote(t, got, c.note)
	}
	_, err := Load(writeArrays(t, corner()), LoadOptions{DC: DCCentre})
	require.ErrorContains(t, err, "diffraction: expected the direct beam at the centre, as declared")
	_, err = Load(writeArrays(t, fileOf(d)), LoadOptions{DC: DCCorner})
	require.ErrorContains(t, err, "declare dc centre")
	got, err := Load(writeArrays(t, flat()), LoadOptions{})
	require.NoError(t, err)
	requireNote(t, got, "taken at the centre")
	f := tikeOf(d)
	f["data"] = Array{"data", []int{3, 16, 16}, flat()["diffraction"].Data}
	got, err = Load(writeArrays(t, f), LoadOptions{})
	require.NoError(t, err)
	requireNote(t, got, "taken at the corner")
}
