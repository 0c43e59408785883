package main

import "fmt"

// peakSums is the number of independent sums: more than the latency of an FMA times the number of its units.
const peakSums = 24

// emitPeak emits a loop of nothing but fused multiply-adds of registers.
func emitPeak(a *assembly) {
	const rounds = gp(0)
	a.function("peakNEON", fmt.Sprintf("does %d vector FMAs a round.", peakSums), 0, "rounds int")
	a.loadParam("rounds", rounds)
	for i := range peakSums + 1 {
		a.op("VEOR", "V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	a.label("round")
	for i := range peakSums {
		a.fmla(i, peakSums, peakSums, 0)
	}
	a.loop(rounds, "round")
	a.op("RET", "")
}
