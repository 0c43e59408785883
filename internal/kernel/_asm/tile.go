package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Registers of a tile. Physical ones are used throughout: a tile is planned by hand to fill the register file.
var (
	count = RAX // depth counter, scratch outside the loop
	runs  = RBX
	depth = RCX
	aRun  = RDX // a at the start of the run; c in the epilogue
	b     = RSI
	bStep = RDI
	aRow  = R8 // stride between rows of a; of c in the epilogue
	aStep = R9
	aPtr  = []GPPhysical{R10, R11, R12, R13} // every third row of a
	run   = R14
)

// A tile describes the code of one tile function, which handles any number of rows up to a maximum by a block of code
// for each.
type tile struct {
	name    string
	vectors int // width
	bytes   int // in a vector
	rows    int // most rows
}

// signature is that of kernel.tileFunc.
const signature = "func(rows, runs, k int, a *float32, ars, aks, arun int, b *float32, bks int, " +
	"c *float32, ldc, cols int, bias *float32, flags int)"

// begin opens the function and loads what all numbers of rows share.
func (t tile) begin() {
	TEXT(t.name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(fmt.Sprintf("%s is a tileFunc of up to %d rows of %d floats.", t.name, t.rows, t.vectors*t.bytes/4))
	Load(Param("runs"), runs)
	Load(Param("k"), depth)
	Load(Param("a"), aRun)
	Load(Param("b"), b)
	for _, p := range []struct {
		name string
		r    GPPhysical
	}{{"ars", aRow}, {"aks", aStep}, {"arun", run}, {"bks", bStep}} {
		Load(Param(p.name), p.r)
		SHLQ(U8(2), p.r)
	}
}

// dispatch jumps to the block for the number of rows; rows == 1 falls through.
func (t tile) dispatch() {
	Load(Param("rows"), count)
	for r := t.rows; r > 1; r-- {
		CMPQ(count, U8(uint8(r)))
		JEQ(LabelRef(t.label(r, "")))
	}
}

func (t tile) label(rows int, part string) string { return fmt.Sprintf("rows%d%s", rows, part) }

// accumulate emits the loops over runs and depth, with step emitting one rank-1 update.
func (t tile) accumulate(rows int, step func(a func(i int) Mem)) {
	Label(t.label(rows, "run"))
	ptrs := aPtr[:(rows+2)/3]
	MOVQ(aRun, ptrs[0])
	if len(ptrs) > 1 {
		LEAQ(Mem{Base: aRow, Index: aRow, Scale: 2}, count)
	}
	for i := 1; i < len(ptrs); i++ {
		LEAQ(Mem{Base: ptrs[i-1], Index: count, Scale: 1}, ptrs[i])
	}
	MOVQ(depth, count)
	Label(t.label(rows, "depth"))
	step(func(i int) Mem {
		m := Mem{Base: ptrs[i/3]}
		if i%3 > 0 {
			m.Index, m.Scale = aRow, uint8(i%3)
		}
		return m
	})
	for _, p := range ptrs {
		ADDQ(aStep, p)
	}
	ADDQ(bStep, b)
	DECQ(count)
	JNE(LabelRef(t.label(rows, "depth")))
	ADDQ(run, aRun)
	DECQ(runs)
	JNE(LabelRef(t.label(rows, "run")))
}

// epilogue finishes the sums and stores them; kind makes its labels unique.
func (t tile) epilogue(rows int, kind string, add, rectify, store func(i, j int, c Mem)) {
	Load(Param("ldc"), aRow)
	SHLQ(U8(2), aRow)
	Load(Param("flags"), count)
	TESTB(U8(1), count.As8())
	JEQ(LabelRef(t.label(rows, kind+"added")))
	t.eachOfC(rows, add)
	Label(t.label(rows, kind+"added"))
	TESTB(U8(2), count.As8())
	JEQ(LabelRef(t.label(rows, kind+"rectified")))
	for i := range rows {
		for j := range t.vectors {
			rectify(i, j, Mem{})
		}
	}
	Label(t.label(rows, kind+"rectified"))
	t.eachOfC(rows, store)
	VZEROUPPER()
	RET()
}

// eachOfC emits f for every vector of the tile of c.
func (t tile) eachOfC(rows int, f func(i, j int, c Mem)) {
	Load(Param("c"), aRun)
	for i := range rows {
		for j := range t.vectors {
			f(i, j, Mem{Base: aRun, Disp: j * t.bytes})
		}
		if i < rows-1 {
			ADDQ(aRow, aRun)
		}
	}
}
