package testutil

import (
	"math"
	"testing"
)

// GradCheck compares the gradient of the scalar function f of x with central differences of step h along three
// pseudo-random directions: |Δf − Σ g·Δx| ≤ rtol·‖g‖·‖Δx‖/√n, the size that Σ g·Δx typically has. x is restored.
func GradCheck(t testing.TB, f func() float64, x, grad []float32, h, rtol float64, what ...any) {
	t.Helper()
	if len(x) != len(grad) {
		t.Errorf("%v: gradient of %d elements for %d", what, len(grad), len(x))
		return
	}
	start := append([]float32(nil), x...)
	defer copy(x, start)
	up, down := make([]float32, len(x)), make([]float32, len(x))
	for seed := range uint64(3) {
		for i, d := range Signed(7000+seed, len(x)) {
			up[i], down[i] = start[i]+float32(h)*d, start[i]-float32(h)*d
		}
		copy(x, up)
		rise := f()
		copy(x, down)
		rise -= f()
		want, size := 0.0, 0.0
		for i, g := range grad {
			step := float64(up[i]) - float64(down[i])
			want += float64(g) * step
			size += step * step
		}
		bound := rtol * Norm(grad) * math.Sqrt(size/float64(len(x)))
		if !(math.Abs(rise-want) <= bound) {
			t.Errorf("%v: the function rises by %.9g along direction %d, its gradient says %.9g (± %.2g)", what, rise, seed, want, bound)
		}
	}
}
