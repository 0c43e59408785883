package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"slices"

	"golang.org/x/image/draw"
)

// largestPicture is the size of a picture in the document, bytes.
const largestPicture = 200e3

// copyPicture copies a PNG file. One that is too large for the document gets 256 colours and is scaled down until it fits.
func copyPicture(to, from string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	for width := img.Bounds().Dx(); len(b) > largestPicture; width = width * 9 / 10 {
		if b, err = encode(paletted(scaled(img, width))); err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
	}
	return os.WriteFile(to, b, 0o666)
}

// scaled returns img with this width.
func scaled(img image.Image, width int) *image.RGBA {
	s := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, width, max(1, s.Dy()*width/s.Dx())))
	draw.CatmullRom.Scale(out, out.Bounds(), img, s, draw.Src, nil)
	return out
}

// paletted returns img in its 256 most frequent colours, those being taken together that differ by less than a sixteenth.
func paletted(img *image.RGBA) *image.Paletted {
	first := map[color.RGBA]color.RGBA{} // of the colours that are taken together
	count := map[color.RGBA]int{}
	var distinct []color.RGBA
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			c := img.RGBAAt(x, y)
			const mask = 0xf0
			key := color.RGBA{c.R & mask, c.G & mask, c.B & mask, c.A & mask}
			if count[key]++; count[key] == 1 {
				first[key] = c
				distinct = append(distinct, key)
			}
		}
	}
	slices.SortStableFunc(distinct, func(a, b color.RGBA) int { return count[b] - count[a] })
	var palette color.Palette
	for _, key := range distinct[:min(256, len(distinct))] {
		palette = append(palette, first[key])
	}
	out := image.NewPaletted(img.Rect, palette)
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out
}

func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	err := e.Encode(&b, img)
	return b.Bytes(), err
}
