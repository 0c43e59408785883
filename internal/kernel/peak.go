package kernel

// A peakLoop does nothing but fused multiply-adds on registers.
type peakLoop struct {
	run   func(rounds int)
	flops int // a round
}

// PeakFlops does that many rounds of fused multiply-adds on registers, as fast as a core can, and returns how many
// floating-point operations they were: the yardstick for the other kernels. It returns 0 at once where the
// implementation in use has no such loop.
func PeakFlops(rounds int) float64 {
	p := active.Load().peak
	if p.run == nil || rounds < 1 {
		return 0
	}
	p.run(rounds)
	return float64(rounds) * float64(p.flops)
}
