package render

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// typeface is a font at one size.
type typeface struct{ face font.Face }

// newTypeface returns Go Regular at the given size in pixels.
func newTypeface(size float64) typeface {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		panic("render: " + err.Error())
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic("render: " + err.Error())
	}
	return typeface{face}
}

// width returns how wide s is in pixels.
func (t typeface) width(s string) int { return font.MeasureString(t.face, s).Ceil() }

// widest returns the width of the widest of some texts.
func (t typeface) widest(texts ...string) int {
	w := 0
	for _, s := range texts {
		w = max(w, t.width(s))
	}
	return w
}

// capital returns the height of a capital letter in pixels.
func (t typeface) capital() int { return t.face.Metrics().CapHeight.Ceil() }

// fit returns s, cut short with an ellipsis if it is wider than width.
func (t typeface) fit(s string, width int) string {
	if t.width(s) <= width {
		return s
	}
	r := []rune(s)
	for len(r) > 0 && t.width(string(r)+"…") > width {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// draw writes s with its left end at x and its base line at y.
func (t typeface) draw(dst draw.Image, x, y int, s string, c color.Color) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(c), Face: t.face, Dot: fixed.P(x, y)}
	d.DrawString(s)
}

// drawUp writes s from bottom to top, its middle at height y and its base line at x.
func (t typeface) drawUp(dst draw.Image, x, y int, s string, c color.Color) {
	w, m := t.width(s), t.face.Metrics()
	ascent, descent := m.Ascent.Ceil(), m.Descent.Ceil()
	flat := image.NewAlpha(image.Rect(0, 0, w, ascent+descent))
	t.draw(flat, 0, ascent, s, color.Opaque)
	turned := image.NewAlpha(image.Rect(0, 0, ascent+descent, w))
	for v := range ascent + descent {
		for u := range w {
			turned.SetAlpha(v, w-1-u, flat.AlphaAt(u, v))
		}
	}
	at := turned.Bounds().Add(image.Pt(x-ascent, y-w/2))
	draw.DrawMask(dst, at, image.NewUniform(c), image.Point{}, turned, image.Point{}, draw.Over)
}
