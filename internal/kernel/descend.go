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
	for i, d := range power {
		v[i] = s.Momentum*v[i] - s.Rate*grad[i]/(s.Scale*d+s.Floor)
		p[i] += v[i]
	}
}
