package render

import (
	"errors"
	"image"
	"image/draw"
	"image/png"
	"io"
	"math"

	"ptycho/internal/atomicfile"
)

// WritePNG draws fig and stores it at path, whole or not at all. The image is enlarged by a whole factor
// to at least 500 pixels, or reduced to at most 2000. Values that are not finite are drawn in magenta.
func WritePNG(path string, fig Figure) error {
	return WriteComparison(path, []Figure{fig})
}

// WriteComparison draws the figures side by side, row by row, in a grid that is as square as possible:
// four make 2×2. Each is drawn as by WritePNG.
func WriteComparison(path string, figs []Figure) error {
	img, err := compose(figs)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error { return png.Encode(w, img) })
}

// compose draws the figures in a grid of equal cells.
func compose(figs []Figure) (*image.RGBA, error) {
	if len(figs) == 0 {
		return nil, errors.New("render: expected at least one figure, found none")
	}
	faces := newTypefaces()
	panels := make([]*panel, len(figs))
	var cell image.Point
	for i := range figs {
		if err := figs[i].validate(); err != nil {
			return nil, err
		}
		panels[i] = newPanel(&figs[i], faces)
		cell.X, cell.Y = max(cell.X, panels[i].size.X), max(cell.Y, panels[i].size.Y)
	}
	cols := int(math.Ceil(math.Sqrt(float64(len(figs)))))
	rows := (len(figs) + cols - 1) / cols
	img := image.NewRGBA(image.Rect(0, 0, cols*cell.X, rows*cell.Y))
	draw.Draw(img, img.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	for i, p := range panels {
		p.draw(img, image.Pt(i%cols*cell.X, i/cols*cell.Y))
	}
	return img, nil
}
