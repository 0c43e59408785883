package kernel

import "math"

const (
	// winogradBlock is the length of the transformed patches worked on at a time, which should stay in the second-level
	// cache beside a panel of weights.
	winogradBlock = 1 << 17
	// winogradTiles is the least number of tiles in a block if there are so many: enough to make the loading of the
	// weights cheap.
	winogradTiles = 32
	// winogradPad separates the planes of the transformed patches, which would else fall into the same cache sets.
	winogradPad = alignFloats
)

// winogradConv computes the 3×3 convolution by Winograd's minimal filtering algorithm; see transforms. For each point the
// transformed patches under a block of tiles form a tiles×In matrix, which is multiplied by the In×Out matrix of the
// transformed weights. The gradient of the input is the convolution of the output's gradient with the flipped, transposed
// weights.
type winogradConv struct {
	h, w, in, out int
	th, tw        int // tiles down and across
	tiles         *tileSet
	f             *transforms
	inBlocks      []columnBlock
	outBlocks     []columnBlock
	one           float32 // the left factor that sums pixels for the bias
}

func newWinogradConv(h, w, in, out int, tiles *tileSet) *winogradConv {
	c := &winogradConv{
		h: h, w: w, in: in, out: out, th: (h + winogradTile - 1) / winogradTile, tw: (w + winogradTile - 1) / winogradTile,
		tiles: tiles, f: tiles.winograd, inBlocks: tiles.blockList(in), outBlocks: tiles.blockList(out), one: 1,
	}
	if c.f == nil {
		c.f = &plainTransforms
	}
	return c
}

// panelPlane is the distance between the points of a panel of the weights from cx channels to a block.
func (c *winogradConv) panelPlane(cx int, blk columnBlock) int {
	return cx*blk.vectors*c.tiles.lanes + winogradPad
}

// panelsLen is the length of the panels of the weights from cx channels to all blocks.
func (c *winogradConv) panelsLen(cx int, blocks []columnBlock) int {
	n := 0
	for _, blk := range blocks {
		n += winogradPoints * c.panelPlane(cx, blk)
	}
	return n
}

// forwardLen is the length of the panels for forward, which come first in the packed weights.
func (c *winogradConv) forwardLen() int { return c.panelsLen(c.in, c.outBlocks) }

func (c *winogradConv) packedLen(gradients bool) int {
	if !gradients {
		return c.forwardLen()
	}
	return c.forwardLen() + c.panelsLen(c.out, c.inBlocks)
}

// flippedChannels is the number of output channels whose flipped weights are packed at a time.
const flippedChannels = 24

func (c *winogradConv) packScratchLen() int {
	return alignFloats + tmpLen + 9*flippedChannels*maxPanelWidth
}

func (c *winogradConv) scratchLen() int {
	const align = 4 * alignFloats
	return align + tmpLen + maxPanelWidth + c.stripLen(max(c.in, c.out)) +
		max(c.productLen(c.in), c.productLen(c.out), c.gradWeightLen())
}

// productLen is the length of the transformed patches of a block with cx channels and of their products with a panel.
func (c *winogradConv) productLen(cx int) int {
	return winogradPoints * (c.blockRows(cx, maxPanelWidth)*c.tw*(cx+maxPanelWidth) + 2*winogradPad)
}

// stripLen is the length of the patches under one row of tiles, with channels of them.
func (c *winogradConv) stripLen(channels int) int {
	return winogradSide * (c.tw*winogradTile + 2) * channels
}

// blockRows returns the number of rows of tiles in a block whose transforms have cx and cy channels.
func (c *winogradConv) blockRows(cx, cy int) int {
	most := max(winogradBlock/(winogradPoints*(cx+cy)*c.tw), (winogradTiles+c.tw-1)/c.tw)
	return part(c.th, most)
}

// pack transforms the weights, for each block of output channels into a panel [points,In,width], then, for gradInput, for
// each block of input channels the flipped, transposed weights into a panel [points,Out,width].
func (c *winogradConv) pack(packed, weight, scratch []float32) {
	gradients := len(packed) >= c.packedLen(true)
	scratch = aligned(scratch)
	tmp, buf := &scratch[0], scratch[tmpLen:]
	for _, blk := range c.outBlocks {
		plane := c.panelPlane(c.in, blk)
		c.f.weight(c.in, blk.cols, &weight[blk.col], 3*c.in*c.out, c.in*c.out, c.out,
			&packed[0], winogradSide*plane, plane, blk.vectors*c.tiles.lanes, tmp, nil, 0)
		packed = packed[winogradPoints*plane:]
	}
	if !gradients {
		return
	}
	const most = flippedChannels
	for _, blk := range c.inBlocks {
		width, plane := blk.vectors*c.tiles.lanes, c.panelPlane(c.out, blk)
		for o := 0; o < c.out; o += most {
			n := min(most, c.out-o)
			for tap := range 9 {
				packPanelTrans(buf[tap*most*width:], weight[((8-tap)*c.in+blk.col)*c.out+o:], c.out, n, blk.cols, width)
			}
			c.f.weight(n, blk.cols, &buf[0], 3*most*width, most*width, width,
				&packed[o*width], winogradSide*plane, plane, width, tmp, nil, 0)
		}
		packed = packed[winogradPoints*plane:]
	}
}

// bands returns the number of blocks of output channels where the weights are longer than the image, so that each is read
// in one band only, else the number of rows of tiles.
func (c *winogradConv) bands() int {
	if c.cutsChannels() {
		return len(c.outBlocks)
	}
	return c.th
}

func (c *winogradConv) cutsChannels() bool {
	return len(c.outBlocks) > 1 && c.forwardLen() > c.h*c.w*c.in
}

func (c *winogradConv) forward(dst, src, packed, bias []float32, relu bool, from, to int, scratch []float32) {
	w := newWinogradWork(scratch)
	e := winogradEnd{bias: bias, floor: float32(math.Inf(-1))}
	if relu {
		e.floor = 0
	}
	blocks := c.outBlocks
	if c.cutsChannels() {
		packed = packed[c.panelsLen(c.in, blocks[:from]):]
		blocks, from, to = blocks[from:to], 0, c.th
	}
	c.product(dst, c.out, blocks, src, c.in, packed, e, from, to, &w)
}

func (c *winogradConv) gradInput(dsrc, ddst, packed, scratch []float32) {
	w := newWinogradWork(scratch)
	e := winogradEnd{add: true, floor: float32(math.Inf(-1))}
	c.product(dsrc, c.in, c.inBlocks, ddst, c.out, packed[c.forwardLen():], e, 0, c.th, &w)
}

// winogradEnd says what becomes of the outputs: they are added to the old ones, or these are replaced after adding the
// bias, unless it is nil, and raising the outputs to the floor.
type winogradEnd struct {
	add   bool
	bias  []float32
	floor float32
}

// winogradWork is the scratch of a call.
type winogradWork struct {
	tmp  *float32  // scratch of a transform
	zero []float32 // the bias of a block of channels that has none
	rest []float32
}

func newWinogradWork(scratch []float32) winogradWork {
	w := winogradWork{rest: aligned(scratch)}
	w.tmp = &w.take(tmpLen)[0]
	w.zero = w.take(maxPanelWidth)
	clear(w.zero)
	return w
}

// take returns the next n floats, from the start of a cache line.
func (w *winogradWork) take(n int) []float32 {
	s := w.rest
	w.rest = w.rest[(n+alignFloats-1)/alignFloats*alignFloats:]
	return s[:n]
}

// product convolves x with cx channels to y with cy channels in the rows of tiles between from and to, in blocks of tiles
// and channels; panels holds the weights of one block of channels after the other.
func (c *winogradConv) product(y []float32, cy int, blocks []columnBlock, x []float32, cx int, panels []float32,
	e winogradEnd, from, to int, w *winogradWork,
) {
	most := c.blockRows(cx, maxPanelWidth)
	plane := most*c.tw*cx + winogradPad
	u := w.take(winogradPoints * plane)
	products := w.take(winogradPoints * (most*c.tw*maxPanelWidth + winogradPad))
	for ty := from; ty < to; {
		rows := part(to-ty, most)
		for r := range rows {
			p := patches{image: x, channels: cx, block: columnBlock{cols: cx}, y: (ty+r)*winogradTile - 1, side: winogradSide}
			c.transformRow(c.f.input, p, u[r*c.tw*cx:], plane, cx, w)
		}
		panel := panels
		for _, blk := range blocks {
			width := blk.vectors * c.tiles.lanes
			c.multiply(products, u, plane, rows*c.tw, cx, panel, blk)
			for r := range rows {
				c.outputRow(y, cy, blk, ty+r, products[r*c.tw*width:], rows*c.tw*width+winogradPad, e, w)
			}
			panel = panel[winogradPoints*c.panelPlane(cx, blk):]
		}
		ty += rows
	}
}

// multiply multiplies the transformed patches u of tiles with the weights in panel, for each point.
func (c *winogradConv) multiply(products, u []float32, plane, tiles, cx int, panel []float32, blk columnBlock) {
	width, panelPlane := blk.vectors*c.tiles.lanes, c.panelPlane(cx, blk)
	tile, most := c.tiles.tile[blk.vectors], c.tiles.rows[blk.vectors]
	for p := range winogradPoints {
		for t := 0; t < tiles; {
			n := part(tiles-t, most)
			tile(n, 1, cx, &u[p*plane+t*cx], cx, 1, 0, &panel[p*panelPlane], width,
				&products[p*(tiles*width+winogradPad)+t*width], width, blk.cols, nil, 0)
			t += n
		}
	}
}
