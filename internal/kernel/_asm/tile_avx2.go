package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// avx2Rows is the most rows of a tile 1 and 2 vectors wide: at most 12 of the 16 registers hold sums.
var avx2Rows = []int{12, 6}

var ymm = []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}

// maskLanes is the number of columns a mask table serves, the widest tile's.
const maskLanes = 16

// maskTable emits 16 lanes of ones and 16 of zeros; the mask for n columns starts n lanes before the zeros.
func maskTable() Mem {
	table := GLOBL("tileMasks", RODATA|NOPTR)
	for i := range 2 * maskLanes {
		lane := U32(0)
		if i < maskLanes {
			lane = U32(0xffffffff)
		}
		DATA(4*i, lane)
	}
	return table
}

func tileAVX2(vectors, maxRows int, table Mem) {
	t := tile{name: fmt.Sprintf("tile%dAVX2", vectors), vectors: vectors, bytes: 32, rows: maxRows}
	t.begin()
	t.dispatch()
	for rows := 1; rows <= maxRows; rows++ {
		Label(t.label(rows, ""))
		t.rowsAVX2(rows, table)
	}
}

func (t tile) rowsAVX2(rows int, table Mem) {
	acc := func(i, j int) VecPhysical { return ymm[i*t.vectors+j] }
	bv := ymm[12 : 12+t.vectors]
	av := ymm[14:]
	mask, temp, zero := ymm[12:14], ymm[14], ymm[15]

	loadMasks := func() {
		LEAQ(table.Offset(4*maskLanes), aPtr[0])
		Load(Param("cols"), aPtr[1])
		SHLQ(U8(2), aPtr[1])
		SUBQ(aPtr[1], aPtr[0])
		for j := range t.vectors {
			VMOVUPS(Mem{Base: aPtr[0], Disp: j * t.bytes}, mask[j])
		}
	}

	Load(Param("bias"), count)
	for i := range rows {
		for j := range t.vectors {
			VXORPS(acc(i, j), acc(i, j), acc(i, j))
		}
	}
	TESTQ(count, count)
	JEQ(LabelRef(t.label(rows, "run")))
	loadMasks()
	for j := range t.vectors {
		VMASKMOVPS(Mem{Base: count, Disp: j * t.bytes}, mask[j], acc(0, j))
		for i := 1; i < rows; i++ {
			VMOVAPS(acc(0, j), acc(i, j))
		}
	}

	t.accumulate(rows, func(a func(i int) Mem) {
		for j := range bv {
			VMOVUPS(Mem{Base: b, Disp: j * t.bytes}, bv[j])
		}
		for i := range rows {
			x := av[i%len(av)]
			VBROADCASTSS(a(i), x)
			for j := range bv {
				VFMADD231PS(x, bv[j], acc(i, j))
			}
		}
	})

	// Masked stores are slow on some processors, so a full tile does without.
	VXORPS(zero, zero, zero)
	rectify := func(i, j int, _ Mem) { VMAXPS(acc(i, j), zero, acc(i, j)) } // NaN stays: it is the second operand
	Load(Param("cols"), count)
	CMPQ(count, U8(uint8(t.vectors*t.bytes/4)))
	JNE(LabelRef(t.label(rows, "masked")))
	t.epilogue(rows, "",
		func(i, j int, c Mem) { VADDPS(c, acc(i, j), acc(i, j)) },
		rectify,
		func(i, j int, c Mem) { VMOVUPS(acc(i, j), c) })
	Label(t.label(rows, "masked"))
	loadMasks()
	t.epilogue(rows, "masked",
		func(i, j int, c Mem) {
			VMASKMOVPS(c, mask[j], temp)
			VADDPS(temp, acc(i, j), acc(i, j))
		},
		rectify,
		func(i, j int, c Mem) { VMASKMOVPS(acc(i, j), mask[j], c) })
}
