// Command elem generates the elementwise kernels and those of pooling and sums for amd64:
//
//	go run ./elem -out ../elem_amd64.s -stubs ../elem_amd64.go -pkg kernel
//
// Every kernel is written once, for AVX2 and AVX-512 alike.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func main() {
	ConstraintExpr("!purego")
	tailMasks = GLOBL("elemMasks", RODATA|NOPTR)
	for i := range 16 {
		lane := U32(0)
		if i < 8 {
			lane = U32(0xffffffff)
		}
		DATA(4*i, lane)
	}
	constants.table = GLOBL("elemConstants", RODATA|NOPTR)
	for _, s := range []simd{{"AVX512", 64}, {"AVX2", 32}} {
		s.transcendental()
		s.vector()
		s.counts()
		s.image()
		s.sum()
	}
	Generate()
}
