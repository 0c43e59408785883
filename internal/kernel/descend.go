package kernel

// DescentStep is a preconditioned step of gradient descent with momentum.
type DescentStep struct {
	Rate, Momentum float32
	Scale, Floor   float32 // the gradient is divided by Scale·power + Floor > 0
}

// Descend computes v = Momentum·v − Rate·grad/(Scale·power + Floor) and p += v. The slices have equal lengths, else it
// panics.
func Descend(p, v, grad, power []float32, s DescentStep) {
	equalLen("Descend", len(p), len(v), len(grad), len(power))
	f := elem().descend
	chunks(len(p), func(lo, hi int) {
		f(p[lo:hi], v[lo:hi], grad[lo:hi], power[lo:hi], s.Rate, s.Momentum, s.Scale, s.Floor)
	})
}

func descendGeneric(p, v, grad, power []float32, rate, momentum, scale, floor float32) {
	for i, d := range power {
		v[i] = momentum*v[i] - rate*grad[i]/(scale*d+floor)
		p[i] += v[i]
	}
}
