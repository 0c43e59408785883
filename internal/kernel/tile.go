package kernel

import "unsafe"

// A tileFunc computes one tile of a matrix product whose left factor is read in place, in runs:
//
//	c[i·ldc + j] = Σ_{r<runs, q<k} a[i·ars + r·arun + q·aks] · b[(r·k+q)·bks + j] + bias[j],   i < rows, j < cols.
//
// Rows of b are read up to the full width of the tile; c and bias are not touched beyond cols. Bias may be nil. Flags
// is a combination of accumulate and rectified. All strides are in floats, all counts at least 1.
type tileFunc func(rows, runs, k int, a *float32, ars, aks, arun int, b *float32, bks int,
	c *float32, ldc, cols int, bias *float32, flags int)

const (
	accumulate = 1 // add the old c
	rectified  = 2 // then replace negative results by zero
)

// A tileSet holds an implementation's tiles, by their width in vectors. Element 0 of rows and tile is unused.
type tileSet struct {
	lanes int        // floats in a vector
	rows  []int      // most rows of a tile
	tile  []tileFunc // the tiles

	winograd *transforms // nil for those in plain Go
}

const (
	// maxPanelWidth bounds the width of a tile in floats.
	maxPanelWidth = 64
	// alignFloats is the number of floats in a cache line.
	alignFloats = 16
)

// A columnBlock is a block of adjacent columns of a product, as wide as a tile.
type columnBlock struct {
	col, cols int // first column, number of columns
	vectors   int // width of the tile
}

// blockList returns the n columns of a product in blocks of nearly equal width.
func (t *tileSet) blockList(n int) []columnBlock {
	var list []columnBlock
	for _, blk := range t.blocks(n) {
		list = append(list, blk)
	}
	return list
}

// blocks returns the n columns of a product in blocks of nearly equal width.
func (t *tileSet) blocks(n int) func(yield func(int, columnBlock) bool) {
	return func(yield func(int, columnBlock) bool) {
		left := (n + t.lanes - 1) / t.lanes
		for i, col := 0, 0; col < n; i++ {
			v := part(left, len(t.tile)-1)
			cols := min(v*t.lanes, n-col)
			if !yield(i, columnBlock{col: col, cols: cols, vectors: v}) {
				return
			}
			left -= v
			col += cols
		}
	}
}

// paddedCols returns n rounded up to whole vectors.
func (t *tileSet) paddedCols(n int) int { return (n + t.lanes - 1) / t.lanes * t.lanes }

// part returns the size of the next part when left things are divided into as few nearly equal parts as possible,
// none larger than largest.
func part(left, largest int) int {
	parts := (left + largest - 1) / largest
	return (left + parts - 1) / parts
}

// packPanel copies a depth×cols matrix with row stride ld into a panel [depth,width] filled up with zeros.
func packPanel(panel, src []float32, ld, depth, cols, width int) {
	for p := range depth {
		row := panel[p*width : (p+1)*width]
		copy(row, src[p*ld:p*ld+cols])
		clear(row[cols:])
	}
}

// packPanelTrans is packPanel for a matrix stored transposed, cols×depth with row stride ld.
func packPanelTrans(panel, src []float32, ld, depth, cols, width int) {
	for j := range cols {
		for p, v := range src[j*ld : j*ld+depth] {
			panel[p*width+j] = v
		}
	}
	for p := range depth {
		clear(panel[p*width+cols : (p+1)*width])
	}
}

// aligned returns s from its first element at a cache line's start.
func aligned(s []float32) []float32 {
	const line = alignFloats * 4
	past := int(uintptr(unsafe.Pointer(unsafe.SliceData(s))) % line)
	return s[(line-past)%line/4:]
}
