package main

import (
	"fmt"
	"strings"
)

// tileRows is the most rows of a tile 1, 2, 3 and 4 vectors wide: at most 24 of the 32 vector registers hold sums.
var tileRows = []int{12, 12, 8, 6}

// General registers of a tile.
const (
	count = gp(0) // depth counter, scratch outside the loop
	runs  = gp(1)
	depth = gp(2)
	aRun  = gp(3) // a at the start of the run; c in the epilogue
	b     = gp(4)
	bStep = gp(5)
	aStep = gp(6)
	run   = gp(7)
	aPtr  = gp(8) // row 0 of a; the buffer in the tail
	bias  = gp(19)
	cols  = gp(20)
	flags = gp(21)
	ldc   = gp(22)
	left  = gp(23)
)

// aRow are the distances of rows 1, 2, … of a from row 0.
var aRow = []gp{9, 10, 11, 12, 13, 14, 15, 16, 17, 24, 25}

// Vector registers: the sums come first, the row of b next, and what is left holds elements of a. In the epilogue
// there are neither.
const (
	firstB = 24
	zero   = 31
)

// tileParams are the parameters of kernel.tileFunc.
const tileParams = "rows int, runs int, k int, a *float32, ars int, aks int, arun int, b *float32, bks int, c *float32, " +
	"ldc int, cols int, bias *float32, flags int"

// A tile emits one tile function, which handles any number of rows up to a maximum by a block of code for each.
type tile struct {
	*assembly
	vectors int // width
	rows    int // most rows
}

func newTile(a *assembly, vectors, rows int) tile {
	return tile{assembly: a, vectors: vectors, rows: rows}
}

// frame is the size of the buffer in the stack frame, which has room for the sums.
func (t tile) frame() int { return t.rows * t.vectors * bytes }

// buffer emits the load of the buffer's address.
func (t tile) buffer(reg gp) { t.op("MOVD", "$buffer-%d(SP), %s", t.frame(), reg) }

// acc is the number of the register with the sums of row i in vector j.
func (t tile) acc(i, j int) int { return i*t.vectors + j }

// list is the operand that names a tile's width of vector registers from the given one.
func (t tile) list(first int) string {
	names := make([]string, t.vectors)
	for j := range names {
		names[j] = fmt.Sprintf("V%d.S4", first+j)
	}
	return "[" + strings.Join(names, ", ") + "]"
}

func label(rows int, part string) string { return fmt.Sprintf("rows%d%s", rows, part) }

func (t tile) emit() {
	doc := fmt.Sprintf("is a tileFunc of up to %d rows of %d floats.", t.rows, t.vectors*lanes)
	t.function(fmt.Sprintf("tile%dNEON", t.vectors), doc, t.frame(), tileParams)
	t.begin()
	for rows := t.rows; rows >= 1; rows-- {
		t.block(rows)
	}
	t.tail()
}

// begin loads what all numbers of rows share and jumps to the block for the number of rows; the most fall through.
func (t tile) begin() {
	t.loadParam("runs", runs)
	t.loadParam("k", depth)
	t.loadParam("a", aRun)
	t.loadParam("b", b)
	t.loadStride("aks", aStep)
	t.loadStride("arun", run)
	t.loadStride("bks", bStep)
	t.loadStride("ars", aRow[0])
	t.loadParam("cols", cols)
	t.loadParam("flags", flags)
	t.loadStride("ldc", ldc)
	t.biasRow()
	t.loadParam("rows", count)
	for r := 1; r < t.rows; r++ {
		t.op("CMP", "$%d, %s", r, count)
		t.op("BEQ", "%s", label(r, ""))
	}
}

// biasRow loads the address of the bias; of a narrow one that of a copy, which can be read in whole vectors.
func (t tile) biasRow() {
	t.loadParam("bias", bias)
	t.op("CBZ", "%s, dispatch", bias)
	t.op("CMP", "$%d, %s", t.vectors*lanes, cols)
	t.op("BEQ", "dispatch")
	t.buffer(aPtr)
	t.op("MOVD", "%s, %s", cols, count)
	t.label("copybias")
	t.op("FMOVS.P", "4(%s), F0", bias)
	t.op("FMOVS.P", "F0, 4(%s)", aPtr)
	t.loop(count, "copybias")
	t.buffer(bias)
	t.label("dispatch")
}

// block emits the code for a number of rows.
func (t tile) block(rows int) {
	t.label(label(rows, ""))
	for i := range rows * t.vectors {
		t.op("VEOR", "V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	t.op("CBZ", "%s, %s", bias, label(rows, "offsets"))
	for i := range rows {
		t.op("VLD1", "(%s), %s", bias, t.list(t.acc(i, 0)))
	}
	t.label(label(rows, "offsets"))
	for i := 1; i < rows-1; i++ {
		t.op("ADD", "%s, %s, %s", aRow[0], aRow[i-1], aRow[i])
	}
	t.accumulate(rows)
	t.epilogue(rows)
}

// accumulate emits the loops over runs and depth.
func (t tile) accumulate(rows int) {
	t.label(label(rows, "run"))
	t.op("MOVD", "%s, %s", aRun, aPtr)
	t.op("MOVD", "%s, %s", depth, count)
	t.label(label(rows, "depth"))
	t.step(rows)
	t.op("ADD", "%s, %s", aStep, aPtr)
	t.loop(count, label(rows, "depth"))
	t.op("ADD", "%s, %s", run, aRun)
	t.loop(runs, label(rows, "run"))
}

// step emits one rank-1 update. Elements of a are loaded as early as there are registers for them.
func (t tile) step(rows int) {
	firstA := firstB + t.vectors
	ahead := 32 - firstA
	a := func(i int) int { return firstA + i%ahead }
	loadA := func(i int) {
		address := fmt.Sprintf("(%v)", aPtr)
		if i > 0 {
			address += fmt.Sprintf("(%v)", aRow[i-1])
		}
		t.op("FMOVS", "%s, F%d", address, a(i))
	}
	t.op("VLD1.P", "(%s)(%s), %s", b, bStep, t.list(firstB))
	for i := range min(ahead, rows) {
		loadA(i)
	}
	for i := range rows {
		for j := range t.vectors {
			t.fmla(t.acc(i, j), firstB+j, a(i), 0)
		}
		if i+ahead < rows {
			loadA(i + ahead)
		}
	}
}

// epilogue finishes the sums and stores them. A tile that is not full leaves that to the tail.
func (t tile) epilogue(rows int) {
	added, rectified := label(rows, "added"), label(rows, "rectified")
	t.op("CMP", "$%d, %s", t.vectors*lanes, cols)
	t.op("BNE", "%s", label(rows, "spill"))
	t.op("TBZ", "$0, %s, %s", flags, added)
	t.loadParam("c", aRun)
	for i := range rows {
		t.op("VLD1.P", "(%s)(%s), %s", aRun, ldc, t.list(firstB))
		for j := range t.vectors {
			t.fadd(t.acc(i, j), t.acc(i, j), firstB+j)
		}
	}
	t.label(added)
	t.op("TBZ", "$1, %s, %s", flags, rectified)
	t.op("VEOR", "V%d.B16, V%d.B16, V%d.B16", zero, zero, zero)
	for i := range rows * t.vectors {
		t.fmax(i, i, zero)
	}
	t.label(rectified)
	t.loadParam("c", aRun)
	t.storeRows(rows, aRun, ldc)
	t.op("RET", "")

	t.label(label(rows, "spill"))
	t.buffer(aRun)
	t.op("MOVD", "$%d, %s", t.vectors*bytes, count)
	t.storeRows(rows, aRun, count)
	t.op("MOVD", "$%d, %s", rows, left)
	if rows > 1 {
		t.op("B", "tail")
	}
}

// storeRows emits the stores of the sums, a row every stride bytes from ptr.
func (t tile) storeRows(rows int, ptr, stride gp) {
	for i := range rows {
		t.op("VST1.P", "%s, (%s)(%s)", t.list(t.acc(i, 0)), ptr, stride)
	}
}

// tail emits the epilogue of the left rows of sums in the buffer, float by float. It is the same for all numbers of
// rows, and the last block falls through to it.
func (t tile) tail() {
	const src, dst = gp(9), gp(10)
	t.label("tail")
	t.loadParam("c", aRun)
	t.buffer(aPtr)
	t.op("FMOVS", "ZR, F1")
	t.label("tailrow")
	t.op("MOVD", "%s, %s", aPtr, src)
	t.op("MOVD", "%s, %s", aRun, dst)
	t.op("MOVD", "%s, %s", cols, count)
	t.label("tailcol")
	t.op("FMOVS.P", "4(%s), F0", src)
	t.op("TBZ", "$0, %s, tailadded", flags)
	t.op("FMOVS", "(%s), F2", dst)
	t.op("FADDS", "F2, F0, F0")
	t.label("tailadded")
	t.op("TBZ", "$1, %s, tailrectified", flags)
	t.op("FMAXS", "F1, F0, F0")
	t.label("tailrectified")
	t.op("FMOVS.P", "F0, 4(%s)", dst)
	t.loop(count, "tailcol")
	t.op("ADD", "$%d, %s", t.vectors*bytes, aPtr)
	t.op("ADD", "%s, %s", ldc, aRun)
	t.loop(left, "tailrow")
	t.op("RET", "")
}
