package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// peakSums is the number of independent sums: more than the latency of an FMA times the number of its units.
const peakSums = 12

// peak emits a loop of nothing but fused multiply-adds of registers.
func peak(name string, sums []VecPhysical, fma func(a, b, sum Op)) {
	TEXT(name, NOSPLIT, "func(rounds int)")
	Doc(fmt.Sprintf("%s does %d vector FMAs a round.", name, peakSums))
	Load(Param("rounds"), count)
	for _, s := range sums[:peakSums+2] {
		VXORPS(s.AsX(), s.AsX(), s.AsX())
	}
	Label("round")
	for _, s := range sums[2 : peakSums+2] {
		fma(sums[0], sums[1], s)
	}
	DECQ(count)
	JNE(LabelRef("round"))
	VZEROUPPER()
	RET()
}
