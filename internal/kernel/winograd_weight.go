package kernel

// winogradRows is the most input channels whose sums for a block of output channels are made together: those of all
// points should stay in the second-level cache.
const winogradRows = 48

// gradWeight transforms the patches of src and the tiles of ddst; for each point the product of the former, transposed,
// with the latter sums over the tiles. The sums are transformed to the gradient of the weights at the end.
func (c *winogradConv) gradWeight(dweight, dbias, src, ddst, scratch []float32) {
	work := newWinogradWork(scratch)
	w := &work
	most := c.gradBlockRows()
	plane := most*c.tw*c.in + winogradPad
	u, v, sums := w.take(winogradPoints*plane), w.take(c.gradTilesLen()), w.take(c.sumsLen())
	for ty := 0; ty < c.th; {
		rows := part(c.th-ty, most)
		for r := range rows {
			p := patches{image: src, channels: c.in, block: columnBlock{cols: c.in}, y: (ty+r)*winogradTile - 1, side: winogradSide}
			c.transformRow(c.f.input, p, u[r*c.tw*c.in:], plane, c.in, w)
		}
		c.transformTiles(v, ddst, ty, rows, w)
		c.addSums(dweight, sums, u, plane, v, rows*c.tw, ty == 0, ty+rows == c.th, w)
		ty += rows
	}
	if dbias != nil {
		c.addBias(dbias, ddst)
	}
}

func (c *winogradConv) gradWeightLen() int {
	plane := c.gradBlockRows()*c.tw*c.in + winogradPad
	return winogradPoints*plane + c.gradTilesLen() + c.sumsLen()
}

func (c *winogradConv) gradBlockRows() int { return c.blockRows(c.in, c.tiles.paddedCols(c.out)) }

// gradTilesLen is the length of the transformed tiles of a block.
func (c *winogradConv) gradTilesLen() int {
	return winogradPoints * (c.gradBlockRows()*c.tw*c.tiles.paddedCols(c.out) + len(c.outBlocks)*winogradPad)
}

// sumsLen is the length of all sums if they are to be kept from one block of tiles to the next, else of one block of
// channels.
func (c *winogradConv) sumsLen() int {
	if c.gradBlockRows() == c.th {
		return winogradPoints * (winogradRows*maxPanelWidth + winogradPad)
	}
	parts := (c.in + winogradRows - 1) / winogradRows
	return winogradPoints * (c.in*c.tiles.paddedCols(c.out) + parts*len(c.outBlocks)*winogradPad)
}

// transformTiles transforms rows of tiles of ddst from ty on to v, for each block of output channels a panel
// [points,tiles,width].
func (c *winogradConv) transformTiles(v, ddst []float32, ty, rows int, w *winogradWork) {
	for _, blk := range c.outBlocks {
		width := blk.vectors * c.tiles.lanes
		plane := rows*c.tw*width + winogradPad
		for r := range rows {
			p := patches{image: ddst, channels: c.out, block: blk, y: (ty + r) * winogradTile, side: winogradTile}
			c.transformRow(c.f.gradient, p, v[r*c.tw*width:], plane, width, w)
		}
		v = v[winogradPoints*plane:]
	}
}

// addSums adds the products of a block of tiles to the sums, which are cleared before the first block and added to
// dweight after the last.
func (c *winogradConv) addSums(dweight, sums, u []float32, uPlane int, v []float32, tiles int, first, last bool, w *winogradWork) {
	flags := accumulate
	if first {
		flags = 0
	}
	for _, blk := range c.outBlocks {
		width := blk.vectors * c.tiles.lanes
		vPlane := tiles*width + winogradPad
		for i := 0; i < c.in; {
			rows := part(c.in-i, winogradRows)
			plane := rows*width + winogradPad
			for p := range winogradPoints {
				c.addOuter(sums[p*plane:], rows, u[p*uPlane+i:], v[p*vPlane:], tiles, blk, flags)
			}
			if last {
				c.f.weightAdd(rows, blk.cols, &sums[0], winogradSide*plane, plane, width,
					&dweight[i*c.out+blk.col], 3*c.in*c.out, c.in*c.out, c.out, w.tmp, nil, 0)
			}
			if !first || !last {
				sums = sums[winogradPoints*plane:]
			}
			i += rows
		}
		v = v[winogradPoints*vPlane:]
	}
}

// addOuter adds the outer products of tiles, at one point, of rows channels in u with the block blk in v.
func (c *winogradConv) addOuter(sums []float32, rows int, u, v []float32, tiles int, blk columnBlock, flags int) {
	width := blk.vectors * c.tiles.lanes
	for r := 0; r < rows; {
		n := part(rows-r, c.tiles.rows[blk.vectors])
		c.tiles.tile[blk.vectors](n, 1, tiles, &u[r], 1, c.in, 0, &v[0], width, &sums[r*width], width, blk.cols, nil, flags)
		r += n
	}
}

// addBias adds the sum of ddst over the pixels to dbias. A tile reads whole vectors, which may end
// outside of ddst for the last pixels; these are added one by one.
func (c *winogradConv) addBias(dbias, ddst []float32) {
	pixels := c.h * c.w
	for _, blk := range c.outBlocks {
		width := blk.vectors * c.tiles.lanes
		inside := max(0, pixels-(width-blk.cols+c.out-1)/c.out)
		for p := 0; p < inside; {
			n := part(inside-p, weightPixels)
			c.tiles.tile[blk.vectors](1, 1, n, &c.one, 0, 0, 0, &ddst[p*c.out+blk.col], c.out,
				&dbias[blk.col], c.out, blk.cols, nil, accumulate)
			p += n
		}
		for p := inside; p < pixels; p++ {
			addPixels(dbias[blk.col:], 0, ddst[p*c.out+blk.col:], 0, 1, blk.cols)
		}
	}
}
