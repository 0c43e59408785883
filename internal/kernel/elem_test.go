package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// An elementwise kernel with its definition in float64 for one element: out are the values before, changed in place.
type elementwise struct {
	name    string
	out, in int // number of slices
	run     func(out, in [][]float32)
	def     func(out, in []float64)
}

const (
	w32, eps32 = float32(0.7), float32(0.01)
	w64, eps64 = float64(w32), float64(eps32)
)

var adamStep = AdamStep{Scale: 0.5, Beta1: 0.9, Rest1: 0.1, Beta2: 0.999, Rest2: 0.001, Alpha: 0.01, Root: 2, Epsilon: 1e-7}

var descentStep = DescentStep{Rate: 0.5, Momentum: 0.8, Scale: 0.95, Floor: 0.25}

var elementwises = []elementwise{
	{
		"Add", 1, 2, func(o, x [][]float32) { Add(o[0], x[0], x[1]) },
		func(o, x []float64) { o[0] = x[0] + x[1] },
	},
	{
		"Mul", 1, 2, func(o, x [][]float32) { Mul(o[0], x[0], x[1]) },
		func(o, x []float64) { o[0] = x[0] * x[1] },
	},
	{
		"Scale", 1, 0, func(o, _ [][]float32) { Scale(o[0], w32) },
		func(o, _ []float64) { o[0] *= w64 },
	},
	{
		"AddMul", 1, 2, func(o, x [][]float32) { AddMul(o[0], x[0], x[1], w32) },
		func(o, x []float64) { o[0] += w64 * x[0] * x[1] },
	},
	{
		"AddRows", 1, 1, func(o, x [][]float32) { AddRows(o[0], 1, x[0], 1, 1, len(x[0]), w32) },
		func(o, x []float64) { o[0] += w64 * x[0] },
	},
	{
		"ReLUGrad", 1, 1, func(o, x [][]float32) { ReLUGrad(o[0], x[0]) },
		func(o, x []float64) {
			if x[0] <= 0 {
				o[0] = 0
			}
		},
	},
	{
		"LogisticGrad", 1, 2, func(o, x [][]float32) { LogisticGrad(o[0], x[0], x[1], 1, eps32, w32) },
		func(o, x []float64) { o[0] += x[0] * w64 * (1 - x[1]) * (eps64 + x[1]) },
	},
	{
		"SwishGrad", 1, 2, func(o, x [][]float32) { SwishGrad(o[0], x[0], x[1]) },
		func(o, x []float64) { s := 1 / (1 + math.Exp(-x[1])); o[0] += x[0] * s * (1 + x[1]*(1-s)) },
	},
	{
		"SoftplusGrad", 1, 2, func(o, x [][]float32) { SoftplusGrad(o[0], x[0], x[1]) },
		func(o, x []float64) { o[0] += x[0] / (1 + math.Exp(-x[1])) },
	},
	{
		"MulComplex", 2, 4, func(o, x [][]float32) { MulComplex(o[0], o[1], x[0], x[1], x[2], x[3]) },
		func(o, x []float64) { o[0], o[1] = x[0]*x[2]-x[1]*x[3], x[0]*x[3]+x[1]*x[2] },
	},
	{
		"AddConjMul", 2, 4, func(o, x [][]float32) { AddConjMul(o[0], o[1], x[0], x[1], x[2], x[3]) },
		func(o, x []float64) { o[0] += x[0]*x[2] + x[1]*x[3]; o[1] += x[0]*x[3] - x[1]*x[2] },
	},
	{
		"AddNorm", 1, 2, func(o, x [][]float32) { AddNorm(o[0], x[0], x[1], w32) },
		func(o, x []float64) { o[0] += w64 * (x[0]*x[0] + x[1]*x[1]) },
	},
	{
		"PoissonGrad", 1, 2, func(o, x [][]float32) { PoissonGrad(o[0], x[0], x[1], w32, eps32) },
		func(o, x []float64) {
			if !(x[1] < 0) {
				o[0] += w64 * (1 - x[1]/(x[0]+eps64))
			}
		},
	},
	{
		"AmplitudeGrad", 1, 2, func(o, x [][]float32) { AmplitudeGrad(o[0], x[0], x[1], w32, eps32) },
		func(o, x []float64) {
			if !(x[1] < 0) {
				o[0] += w64 * (1 - math.Sqrt(x[1]/(x[0]+eps64)))
			}
		},
	},
	{
		"Adam", 3, 1, func(o, x [][]float32) { Adam(o[0], o[1], o[2], x[0], adamStep) },
		func(o, x []float64) {
			g := 0.5 * x[0]
			o[1] = 0.9*o[1] + 0.1*g
			o[2] = 0.999*o[2] + 0.001*g*g
			o[0] -= 0.01 * o[1] / (math.Sqrt(o[2])*2 + 1e-7)
		},
	},
	{
		"Descend", 2, 2, func(o, x [][]float32) { Descend(o[0], o[1], x[0], x[1], descentStep) },
		func(o, x []float64) {
			o[1] = 0.8*o[1] - 0.5*x[0]/(0.95*x[1]+0.25)
			o[0] += o[1]
		},
	},
	{
		"Exp", 1, 1, func(o, x [][]float32) { Exp(o[0], x[0]) },
		func(o, x []float64) { o[0] = math.Exp(x[0]) },
	},
	{
		"Log", 1, 1, func(o, x [][]float32) { Log(o[0], x[0]) },
		func(o, x []float64) { o[0] = math.Log(x[0]) },
	},
	{
		"Tanh", 1, 1, func(o, x [][]float32) { Tanh(o[0], x[0]) },
		func(o, x []float64) { o[0] = math.Tanh(x[0]) },
	},
	{
		"Sigmoid", 1, 1, func(o, x [][]float32) { Sigmoid(o[0], x[0]) },
		func(o, x []float64) { o[0] = 1 / (1 + math.Exp(-x[0])) },
	},
	{
		"Softplus", 1, 1, func(o, x [][]float32) { Softplus(o[0], x[0]) },
		func(o, x []float64) { o[0] = math.Log1p(math.Exp(x[0])) },
	},
	{
		"Sincos", 2, 1, func(o, x [][]float32) { Sincos(o[0], o[1], x[0]) },
		func(o, x []float64) { o[0], o[1] = math.Sincos(x[0]) },
	},
}

// positive says that slice i of a run, a variance, power or expected counts, must not be negative.
func (e *elementwise) positive(i int) bool {
	return e.name == "Adam" || e.name == "Descend" && i == 3 || i == 1 && (e.name == "PoissonGrad" || e.name == "AmplitudeGrad")
}

// operands returns the slices of a run in memory made by alloc.
func (e *elementwise) operands(n int, alloc func([]float32) []float32) (out, in [][]float32) {
	for i := range e.out + e.in {
		x := random(uint64(i), n)
		for k := range x {
			if e.positive(i) || k%3 == i%3 {
				x[k] = float32(math.Abs(float64(x[k])))
			}
		}
		if i < e.out {
			out = append(out, alloc(x))
		} else {
			in = append(in, alloc(x))
		}
	}
	return out, in
}

// check compares the results of a run with the definition, given what the outputs held before.
func (e *elementwise) check(t *testing.T, before, out, in [][]float32, what ...any) {
	t.Helper()
	o, x := make([]float64, e.out), make([]float64, e.in)
	for i := range out[0] {
		for k := range o {
			o[k] = float64(before[k][i])
		}
		for k := range x {
			x[k] = float64(in[k][i])
		}
		e.def(o, x)
		for k, want := range o {
			got := float64(out[k][i])
			if math.IsNaN(want) || math.IsInf(want, 0) {
				require.Equal(t, fmt.Sprint(want), fmt.Sprint(got), "%v: output %d of element %d: inputs %v", what, k, i, x)
				continue
			}
			require.InDelta(t, want, got, 2e-6*(1+math.Abs(want)), "%v: output %d of element %d: inputs %v", what, k, i, x)
		}
	}
}

func copies(x [][]float32) [][]float32 {
	c := make([][]float32, len(x))
	for i := range x {
		c[i] = slices.Clone(x[i])
	}
	return c
}

// eachElementwise calls f for every elementwise kernel of every implementation.
func eachElementwise(t *testing.T, f func(t *testing.T, e *elementwise)) {
	t.Helper()
	implemented(t, func(t *testing.T) {
		for i := range elementwises {
			t.Run(elementwises[i].name, func(t *testing.T) { f(t, &elementwises[i]) })
		}
	})
}

// between returns x in memory of its own, off floats from a cache line, with marks on both sides.
func between(x []float32, off int) []float32 {
	m := aligned(garbage(len(x) + 64))[off:]
	copy(m[8:], x)
	m[7], m[8+len(x)] = 77, 78
	return m[8:][:len(x):len(x)]
}

// untouched requires the marks of between.
func untouched(t *testing.T, x []float32) {
	t.Helper()
	before, after := neighbours(x)
	require.Equal(t, float32(77), before)
	require.Equal(t, float32(78), after)
}

func TestElementwise(t *testing.T) {
	eachElementwise(t, func(t *testing.T, e *elementwise) {
		for n := 0; n <= 70; n++ {
			off := n
			out, in := e.operands(n, func(x []float32) []float32 { off += 3; return between(x, off%16) })
			if n == 0 {
				e.run(out, in)
				continue
			}
			before := copies(out)
			e.run(out, in)
			e.check(t, before, out, in, "length", n)
			for _, x := range out {
				untouched(t, x)
			}
		}
	})
}

// TestElementwiseLong goes over more than one chunk.
func TestElementwiseLong(t *testing.T) {
	eachElementwise(t, func(t *testing.T, e *elementwise) {
		out, in := e.operands(2*chunk+13, slices.Clone[[]float32])
		before := copies(out)
		e.run(out, in)
		cut(before, in, e.run, 5)
		for k := range out {
			require.Equal(t, bitsOf(out[k]), bitsOf(before[k]))
		}
	})
}

// cut runs f on the parts of slices before and after element at.
func cut(out, in [][]float32, f func(out, in [][]float32), at int) {
	part := func(x [][]float32, lo, hi int) [][]float32 {
		p := make([][]float32, len(x))
		for i := range x {
			p[i] = x[i][lo:hi]
		}
		return p
	}
	n := len(out[0])
	f(part(out, 0, at), part(in, 0, at))
	f(part(out, at, n), part(in, at, n))
}

// TestElementwiseCuts requires the same bits from a slice in one piece, in two and elsewhere in memory, also with
// arguments that the sine passes on.
func TestElementwiseCuts(t *testing.T) {
	eachElementwise(t, func(t *testing.T, e *elementwise) {
		const n = 67
		out, in := e.operands(n, slices.Clone[[]float32])
		for _, x := range in {
			x[20], x[33], x[34] = 3e4, 1e8, -9e9
		}
		whole := copies(out)
		e.run(whole, in)
		for at := range n + 1 {
			parts := copies(out)
			for i := range parts {
				parts[i] = between(parts[i], at%16)
			}
			cut(parts, in, e.run, at)
			for k := range whole {
				require.Equal(t, bitsOf(whole[k]), bitsOf(parts[k]), "cut at %d", at)
			}
		}
	})
}

// TestElementwiseSpecials puts NaN, infinities, zeros, denormal and huge numbers in every place.
func TestElementwiseSpecials(t *testing.T) {
	inf := float32(math.Inf(1))
	values := []float32{float32(math.NaN()), inf, -inf, 0, float32(math.Copysign(0, -1)), 1e-42, 1, -1}
	eachElementwise(t, func(t *testing.T, e *elementwise) {
		m := e.out + e.in
		for place := range m {
			out, in := e.operands(37, slices.Clone[[]float32])
			all := append(slices.Clone(out), in...)
			for i := range all[place] {
				all[place][i] = values[i%len(values)]
			}
			before := copies(out)
			e.run(out, in)
			e.check(t, before, out, in, "place", place)
		}
	})
}

// TestElementwiseAgree requires the same bits from all sets of assembly.
func TestElementwiseAgree(t *testing.T) {
	old := active.Load()
	t.Cleanup(func() { activate(old) })
	for i := range elementwises {
		e := &elementwises[i]
		var first [][]float32
		for _, im := range implementations {
			if im.elem == nil {
				continue
			}
			activate(im)
			out, in := e.operands(1003, slices.Clone[[]float32])
			e.run(out, in)
			if first == nil {
				first = out
			}
			for k := range out {
				require.Equal(t, bitsOf(first[k]), bitsOf(out[k]), "%s of %s", e.name, im.name)
			}
		}
	}
}

func TestElementwiseMisuse(t *testing.T) {
	for i := range elementwises {
		e := &elementwises[i]
		for place := range e.out + e.in {
			if e.out+e.in == 1 || e.name == "AddRows" {
				continue
			}
			out, in := e.operands(8, slices.Clone[[]float32])
			if place < e.out {
				out[place] = out[place][:7]
			} else {
				in[place-e.out] = in[place-e.out][:7]
			}
			require.PanicsWithValue(t, wrongLength(e, place), func() { e.run(out, in) }, "%s, slice %d", e.name, place)
		}
	}
}

// wrongLength is the message when the slice at place has 7 elements and the others 8.
func wrongLength(e *elementwise, place int) string {
	if place == 0 {
		return fmt.Sprintf("kernel: %s of slices of 7 and 8", e.name)
	}
	return fmt.Sprintf("kernel: %s of slices of 8 and 7", e.name)
}

// neighbours returns the elements before and after x in memory.
func neighbours(x []float32) (before, after float32) {
	p := unsafe.Pointer(unsafe.SliceData(x))
	return *(*float32)(unsafe.Add(p, -4)), *(*float32)(unsafe.Add(p, 4*len(x)))
}
