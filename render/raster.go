package render

import (
	"image"
	"image/color"
)

const (
	wantSide = 500  // a smaller image is enlarged until its longer side is at least this
	maxSide  = 2000 // a larger one is reduced until its longer side is at most this
)

// zoom returns how many times larger or smaller than the image its drawing is; one of both is 1.
func (f *Figure) zoom() (up, down int) {
	side := max(f.Rows, f.Cols)
	return max(1, (wantSide+side-1)/side), (side + maxSide - 1) / maxSide
}

// raster draws the pixels of f: each as a square of several pixels, or several averaged into one.
func (f *Figure) raster() *image.RGBA {
	up, down := f.zoom()
	h, w := (f.Rows+down-1)/down, (f.Cols+down-1)/down
	img := image.NewRGBA(image.Rect(0, 0, w*up, h*up))
	p := painter{fig: f, colours: f.Map.palette()}
	p.lo, p.hi = f.limits()
	for r := range h {
		for c := range w {
			block := image.Rect(c*down, r*down, min((c+1)*down, f.Cols), min((r+1)*down, f.Rows))
			colour, measured := p.average(block)
			for y := r * up; y < (r+1)*up; y++ {
				for x := c * up; x < (c+1)*up; x++ {
					if !measured && (x+y)%8 == 0 {
						img.SetRGBA(x, y, hatch)
						continue
					}
					img.SetRGBA(x, y, colour)
				}
			}
		}
	}
	return img
}

// painter turns values into colours.
type painter struct {
	fig     *Figure
	colours *palette
	lo, hi  float64
}

// pixel returns the colour of pixel i.
func (p *painter) pixel(i int) color.RGBA {
	v := p.fig.Values[i]
	switch {
	case !p.fig.measured(i):
		return unknown
	case !finite(v):
		return nonFinite
	}
	return p.colours.at((v - p.lo) / (p.hi - p.lo))
}

// average returns the mean colour of a block of pixels and whether any of it was measured. Averaging
// colours rather than values is right for phases too.
func (p *painter) average(block image.Rectangle) (c color.RGBA, measured bool) {
	var r, g, b, n int
	for y := block.Min.Y; y < block.Max.Y; y++ {
		for x := block.Min.X; x < block.Max.X; x++ {
			i := y*p.fig.Cols + x
			c := p.pixel(i)
			r, g, b, n = r+int(c.R), g+int(c.G), b+int(c.B), n+1
			measured = measured || p.fig.measured(i)
		}
	}
	return color.RGBA{uint8((r + n/2) / n), uint8((g + n/2) / n), uint8((b + n/2) / n), 255}, measured
}
