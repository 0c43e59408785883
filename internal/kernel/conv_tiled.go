package kernel

// weightPixels is the number of pixels whose outer products are summed by one call of a tile: enough to make the
// loading and storing of the sums cheap, few enough to stay in the second-level cache.
const weightPixels = 512

// tiledConv computes the convolution on the channels-last image itself, without im2col. In an image with a halo of
// zeros the three taps of one kernel row are one run of 3·In adjacent floats, so an output pixel is a row of a matrix
// product whose left factor lies in the image with row stride In, in three runs a padded image row apart. The gradient
// of the input is the same product on the padded gradient of the output with the flipped, transposed weights; that of
// the weights is a sum of outer products with the pixels as depth.
//
// A 1×1 convolution needs no halo, and its image is one long row of pixels.
type tiledConv struct {
	h, w, in, out, k int
	tiles            *tileSet
	inBlocks         []columnBlock
	outBlocks        []columnBlock
	one              float32 // the left factor that sums pixels for the bias
}

func newTiledConv(h, w, in, out, k int, tiles *tileSet) *tiledConv {
	if k == 1 {
		h, w = 1, h*w
	}
	return &tiledConv{
		h: h, w: w, in: in, out: out, k: k, tiles: tiles,
		inBlocks: tiles.blockList(in), outBlocks: tiles.blockList(out), one: 1,
	}
}

// forwardLen is the length of the panels for forward, which come first in the packed weights.
func (t *tiledConv) forwardLen() int { return t.k * t.k * t.in * t.tiles.paddedCols(t.out) }

func (t *tiledConv) packedLen(gradients bool) int {
	if !gradients {
		return t.forwardLen()
	}
	return t.forwardLen() + t.k*t.k*t.out*t.tiles.paddedCols(t.in)
}

func (t *tiledConv) packScratchLen() int { return 0 }

func (t *tiledConv) scratchLen() int {
	src, dst := t.paddedLen(t.in), t.paddedLen(t.out)
	panel := weightPixels*maxPanelWidth + alignFloats
	return max(src+panel, dst)
}

// paddedLen is the length of an image with c channels and its halo, zero if there is none.
func (t *tiledConv) paddedLen(c int) int {
	if t.k == 1 {
		return 0
	}
	return (t.h + 2) * t.rowLen(c)
}

// rowLen is the length of one row of an image with c channels and its halo.
func (t *tiledConv) rowLen(c int) int { return (t.w + t.k - 1) * c }

func (t *tiledConv) pack(packed, weight, _ []float32) {
	gradients := len(packed) >= t.packedLen(true)
	depth := t.k * t.k * t.in
	for _, blk := range t.outBlocks {
		width := blk.vectors * t.tiles.lanes
		packPanel(packed, weight[blk.col:], t.out, depth, blk.cols, width)
		packed = packed[depth*width:]
	}
	if !gradients {
		return
	}
	taps := t.k * t.k
	for _, blk := range t.inBlocks {
		width := blk.vectors * t.tiles.lanes
		for tap := range taps {
			flipped := weight[((taps-1-tap)*t.in+blk.col)*t.out:]
			packPanelTrans(packed, flipped, t.out, t.out, blk.cols, width)
			packed = packed[t.out*width:]
		}
	}
}

// bands returns the number of rows.
func (t *tiledConv) bands() int { return t.h }

func (t *tiledConv) forward(dst, src, packed, bias []float32, relu bool, from, to int, scratch []float32) {
	flags := 0
	if relu {
		flags = rectified
	}
	t.product(dst, t.out, t.outBlocks, t.pad(scratch, src, t.in), t.in, packed, bias, flags, from, to)
}

func (t *tiledConv) gradInput(dsrc, ddst, packed, scratch []float32) {
	t.product(dsrc, t.in, t.inBlocks, t.pad(scratch, ddst, t.out), t.out, packed[t.forwardLen():], nil, accumulate, 0, t.h)
}

// product convolves the padded image x with cx channels to the rows of y, with cy channels, between from and to, in blocks
// of channels; panels holds the weights of one block after the other.
func (t *tiledConv) product(y []float32, cy int, blocks []columnBlock, x []float32, cx int, panels, bias []float32, flags, from, to int) {
	row := t.rowLen(cx)
	for _, blk := range blocks {
		width := blk.vectors * t.tiles.lanes
		tile, rows := t.tiles.tile[blk.vectors], t.tiles.rows[blk.vectors]
		var b *float32
		if bias != nil {
			b = &bias[blk.col]
		}
		for py := from; py < to; py++ {
			for px := 0; px < t.w; {
				n := part(t.w-px, rows)
				tile(n, t.k, t.k*cx, &x[py*row+px*cx], cx, 1, row, &panels[0], width,
					&y[(py*t.w+px)*cy+blk.col], cy, blk.cols, b, flags)
				px += n
			}
		}
		panels = panels[t.k*t.k*cx*width:]
	}
}

func (t *tiledConv) gradWeight(dweight, dbias, src, ddst, scratch []float32) {
	panel := aligned(scratch)
	x := t.pad(panel[weightPixels*maxPanelWidth:], src, t.in)
	band := max(1, weightPixels/t.w)
	for y := 0; y < t.h; {
		rows := part(t.h-y, band)
		for px := 0; px < t.w; {
			cols := part(t.w-px, weightPixels)
			for _, blk := range t.outBlocks {
				packPanel(panel, ddst[(y*t.w+px)*t.out+blk.col:], t.out, rows*cols, blk.cols, blk.vectors*t.tiles.lanes)
				t.addWeights(dweight, blk, x[y*t.rowLen(t.in)+px*t.in:], panel, rows, cols)
				if dbias != nil {
					t.addBias(dbias, blk, panel, rows*cols)
				}
			}
			px += cols
		}
		y += rows
	}
}

// addWeights adds the outer products of rows×cols pixels, x from the first one's neighbourhood and panel with the
// output gradient, to the columns blk of dweight. The 3·In neighbours in one kernel row are adjacent rows of dweight.
func (t *tiledConv) addWeights(dweight []float32, blk columnBlock, x, panel []float32, rows, cols int) {
	tile, most := t.tiles.tile[blk.vectors], t.tiles.rows[blk.vectors]
	row, run := t.rowLen(t.in), t.k*t.in
	for i := range t.k {
		for c := 0; c < run; {
			n := part(run-c, most)
			tile(n, rows, cols, &x[i*row+c], 1, t.in, row, &panel[0], blk.vectors*t.tiles.lanes,
				&dweight[(i*run+c)*t.out+blk.col], t.out, blk.cols, nil, accumulate)
			c += n
		}
	}
}

// addBias adds the sum over the pixels of panel to the columns blk of dbias.
func (t *tiledConv) addBias(dbias []float32, blk columnBlock, panel []float32, pixels int) {
	t.tiles.tile[blk.vectors](1, 1, pixels, &t.one, 0, 0, 0, &panel[0], blk.vectors*t.tiles.lanes,
		&dbias[blk.col], t.out, blk.cols, nil, accumulate)
}

// pad returns the image src with c channels in a halo of zeros one pixel wide, made in scratch, or src itself for a
// 1×1 kernel.
func (t *tiledConv) pad(scratch, src []float32, c int) []float32 {
	if t.k == 1 {
		return src
	}
	row, inner := t.rowLen(c), t.w*c
	clear(scratch[:row])
	for y := range t.h {
		r := scratch[(y+1)*row : (y+2)*row]
		clear(r[:c])
		copy(r[c:], src[y*inner:(y+1)*inner])
		clear(r[c+inner:])
	}
	clear(scratch[(t.h+1)*row : (t.h+2)*row])
	return scratch
}
