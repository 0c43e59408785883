package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// avx512Rows is the most rows of a tile 1, 2, 3 and 4 vectors wide: at most 24 of the 32 registers hold sums.
var avx512Rows = []int{12, 12, 8, 6}

var (
	zmm = []VecPhysical{
		Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
		Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31,
	}
	masks512 = []OpmaskPhysical{K1, K2, K3, K4}
)

func tileAVX512(vectors, maxRows int) {
	t := tile{name: fmt.Sprintf("tile%dAVX512", vectors), vectors: vectors, bytes: 64, rows: maxRows}
	t.begin()

	// One mask bit for every column.
	Load(Param("cols"), count)
	MOVQ(I32(-1), aPtr[0])
	BZHIQ(count, aPtr[0], aPtr[0])
	for j := range vectors {
		KMOVW(aPtr[0].As32(), masks512[j])
		if j < vectors-1 {
			SHRQ(U8(16), aPtr[0])
		}
	}
	t.dispatch()
	for rows := 1; rows <= maxRows; rows++ {
		Label(t.label(rows, ""))
		t.rowsAVX512(rows)
	}
}

func (t tile) rowsAVX512(rows int) {
	acc := func(i, j int) VecPhysical { return zmm[i*t.vectors+j] }
	bv := zmm[24 : 24+t.vectors]
	av := zmm[24+t.vectors:]

	Load(Param("bias"), count)
	for i := range rows {
		for j := range t.vectors {
			VPXORD(acc(i, j), acc(i, j), acc(i, j))
		}
	}
	TESTQ(count, count)
	JEQ(LabelRef(t.label(rows, "run")))
	for j := range t.vectors {
		VMOVUPS_Z(Mem{Base: count, Disp: j * t.bytes}, masks512[j], acc(0, j))
		for i := 1; i < rows; i++ {
			VMOVAPS(acc(0, j), acc(i, j))
		}
	}

	t.accumulate(rows, func(a func(i int) Mem) {
		for j := range bv {
			VMOVUPS(Mem{Base: b, Disp: j * t.bytes}, bv[j])
		}
		for i := range rows {
			if t.vectors == 1 {
				VFMADD231PS_BCST(a(i), bv[0], acc(i, 0))
				continue
			}
			x := av[i%len(av)]
			VBROADCASTSS(a(i), x)
			for j := range bv {
				VFMADD231PS(x, bv[j], acc(i, j))
			}
		}
	})

	zero := Z31
	VPXORD(zero, zero, zero)
	t.epilogue(rows, "",
		func(i, j int, c Mem) { VADDPS(c, acc(i, j), masks512[j], acc(i, j)) },
		func(i, j int, _ Mem) { VMAXPS(acc(i, j), zero, acc(i, j)) }, // NaN stays: it is the second operand
		func(i, j int, c Mem) { VMOVUPS(acc(i, j), masks512[j], c) })
}
