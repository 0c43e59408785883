package testutil

import (
	"math"
	"testing"
)

// Real is the element type of the slices that can be compared.
type Real interface{ float32 | float64 }

// Dot returns Σ a·b, accumulated in float64.
func Dot[A, B Real](a []A, b []B) float64 {
	if len(a) != len(b) {
		panic("testutil: dot product of slices of different lengths")
	}
	s := 0.0
	for i, v := range a {
		s += float64(v) * float64(b[i])
	}
	return s
}

// Norm returns √Σ a², accumulated in float64.
func Norm[A Real](a []A) float64 { return math.Sqrt(Dot(a, a)) }

// Close fails the test unless |got − want| ≤ atol + rtol·|want| for every element, and names the element that
// is off by most, in units of that bound. NaN is close to nothing.
func Close[G, W Real](t testing.TB, got []G, want []W, rtol, atol float64, what ...any) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%v: %d elements, want %d", what, len(got), len(want))
		return
	}
	worst, at, bad := 0.0, 0, 0
	for i, g := range got {
		g, w := float64(g), float64(want[i])
		excess := math.Abs(g-w) / (atol + rtol*math.Abs(w))
		if g == w || excess <= 1 {
			continue
		}
		bad++
		if excess > worst || math.IsNaN(excess) && !math.IsNaN(worst) {
			worst, at = excess, i
		}
	}
	if bad > 0 {
		t.Errorf("%v: %d of %d elements differ (rtol %g, atol %g); worst at [%d]: got %g, want %g, %.3g times the bound",
			what, bad, len(got), rtol, atol, at, got[at], want[at], worst)
	}
}

// CloseNorm fails the test unless ‖got − want‖ ≤ rtol·‖want‖, and names the element that is off by most.
func CloseNorm[G, W Real](t testing.TB, got []G, want []W, rtol float64, what ...any) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%v: %d elements, want %d", what, len(got), len(want))
		return
	}
	difference, worst := make([]float64, len(got)), 0
	for i, g := range got {
		difference[i] = math.Abs(float64(g) - float64(want[i]))
		if difference[i] > difference[worst] || math.IsNaN(difference[i]) {
			worst = i
		}
	}
	off, norm := Norm(difference), Norm(want)
	if !(off <= rtol*norm) {
		t.Errorf("%v: off by %.3g of the norm %.6g, more than %g; worst at [%d]: got %g, want %g",
			what, off/norm, norm, rtol, worst, got[worst], want[worst])
	}
}

// CloseParamGradient compares the gradient of tensor number i of a golden network, called name, in the flat
// [O,I,kh,kw] order with what the file holds of it: its norm, its projections (to rtol of the norm) and a
// selection of entries (to rtol of their norm).
func (f *File) CloseParamGradient(i int, name string, got []float32, rtol float64) {
	f.t.Helper()
	key := "grad." + name
	norm := f.Float(key + ".norm")
	Close(f.t, []float64{Norm(got)}, []float64{norm}, rtol, 0, f.name, key, "norm")

	projections := make([]float64, 4)
	for j := range projections {
		u := Uniform(uint64(1000*(j+2)+i), len(got))
		for k, v := range u {
			u[k] = 2*v - 1
		}
		projections[j] = Dot(got, u)
	}
	Close(f.t, projections, f.Float64s(key+".projections"), 0, rtol*norm, f.name, key, "projections")

	index := f.Ints(key + ".index")
	entries := make([]float32, len(index))
	for j, k := range index {
		if k >= len(got) {
			f.t.Fatalf("%s: %s has entry %d, the gradient only %d elements", f.name, key, k, len(got))
		}
		entries[j] = got[k]
	}
	CloseNorm(f.t, entries, f.Float64s(key+".values"), rtol, f.name, key, "entries")
}
