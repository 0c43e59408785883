package render

import (
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
)

func ptr(v float64) *float64 { return &v }

func ramp(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = float64(i)
	}
	return v
}

// drawn returns the picture of f as a reader of the file sees it, and its layout.
func drawn(t *testing.T, f Figure) (image.Image, *panel) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.png")
	require.NoError(t, WritePNG(path, f))
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	img, err := png.Decode(file)
	require.NoError(t, err)
	p := newPanel(&f, newTypefaces())
	require.Equal(t, p.size, img.Bounds().Size())
	return img, p
}

// centre returns the colour in the middle of image pixel (r, c).
func (p *panel) centre(img image.Image, r, c int) color.RGBA {
	x := p.image.Min.X + int((float64(c)+0.5)*p.scale)
	y := p.image.Min.Y + int((float64(r)+0.5)*p.scale)
	return img.At(x, y).(color.RGBA)
}

func TestColoursAndOrientation(t *testing.T) {
	for _, m := range []Colormap{Gray, Viridis, Twilight} {
		t.Run(m.String(), func(t *testing.T) {
			img, p := drawn(t, Figure{
				Title: "t", Rows: 3, Cols: 2, Values: []float64{0, 51, 102, 153, 204, 255},
				VMin: ptr(0), VMax: ptr(255), Map: m, Label: "counts",
			})
			table := m.palette()
			for i := range 6 {
				require.Equalf(t, table[51*i], p.centre(img, i/2, i%2), "row %d, column %d", i/2, i%2)
			}
			require.Equal(t, image.Pt(334, 501), p.image.Size())
			require.Equal(t, table[0], img.At(p.image.Min.X, p.image.Min.Y), "corners belong to the image")
			require.Equal(t, table[255], img.At(p.image.Max.X-1, p.image.Max.Y-1))
			require.Equal(t, faint, img.At(p.image.Min.X-1, p.image.Min.Y-1), "and are framed")

			x := (p.bar.Min.X + p.bar.Max.X) / 2
			require.Equal(t, table[0], img.At(x, p.bar.Max.Y-1), "lowest value at the bottom")
			require.Equal(t, table[255], img.At(x, p.bar.Min.Y))
			require.Equal(t, []string{"0.0", "63.8", "127.5", "191.2", "255.0"}, p.labels)
			require.Equal(t, paper, img.At(0, 0))
		})
	}
}

// TestTables compares with colours that Matplotlib 3.6 gives.
func TestTables(t *testing.T) {
	for _, tc := range []struct {
		m    Colormap
		i    int
		want color.RGBA
	}{
		{Viridis, 0, color.RGBA{0x44, 0x01, 0x54, 255}},
		{Viridis, 255, color.RGBA{0xfd, 0xe7, 0x25, 255}},
		{Gray, 77, color.RGBA{77, 77, 77, 255}},
		{Twilight, 0, color.RGBA{0xe2, 0xd9, 0xe2, 255}},
		{Twilight, 255, color.RGBA{0xe2, 0xd9, 0xe2, 255}},
	} {
		require.Equalf(t, tc.want, tc.m.palette()[tc.i], "%v %d", tc.m, tc.i)
	}
	require.Len(t, viridisTable, 6*256)
	require.Len(t, twilightTable, 6*256)
	require.PanicsWithValue(t, "render: no colour map Colormap(9)", func() { Colormap(9).palette() })
	require.Equal(t, Gray.palette()[255], Gray.palette().at(7))
	require.Equal(t, Gray.palette()[0], Gray.palette().at(math.Inf(-1)))
}

func TestMaskAndNonFinite(t *testing.T) {
	f := Figure{
		Rows: 2, Cols: 3, Values: []float64{180, math.NaN(), math.Inf(1), 0, math.NaN(), 255},
		Mask: []bool{true, true, true, true, false, true}, VMin: ptr(0), VMax: ptr(255),
	}
	img, p := drawn(t, f)
	require.Equal(t, nonFinite, p.centre(img, 0, 1))
	require.Equal(t, nonFinite, p.centre(img, 0, 2))
	require.Equal(t, Gray.palette()[0], p.centre(img, 1, 0))
	require.Equal(t, "hatched: not measured; magenta: not finite", p.note)

	count := map[color.Color]int{}
	for y := range 96 {
		for x := range 96 {
			at := p.image.Min.Add(image.Pt(x, y))
			require.Equal(t, unknown, img.At(at.X, at.Y), "a value of the mask's gray is not hatched")
			count[img.At(at.X+170, at.Y+170)]++
		}
	}
	require.Equal(t, map[color.Color]int{unknown: 8064, hatch: 1152}, count)

	f.Values[4], f.Mask = 1, nil
	require.Equal(t, "magenta: not finite", f.note())
	f.Values, f.Mask = ramp(6), make([]bool, 6)
	require.Equal(t, "hatched: not measured", f.note())
	f.Mask = nil
	require.Empty(t, f.note())
}

func TestLimits(t *testing.T) {
	mask := make([]bool, 1000)
	for i := range mask {
		mask[i] = i >= 500
	}
	values := ramp(1000)
	values[999] = 1e12
	for _, tc := range []struct {
		name   string
		fig    Figure
		lo, hi float64
	}{
		{"quantiles", Figure{Values: ramp(1001)}, 10, 990},
		{"hot pixel", Figure{Values: values}, 10, 989},
		{"mask", Figure{Values: values, Mask: mask}, 505, 994},
		{"given", Figure{Values: values, VMin: ptr(-1), VMax: ptr(3)}, -1, 3},
		{"upper given", Figure{Values: ramp(1001), VMax: ptr(20)}, 10, 20},
		{"upper below", Figure{Values: ramp(1001), VMax: ptr(-20)}, -22, -20},
		{"lower above", Figure{Values: ramp(1001), VMin: ptr(2000)}, 2000, 2200},
		{"constant", Figure{Values: []float64{5, 5, 5}}, 4.5, 5.5},
		{"negative constant", Figure{Values: []float64{-5, -5}}, -5.5, -4.5},
		{"zero", Figure{Values: []float64{0, 0}}, -1, 1},
		{"denormal", Figure{Values: []float64{0, 5e-324}}, -1, 1},
		{"rounding", Figure{Values: []float64{1, 1 + 1e-15}}, 0.9, 1.1},
		{"NaN", Figure{Values: []float64{math.NaN(), 1, 2}}, 1, 2},
		{"nothing", Figure{Values: []float64{math.NaN()}}, -1, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lo, hi := tc.fig.limits()
			require.InDelta(t, tc.lo, lo, 1e-12)
			require.InDelta(t, tc.hi, hi, 1e-12)
		})
	}
}

func TestConstantIsMidway(t *testing.T) {
	img, p := drawn(t, Figure{Rows: 5, Cols: 5, Values: make([]float64, 25)})
	require.Equal(t, Gray.palette()[128], p.centre(img, 2, 2))
}

// TestShapes draws images of every proportion; nothing may leave the paper or run into another part.
func TestShapes(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 300}, {300, 1}, {3, 700}, {64, 64}, {501, 2}, {10, 2001}, {2100, 30}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			f := Figure{
				Title: strings.Repeat("a long title ", 40), Rows: size[0], Cols: size[1],
				Row: -123456, Col: 9876543, Values: ramp(size[0] * size[1]), Label: strings.Repeat("a long label ", 200),
			}
			img, p := drawn(t, f)
			paperArea := img.Bounds().Inset(edge)
			require.True(t, p.image.In(paperArea) && p.bar.In(paperArea))
			require.False(t, p.image.Inset(-tick).Overlaps(p.bar))
			side := max(p.image.Dx(), p.image.Dy())
			require.True(t, side >= wantSide && side <= maxSide, side)
			inner, stray := img.Bounds().Inset(edge-6), 0
			for y := range img.Bounds().Dy() {
				for x := range img.Bounds().Dx() {
					if !image.Pt(x, y).In(inner) && img.At(x, y) != paper {
						stray++
					}
				}
			}
			require.Zero(t, stray, "pixels drawn in the margin")
		})
	}
}

func TestDownscaleAveragesColours(t *testing.T) {
	f := Figure{Rows: 2, Cols: 4000, Values: make([]float64, 8000), VMin: ptr(0), VMax: ptr(255)}
	for i := range f.Values {
		f.Values[i] = float64(100 + 40*(i%2) + 10*(i/4000))
	}
	img, p := drawn(t, f)
	require.Equal(t, image.Pt(2000, 1), p.image.Size())
	require.Equal(t, color.RGBA{125, 125, 125, 255}, img.At(p.image.Min.X+1999, p.image.Min.Y))
}

func TestDeterministic(t *testing.T) {
	f := Phase("φ", 1, 3, []complex64{1, 1i, -1}, nil)
	read := func() []byte {
		path := filepath.Join(t.TempDir(), "f.png")
		require.NoError(t, WriteComparison(path, []Figure{f, f, f}))
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		return b
	}
	require.Equal(t, read(), read())
}

func TestAmplitudeAndPhase(t *testing.T) {
	pix := []complex64{3 + 4i, -1, complex64(cmplx.Rect(2, -1))}
	a := Amplitude("a", 1, 3, pix, nil)
	require.InDeltaSlice(t, []float64{5, 1, 2}, a.Values, 1e-6)
	require.Equal(t, Gray, a.Map)

	wide := Phase("p", 1, 3, pix, nil)
	require.InDeltaSlice(t, []float64{math.Atan2(4, 3), math.Pi, -1}, wide.Values, 1e-6)
	require.Equal(t, Twilight, wide.Map)
	lo, hi := wide.limits()
	require.Equal(t, []float64{-math.Pi, math.Pi}, []float64{lo, hi})

	narrow := Phase("p", 1, 3, pix, []bool{true, false, true})
	require.Equal(t, Viridis, narrow.Map)
	require.Nil(t, narrow.VMin)
}

func TestShareScale(t *testing.T) {
	a := Figure{Rows: 1, Cols: 2, Values: []float64{0, 10}, Map: Viridis}
	b, c := Figure{Rows: 1, Cols: 2, Values: []float64{10, 99}}, Figure{Rows: 1, Cols: 1, Values: ramp(1)}
	a.ShareScale(&b, &c)
	lo, hi := c.limits()
	require.Equal(t, []float64{0, 10}, []float64{lo, hi})
	img, p := drawn(t, b)
	require.Equal(t, Viridis.palette()[255], p.centre(img, 0, 0))
}

func TestComparisonGrid(t *testing.T) {
	for n, want := range map[int]image.Point{1: {1, 1}, 2: {2, 1}, 3: {2, 2}, 4: {2, 2}, 5: {3, 2}} {
		figs := make([]Figure, n)
		for i := range figs {
			figs[i] = Figure{Rows: 2, Cols: 2, Values: []float64{float64(i), 0, 0, 0}, VMin: ptr(0), VMax: ptr(255)}
		}
		img, err := compose(figs)
		require.NoError(t, err)
		p := newPanel(&figs[0], newTypefaces())
		require.Equal(t, image.Pt(want.X*p.size.X, want.Y*p.size.Y), img.Bounds().Size())
		for i := range figs {
			at := p.image.Min.Add(image.Pt(i%want.X*p.size.X, i/want.X*p.size.Y))
			require.Equal(t, uint8(i), img.RGBAAt(at.X, at.Y).R, "panel %d of %d", i, n)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		figs []Figure
		want string
	}{
		{"none", nil, "found none"},
		{"size", []Figure{{Title: "T", Rows: 2, Cols: 2, Values: ramp(3)}}, `figure "T": expected Rows × Cols values, found 3 for 2×2`},
		{"empty", []Figure{{}}, "found 0 for 0×0"},
		{"mask", []Figure{{Rows: 1, Cols: 2, Values: ramp(2), Mask: []bool{true}}}, "a mask of 2 pixels, found 1"},
		{"map", []Figure{{Rows: 1, Cols: 1, Values: ramp(1), Map: 7}}, "found Colormap(7)"},
		{"limit", []Figure{{Rows: 1, Cols: 1, Values: ramp(1), VMax: ptr(math.Inf(1))}}, "found +Inf"},
		{"order", []Figure{{Rows: 1, Cols: 1, Values: ramp(1), VMin: ptr(2), VMax: ptr(1)}}, "found 2 and 1; swap them"},
		{"second", []Figure{{Rows: 1, Cols: 1, Values: ramp(1)}, {Title: "second"}}, `figure "second"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f.png")
			require.ErrorContains(t, WriteComparison(path, tc.figs), tc.want)
			require.NoFileExists(t, path)
		})
	}
	require.ErrorContains(t, WritePNG(filepath.Join(t.TempDir(), "no", "f.png"), Figure{Rows: 1, Cols: 1, Values: ramp(1)}), "no such file")
}

func TestBarLabels(t *testing.T) {
	for _, tc := range []struct {
		lo, hi float64
		want   []string
	}{
		{0, 1, []string{"0.00", "0.25", "0.50", "0.75", "1.00"}},
		{-math.Pi, math.Pi, []string{"−3.14", "−1.57", "0.00", "1.57", "3.14"}},
		{0, 400, []string{"0", "100", "200", "300", "400"}},
		{1, 1.0004, []string{"1.0000", "1.0001", "1.0002", "1.0003", "1.0004"}},
		{0, 4e6, []string{"0.00e+00", "1.00e+06", "2.00e+06", "3.00e+06", "4.00e+06"}},
		{-2e-5, 2e-5, []string{"−2.00e−05", "−1.00e−05", "0.00e+00", "1.00e−05", "2.00e−05"}},
		{-1e300, 1e300, []string{"−1.000e+300", "−5.000e+299", "0.000e+00", "5.000e+299", "1.000e+300"}},
	} {
		require.Equal(t, tc.want, barLabels(tc.lo, tc.hi))
	}
}

func TestPixelStep(t *testing.T) {
	for _, tc := range []struct {
		scale, gap float64
		want       int
	}{{100, 40, 1}, {30, 40, 2}, {10, 50, 5}, {8, 41, 10}, {0.5, 60, 200}} {
		require.Equal(t, tc.want, pixelStep(tc.scale, tc.gap))
	}
}

func TestAxisTicks(t *testing.T) {
	for _, tc := range []struct {
		first, n, step int
		want           []int
	}{
		{0, 11, 5, []int{0, 5, 10}},
		{0, 10, 5, []int{0, 5}},
		{7, 11, 5, []int{10, 15}},
		{-7, 11, 5, []int{-5, 0}},
		{-10, 6, 5, []int{-10, -5}},
		{1007, 3, 20, []int{1007}},
	} {
		require.Equal(t, tc.want, axisTicks(tc.first, tc.n, tc.step), "%+v", tc)
	}
	require.Equal(t, "−7", pixelLabel(-7))
}

// TestAxesCountFromTheCorner looks for the ticks of a part of a larger image on paper.
func TestAxesCountFromTheCorner(t *testing.T) {
	f := Figure{Rows: 40, Cols: 50, Row: -13, Col: 1007, Values: ramp(40 * 50)}
	img, p := drawn(t, f)
	require.Equal(t, image.Pt(500, 400), p.image.Size())
	marks := func(at func(i int) color.Color, n int) (found []int) {
		for i := range n {
			if at(i) == ink {
				found = append(found, i)
			}
		}
		return found
	}
	cols := marks(func(i int) color.Color { return img.At(p.image.Min.X+i, p.image.Max.Y+2) }, 500)
	rows := marks(func(i int) color.Color { return img.At(p.image.Min.X-3, p.image.Min.Y+i) }, 400)
	require.Equal(t, []int{1010, 1020, 1030, 1040, 1050}, p.cols)
	require.Equal(t, []int{35, 135, 235, 335, 435}, cols, "the middle of pixels 3, 13, …, ten pixels wide")
	require.Equal(t, []int{-10, -5, 0, 5, 10, 15, 20, 25}, p.rows)
	require.Equal(t, []int{35, 85, 135, 185, 235, 285, 335, 385}, rows)

	whole := f
	whole.Row, whole.Col = 0, 0
	plain, q := drawn(t, whole)
	require.Equal(t, []int{0, 5, 10, 15, 20, 25, 30, 35, 40, 45}, q.cols)
	require.NotEqual(t, plain, img)
}

func TestFit(t *testing.T) {
	face := newTypeface(14)
	require.Equal(t, "short", face.fit("short", 200))
	s := face.fit(strings.Repeat("long ", 50), 200)
	require.True(t, strings.HasSuffix(s, "…") && face.width(s) <= 200 && face.width(s) > 170, s)
	require.Equal(t, "…", face.fit("x", 0))
}

func ExampleFigure() {
	f := Phase("Reconstructed phase", 1, 2, []complex64{1, 1 + 1i}, nil)
	fmt.Println(f.Map, f.Label)
	// Output: viridis phase (rad)
}
