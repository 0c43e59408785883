package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/cmplx"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/doctor"
	"ptycho/internal/rng"
)

func TestMissed(t *testing.T) {
	must := []bound{atMost("error", 0.5), atLeast("frames", 10)}
	for _, tt := range []struct {
		values []figure
		missed []string
	}{
		{[]figure{{"error", 0.5}, {"frames", 10}, {"else", 99}}, nil},
		{[]figure{{"error", 0.51}, {"frames", 10}}, []string{"error ≤ 0.5"}},
		{[]figure{{"error", 0.4}, {"frames", 9}}, []string{"frames ≥ 10"}},
		{[]figure{{"error", math.NaN()}, {"frames", 11}}, []string{"error ≤ 0.5"}},
		{[]figure{{"frames", 11}}, []string{"error ≤ 0.5"}},
	} {
		require.Equal(t, tt.missed, missed(must, tt.values))
	}
}

func TestNumber(t *testing.T) {
	for v, text := range map[float64]string{0.0185: "0.0185", 3: "3", 10000: "10000", 1234.5: "1234", 12.345: "12.3", 0.00039695: "0.000397", 1: "1"} {
		require.Equal(t, text, number(v))
	}
	require.Equal(t, "a sweep ≤ 0.05 s", atMost(aSweep, 0.05).String())
	require.Equal(t, "a sweep 0.0431 s", figure{aSweep, 0.04312}.String())
}

// Every bound of the chapters must be on something that has a name, and every case must be one that can be chosen.
func TestCasesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range chapters() {
		for _, k := range c.cases {
			require.False(t, seen[k.name], k.name)
			seen[k.name] = true
			require.NotEmpty(t, k.must, k.name)
			require.NotContains(t, k.name, ",")
			require.NotNil(t, k.run, k.name)
		}
	}
}

// fake is a chapter whose cases come to what their names say.
func fake(pic string) chapter {
	run := func(v float64, err error) func(context.Context, *program) (figures, error) {
		return func(context.Context, *program) (f figures, _ error) {
			f.add("v, s", v)
			f.table = &table{"Table", []string{"a|b"}, [][]string{{"c\nd"}}}
			if pic != "" {
				f.pictures = []picture{{"p.png", pic, "Caption"}}
			}
			return f, err
		}
	}
	must := []bound{atMost("v, s", 1)}
	return chapter{"Title", "Text.", []testCase{
		{"good", "it", must, run(1, nil)},
		{"bad", "it", must, run(2, nil)},
		{"broken", "it", must, run(0, errors.New("broke"))},
		{"away", "it", must, run(0, fmt.Errorf("file is %w", errAbsent))},
	}}
}

// TestMain lets the test binary stand in for the program.
func TestMain(m *testing.M) {
	if os.Getenv("QUALITY_TEST_PROGRAM") == "" {
		os.Exit(m.Run())
	}
	switch os.Args[1] {
	case "--version":
		fmt.Println("v0")
	case "doctor":
		fmt.Println(`{"findings": [{"name": "file", "severity": "ok", "text": "x"}, {"name": "orientation", "severity": "fatal", "text": "found"}], "orientation": {"frames": "rot90", "flags": "", "pair": false}, "fatal": true}`)
		os.Exit(1)
	case "refine":
		dir := os.Args[5]
		text := `{"gauge_and_plane": {"e": 0.25}}`
		if os.Args[len(os.Args)-1] == "registered" {
			text = `{"gauge_and_plane": {"e": 0.25}, "registered": {"e": 0.125}}`
		}
		_ = os.MkdirAll(dir, 0o777)
		_ = os.WriteFile(filepath.Join(dir, "run.json"), []byte(`{"peak_rss_bytes": 7, "results": {"frames": 3, "error": 0.5, "seconds_a_sweep": 0.0625}}`), 0o666)
		_ = os.WriteFile(filepath.Join(dir, "metrics.json"), []byte(text), 0o666)
	default:
		fmt.Fprintln(os.Stderr, "note\nexpected a command")
		os.Exit(2)
	}
	os.Exit(0)
}

func testProgram(t *testing.T) *program {
	t.Setenv("QUALITY_TEST_PROGRAM", "1")
	self, err := os.Executable()
	require.NoError(t, err)
	p, err := newProgram(self, t.TempDir(), t.TempDir(), &strings.Builder{})
	require.NoError(t, err)
	return p
}

func TestProgram(t *testing.T) {
	p, ctx := testProgram(t), t.Context()
	r, e, err := p.distance(ctx, "refine", "out", "scan.npz")
	require.NoError(t, err)
	require.Equal(t, 0.25, e)
	require.Equal(t, []float64{7, 3, 0.5, 0.0625}, []float64{r.run.PeakMemory, r.run.Results.Frames, r.run.Results.Error, r.run.Results.Sweep})
	require.Positive(t, r.total)
	_, e, err = p.distance(ctx, "refine", "out", "scan.npz", "registered")
	require.NoError(t, err)
	require.Equal(t, 0.125, e)

	_, _, err = p.distance(ctx, "infer", "other", "scan.npz")
	require.ErrorContains(t, err, "ptycho infer: exit status 2: expected a command")
	found, text, _, err := p.orientation(ctx, "scan.npz")
	require.NoError(t, err)
	require.Equal(t, &doctor.Orientation{Frames: "rot90"}, found)
	require.Equal(t, "found", text)

	_, err = p.star()
	require.ErrorIs(t, err, errAbsent)
	_, err = (&reconstruction{}).e()
	require.Error(t, err)
}

func TestOnce(t *testing.T) {
	p, calls := testProgram(t), 0
	for range 2 {
		path, _, err := p.once("x", func(string) error { calls++; return errors.New("no") })
		require.Equal(t, p.path("x"), path)
		require.EqualError(t, err, "no")
	}
	require.Equal(t, 1, calls)
}

func TestRun(t *testing.T) {
	p := testProgram(t)
	for _, tt := range []struct {
		args string
		code int
		text []string
	}{
		{"-list", 0, []string{"good", "broken"}},
		{"-only good,away", 0, []string{"| good | it | v ≤ 1 s | v 1 s | met |", "skipped: file is absent", `| a\|b |`, "| c d |", "ptycho v0"}},
		{"-only bad", 1, []string{"| v 2 s | **missed**: v ≤ 1 s |"}},
		{"-only broken", 1, []string{"**failed**: broke"}},
		{"-only unknown", 2, nil},
		{"-unknown", 2, nil},
		{"-binary absent", 1, nil},
	} {
		var out, log bytes.Buffer
		code := run(t.Context(), append([]string{"-binary", p.binary}, strings.Fields(tt.args)...), []chapter{fake("")}, &out, &log)
		require.Equal(t, tt.code, code, "%s\n%s", tt.args, log.String())
		for _, text := range tt.text {
			require.Contains(t, out.String(), text)
		}
	}
}

func TestDocumentHasPictures(t *testing.T) {
	p, dir := testProgram(t), t.TempDir()
	r := rng.New(1, "picture", 0)
	img := image.NewRGBA(image.Rect(0, 0, 750, 600))
	for i := range img.Pix {
		img.Pix[i] = uint8(r.IntN(256)) | 0x80
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	large := filepath.Join(t.TempDir(), "large.png")
	require.NoError(t, os.WriteFile(large, b.Bytes(), 0o666))

	out := filepath.Join(dir, "page.md")
	require.Equal(t, 0, run(t.Context(), []string{"-binary", p.binary, "-only", "good", "-out", out}, []chapter{fake(large)}, &b, &b))
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Contains(t, string(text), "![Caption](page/p.png)")
	small, err := os.ReadFile(filepath.Join(dir, "page", "p.png"))
	require.NoError(t, err)
	require.LessOrEqual(t, len(small), int(largestPicture))
	c, err := png.DecodeConfig(bytes.NewReader(small))
	require.NoError(t, err)
	require.InDelta(t, 0.8, float64(c.Height)/float64(c.Width), 0.01)
}

func TestPalettedKeepsFewColours(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 2, 1))
	a, b := color.RGBA{200, 10, 10, 255}, color.RGBA{10, 10, 200, 255}
	img.SetRGBA(0, 0, a)
	img.SetRGBA(1, 0, b)
	p := paletted(img)
	require.Equal(t, color.Color(a), p.At(0, 0))
	require.Equal(t, color.Color(b), p.At(1, 0))
}

func TestPerturbed(t *testing.T) {
	x, y := make([]float64, 50), make([]float64, 50)
	for i := range x {
		x[i], y[i] = float64(i%7), float64(i/7)
	}
	px, py := perturbed(x, y, 2)
	require.InDelta(t, 0, meanDifference(px, x), 1e-12)
	require.InDelta(t, 0, meanDifference(py, y), 1e-12)
	require.InDelta(t, 2, distanceApart(px, py, x, y), 1e-12)
	for i := range px {
		px[i] += 5
	}
	require.InDelta(t, 2, distanceApart(px, py, x, y), 1e-12, "a shift of all does not count")
}

// A real aperture has its sharpest focus without curvature, and what was added is found.
func TestCurvature(t *testing.T) {
	const n = 32
	aperture := make([]complex64, n*n)
	for i := range aperture {
		y, x := float64(i/n-n/2), float64(i%n-n/2)
		if math.Hypot(y, x) < 10 {
			aperture[(i/n+n/2)%n*n+(i%n+n/2)%n] = 1
		}
	}
	focus := make([]complex64, n*n)
	for i, z := range farField(aperture, n) {
		focus[i] = complex64(z)
	}
	require.InDelta(t, 0, curvature(focus, n), 1e-12)
	for _, c := range []float64{-0.03, 0.02} {
		probe := defocused(focus, n, c)
		require.InDelta(t, c, curvature(probe, n), 1e-4)
		var was, is float64
		for i := range probe {
			was, is = max(was, cmplx.Abs(complex128(focus[i]))), max(is, cmplx.Abs(complex128(probe[i])))
		}
		require.Less(t, is, 0.9*was, "it is spread")
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		found *doctor.Orientation
		o     data.Orientation
		is    bool
	}{
		{&doctor.Orientation{Frames: "as stored"}, data.AsStored, true},
		{&doctor.Orientation{Frames: "as stored", Pair: true}, data.AsStored, false},
		{&doctor.Orientation{Frames: "as stored", Flags: "--flip_x"}, data.AsStored, false},
		{&doctor.Orientation{Frames: "rot90"}, data.Rot90, true},
		{&doctor.Orientation{Frames: "rot90", Pair: true}, data.Rot90, false},
		{&doctor.Orientation{Frames: "rot90"}, data.Rot270, false},
		{nil, data.AsStored, false},
	} {
		require.Equal(t, tt.is, names(tt.found, tt.o), "%v: %v", tt.o, tt.found)
	}
}
