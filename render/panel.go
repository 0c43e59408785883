package render

import (
	"image"
	"image/color"
	"image/draw"
)

// Distances on paper, pixels.
const (
	edge     = 16  // around a panel
	gap      = 8   // between neighbours
	tick     = 5   // length of a tick
	barWidth = 18  // of the colour bar
	barGap   = 22  // between image and colour bar
	minBody  = 200 // least height and width of the area for image and colour bar
)

// typefaces are the sizes of text in use.
type typefaces struct{ title, label, note typeface }

func newTypefaces() typefaces {
	return typefaces{newTypeface(20), newTypeface(14), newTypeface(12)}
}

// panel is a figure with everything about its layout: where the pixels of the image, the area for them
// and the colour bar lie, relative to the panel's top left corner.
type panel struct {
	fig        *Figure
	text       typefaces
	pixels     *image.RGBA
	note       string
	labels     []string // at the colour bar, lowest first
	rows, cols []int    // that have a tick
	numbers    int      // width of the row numbers
	scale      float64  // of an image pixel on paper
	image, bar image.Rectangle
	size       image.Point
}

// newPanel lays f out.
func newPanel(f *Figure, t typefaces) *panel {
	p := &panel{fig: f, text: t, pixels: f.raster(), note: f.note(), labels: barLabels(f.limits())}
	up, down := f.zoom()
	p.scale = float64(up) / float64(down)
	p.rows = axisTicks(f.Row, f.Rows, pixelStep(p.scale, 40))
	p.cols = axisTicks(f.Col, f.Cols, pixelStep(p.scale, float64(3*t.label.widest(pixelLabel(f.Col), pixelLabel(f.Col+f.Cols)))))
	p.numbers = t.label.widest(pixelLabel(f.Row), pixelLabel(f.Row+f.Rows))

	line := t.label.capital() + gap
	left := edge + line + p.numbers + gap + tick
	top := edge + t.title.capital() + 2*gap
	size := p.pixels.Bounds().Size()
	body := image.Rect(left, top, left+max(size.X, minBody), top+max(size.Y, minBody))
	p.image = image.Rectangle{Max: size}.Add(body.Min).Add(body.Size().Sub(size).Div(2))
	x := body.Max.X + barGap
	p.bar = image.Rect(x, body.Min.Y, x+barWidth, body.Max.Y)

	p.size.X = p.bar.Max.X + tick + gap/2 + t.label.widest(p.labels...) + edge
	if f.Label != "" {
		p.size.X += line + gap/2
	}
	p.size.Y = body.Max.Y + tick + 2*line + edge
	if p.note != "" {
		p.size.Y += line
	}
	return p
}

// note explains the colours in f that are not in the colour bar.
func (f *Figure) note() string {
	masked, broken := false, false
	for i, v := range f.Values {
		masked = masked || !f.measured(i)
		broken = broken || f.measured(i) && !finite(v)
	}
	switch {
	case masked && broken:
		return "hatched: not measured; magenta: not finite"
	case masked:
		return "hatched: not measured"
	case broken:
		return "magenta: not finite"
	}
	return ""
}

// draw paints p with its top left corner at origin.
func (p *panel) draw(dst *image.RGBA, origin image.Point) {
	c := canvas{dst, origin}
	c.frame(p.image)
	draw.Draw(dst, p.image.Add(origin), p.pixels, image.Point{}, draw.Src)
	p.drawTitle(c)
	p.drawAxes(c)
	p.drawBar(c)
}

func (p *panel) drawTitle(c canvas) {
	t := p.text.title
	s := t.fit(p.fig.Title, p.size.X-2*edge)
	middle := (p.image.Min.X + p.image.Max.X) / 2
	w := t.width(s)
	x := min(max(middle-w/2, edge), p.size.X-edge-w)
	c.text(t, x, edge+t.capital(), s, ink)
}

func (p *panel) drawAxes(c canvas) {
	t, box := p.text.label, p.image
	for _, i := range p.cols {
		x, s := box.Min.X+int((float64(i-p.fig.Col)+0.5)*p.scale), pixelLabel(i)
		c.fill(image.Rect(x, box.Max.Y+1, x+1, box.Max.Y+1+tick), ink)
		c.text(t, x-t.width(s)/2, box.Max.Y+tick+gap+t.capital()-2, s, ink)
	}
	numbers := box.Min.X - tick - gap/2 - 2 // where they end
	for _, i := range p.rows {
		y, s := box.Min.Y+int((float64(i-p.fig.Row)+0.5)*p.scale), pixelLabel(i)
		c.fill(image.Rect(box.Min.X-1-tick, y, box.Min.X-1, y+1), ink)
		c.text(t, numbers-t.width(s), y+t.capital()/2, s, ink)
	}
	base := box.Max.Y + tick + gap + 2*t.capital() + gap
	s := "column (pixel)"
	c.text(t, (box.Min.X+box.Max.X-t.width(s))/2, base, s, ink)
	left := numbers - p.numbers - gap
	c.textUp(t, left, (box.Min.Y+box.Max.Y)/2, "row (pixel)", ink)
	if p.note != "" {
		n := p.text.note
		c.text(n, max(edge, (box.Min.X+box.Max.X-n.width(p.note))/2), p.size.Y-edge, p.note, faint)
	}
}

func (p *panel) drawBar(c canvas) {
	t, box, colours := p.text.label, p.bar, p.fig.Map.palette()
	c.frame(box)
	last := box.Dy() - 1
	for j := range box.Dy() {
		y := box.Max.Y - 1 - j
		c.fill(image.Rect(box.Min.X, y, box.Max.X, y+1), colours.at(float64(j)/float64(last)))
	}
	x := box.Max.X + tick + gap/2
	for i, s := range p.labels {
		y := box.Max.Y - 1 - (i*last+(barTicks-1)/2)/(barTicks-1)
		c.fill(image.Rect(box.Max.X+1, y, box.Max.X+1+tick, y+1), ink)
		c.text(t, x+1, y+t.capital()/2, s, ink)
	}
	c.textUp(t, x+t.widest(p.labels...)+gap+t.capital(), (box.Min.Y+box.Max.Y)/2, t.fit(p.fig.Label, box.Dy()), ink)
}

// canvas draws relative to an origin.
type canvas struct {
	dst    *image.RGBA
	origin image.Point
}

func (c canvas) fill(r image.Rectangle, colour color.Color) {
	draw.Draw(c.dst, r.Add(c.origin), image.NewUniform(colour), image.Point{}, draw.Src)
}

// frame draws a line around r.
func (c canvas) frame(r image.Rectangle) { c.fill(r.Inset(-1), faint) }

func (c canvas) text(t typeface, x, y int, s string, colour color.Color) {
	t.draw(c.dst, x+c.origin.X, y+c.origin.Y, s, colour)
}

func (c canvas) textUp(t typeface, x, y int, s string, colour color.Color) {
	t.drawUp(c.dst, x+c.origin.X, y+c.origin.Y, s, colour)
}
