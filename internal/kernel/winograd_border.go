package kernel

// patches are those under one row of tiles: the patches of side×side pixels of an image from row y, as far left of the
// tiles as above them, in the channels of a block. What is outside of the image is zero.
type patches struct {
	image    []float32
	channels int
	block    columnBlock
	y, side  int
}

// transformRow transforms p to u with the given distances between its points and its tiles.
func (c *winogradConv) transformRow(f transformFunc, p patches, u []float32, plane, tile int, w *winogradWork) {
	if p.y < 0 || p.y+p.side > c.h {
		c.transformBorder(f, p, 0, c.tw, u, plane, tile, w)
		return
	}
	before := (p.side - winogradTile) / 2
	first := before
	last := max(first, (c.w-before)/winogradTile)
	c.transformBorder(f, p, 0, first, u, plane, tile, w)
	if first < last {
		f(last-first, p.block.cols, &p.image[(p.y*c.w+first*winogradTile-before)*p.channels+p.block.col],
			c.w*p.channels, p.channels, winogradTile*p.channels, &u[first*tile], winogradSide*plane, plane, tile, w.tmp, nil, 0)
	}
	c.transformBorder(f, p, last, c.tw, u, plane, tile, w)
}

// transformBorder is transformRow for the tiles from first to last, whose patches may be partly outside of the image.
func (c *winogradConv) transformBorder(f transformFunc, p patches, first, last int, u []float32, plane, tile int, w *winogradWork) {
	if first == last {
		return
	}
	before := (p.side - winogradTile) / 2
	strip, cols := w.rest, p.block.cols
	row := ((last-first)*winogradTile + 2*before) * cols
	p.fill(strip, row, c.h, c.w, first*winogradTile-before)
	f(last-first, cols, &strip[0], row, cols, winogradTile*cols, &u[first*tile], winogradSide*plane, plane, tile, w.tmp, nil, 0)
}

// fill copies the patches' pixels from column x on, which may be negative, to strip with rows of the given length.
func (p *patches) fill(strip []float32, row, h, w, x int) {
	cols := p.block.cols
	left, right := max(0, x), min(w, x+row/cols)
	for i := range p.side {
		to, y := strip[i*row:(i+1)*row], p.y+i
		if y < 0 || y >= h {
			clear(to)
			continue
		}
		clear(to[:(left-x)*cols])
		copyPixels(to[(left-x)*cols:], cols, p.image[(y*w+left)*p.channels+p.block.col:], p.channels, right-left, cols)
		clear(to[(right-x)*cols:])
	}
}

// outputRow transforms the products, with the given distance between points, of the tiles in row ty to the channels blk
// of y, which has cy channels. What is outside of the image is dropped.
func (c *winogradConv) outputRow(y []float32, cy int, blk columnBlock, ty int, products []float32, plane int,
	e winogradEnd, w *winogradWork,
) {
	width, cols := blk.vectors*c.tiles.lanes, blk.cols
	bias := w.zero
	if e.bias != nil {
		bias = e.bias[blk.col:]
	}
	inside := c.w / winogradTile
	if (ty+1)*winogradTile > c.h {
		inside = 0
	}
	if inside > 0 {
		f := c.f.output
		if e.add {
			f = c.f.outputAdd
		}
		f(inside, cols, &products[0], winogradSide*plane, plane, width,
			&y[ty*winogradTile*c.w*cy+blk.col], c.w*cy, cy, winogradTile*cy, w.tmp, &bias[0], e.floor)
	}
	if inside == c.tw {
		return
	}
	strip, row := w.rest, (c.tw-inside)*winogradTile*cols
	c.f.output(c.tw-inside, cols, &products[inside*width], winogradSide*plane, plane, width,
		&strip[0], row, cols, winogradTile*cols, w.tmp, &bias[0], e.floor)
	move := copyPixels
	if e.add {
		move = addPixels
	}
	for i := range min(winogradTile, c.h-ty*winogradTile) {
		move(y[((ty*winogradTile+i)*c.w+inside*winogradTile)*cy+blk.col:], cy, strip[i*row:], cols, c.w-inside*winogradTile, cols)
	}
}

// copyPixels copies channels of pixels whose distances are dstStep and srcStep.
func copyPixels(dst []float32, dstStep int, src []float32, srcStep, pixels, channels int) {
	if dstStep == channels && srcStep == channels {
		copy(dst[:pixels*channels], src)
		return
	}
	for i := range pixels {
		copy(dst[i*dstStep:][:channels], src[i*srcStep:])
	}
}

// addPixels is copyPixels that adds.
func addPixels(dst []float32, dstStep int, src []float32, srcStep, pixels, channels int) {
	for i := range pixels {
		d := dst[i*dstStep:][:channels]
		for j, v := range src[i*srcStep:][:channels] {
			d[j] += v
		}
	}
}
