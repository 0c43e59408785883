// Command asm generates the amd64 assembly of internal/kernel:
//
//	go run . -out ../tile_amd64.s -stubs ../tile_amd64.go -pkg kernel
package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

func main() {
	build.ConstraintExpr("!purego")
	for v, rows := range avx512Rows {
		tileAVX512(v+1, rows)
	}
	masks := maskTable()
	for v, rows := range avx2Rows {
		tileAVX2(v+1, rows, masks)
	}
	winograd(masks)
	peak("peakAVX512", zmm, func(a, b, sum operand.Op) { build.VFMADD231PS(a, b, sum) })
	peak("peakAVX2", ymm, func(a, b, sum operand.Op) { build.VFMADD231PS(a, b, sum) })
	build.Generate()
}
