package kernel

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A function is a kernel of one variable with its definition in float64.
type function struct {
	name string
	run  func(dst, x []float32)
	def  func(x float64) float64
}

var functions = []function{
	{"Exp", Exp, math.Exp},
	{"Log", Log, math.Log},
	{"Tanh", Tanh, math.Tanh},
	{"Sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
	{"Softplus", Softplus, func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }},
	{"sin", func(dst, x []float32) { Sincos(dst, make([]float32, len(x)), x) }, math.Sin},
	{"cos", func(dst, x []float32) { Sincos(make([]float32, len(x)), dst, x) }, math.Cos},
	{
		"SwishGrad", func(dst, x []float32) { accumulated(SwishGrad, dst, x) },
		func(x float64) float64 { s := 1 / (1 + math.Exp(-x)); return s * (1 + x*(1-s)) },
	},
	{
		"SoftplusGrad", func(dst, x []float32) { accumulated(SoftplusGrad, dst, x) },
		func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	},
}

// accumulated turns a kernel that adds dy times a derivative into a function.
func accumulated(grad func(dx, dy, x []float32), dst, x []float32) {
	ones := make([]float32, len(x))
	for i := range ones {
		ones[i] = 1
	}
	clear(dst)
	grad(dst, ones, x)
}

// specials are the arguments at which functions change their ways.
func specials() []float32 {
	var list []float32
	for _, v := range []float64{
		0, math.Inf(1), math.MaxFloat32, math.SmallestNonzeroFloat32, 1e-40, 1.1754942e-38, 1.1754944e-38, 1e-30, 1e-8,
		1e-4, 0.25, math.Sqrt2 / 2, 0.625, math.Ln2 / 2, math.Ln2, 1, math.Sqrt2, 2, math.E, math.Pi / 4, math.Pi / 2,
		3 * math.Pi / 4, math.Pi, 3 * math.Pi / 2, 2 * math.Pi, 9, 16.6, 17.4, 44, 87.336, 88.02, 88.7228, 88.73, 89, 103,
		103.278, 103.97, 104, 150, 1000, 8192 * math.Pi / 16, 1e4, 10001, 1e6, 1e10, 1e30,
	} {
		f := float32(v)
		for _, x := range []float32{math.Nextafter32(f, 0), f, math.Nextafter32(f, math.MaxFloat32)} {
			list = append(list, x, -x)
		}
	}
	for n := range 6400 { // near the zeros of sine and cosine
		list = append(list, float32(float64(n)*math.Pi/2))
	}
	return append(list, float32(math.NaN()), float32(math.Copysign(math.NaN(), -1)))
}

// arguments returns n random arguments, some from all float32 numbers and some of moderate size.
func arguments(n int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, n)
	for i := range x {
		switch i % 4 {
		case 0:
			x[i] = math.Float32frombits(r.Uint32())
		case 1:
			x[i] = float32(r.NormFloat64())
		case 2:
			x[i] = float32(200 * (r.Float64() - 0.5))
		default:
			x[i] = float32(2e4 * (r.Float64() - 0.5))
		}
	}
	return x
}

// TestFunctions compares the functions with those of package math on a million arguments.
func TestFunctions(t *testing.T) {
	n := 1 << 20
	if testing.Short() {
		n = 1 << 16
	}
	x := append(specials(), arguments(n)...)
	got := make([]float32, len(x))
	implemented(t, func(t *testing.T) {
		for _, f := range functions {
			t.Run(f.name, func(t *testing.T) {
				f.run(got, x)
				worst, at := 0.0, 0
				for i, v := range x {
					if e := deviation(float64(got[i]), f.def(float64(v)), f.name); !(e <= worst) {
						worst, at = e, i
					}
				}
				require.LessOrEqual(t, worst, 1.0, "x = %g (%#x): got %g, want %g", x[at], math.Float32bits(x[at]), got[at], f.def(float64(x[at])))
				t.Logf("largest error %.3f of what is allowed, at %g", worst, x[at])
			})
		}
	})
}

// deviation returns the error of got over the error allowed.
func deviation(got, want float64, name string) float64 {
	rounded := float64(float32(want))
	switch {
	case math.IsNaN(want) || math.IsNaN(got):
		if math.IsNaN(want) == math.IsNaN(got) {
			return 0
		}
		return math.Inf(1)
	case got == rounded:
		if got == 0 && math.Signbit(got) != math.Signbit(want) && !strings.HasSuffix(name, "Grad") { // 0 + −0 = 0
			return math.Inf(1)
		}
		return 0
	case math.IsInf(rounded, 0) || math.IsInf(got, 0):
		// Just below overflow the largest number and infinity are neighbours.
		if math.Abs(want) > math.MaxFloat32*(1-2e-7) && math.Signbit(want) == math.Signbit(got) {
			return 0
		}
		return math.Inf(1)
	}
	allowed := 2e-7*math.Abs(want) + math.SmallestNonzeroFloat32
	if name == "SwishGrad" { // 1 + x·(1−s) cancels near its zero at −1.28
		allowed += 2e-7
	}
	return math.Abs(got-want) / allowed
}

// TestFunctionsInPlace requires that the results do not depend on where they are written.
func TestFunctionsInPlace(t *testing.T) {
	x := append(specials(), arguments(1000)...)
	implemented(t, func(t *testing.T) {
		for _, f := range functions[:5] {
			want := make([]float32, len(x))
			f.run(want, x)
			got := append([]float32(nil), x...)
			f.run(got, got)
			require.Equal(t, bitsOf(want), bitsOf(got), f.name)
		}
		sin, cos := make([]float32, len(x)), make([]float32, len(x))
		Sincos(sin, cos, x)
		for swap := range 2 {
			got, other := append([]float32(nil), x...), make([]float32, len(x))
			if swap == 0 {
				Sincos(got, other, got)
			} else {
				Sincos(other, got, got)
				got, other = other, got
			}
			require.Equal(t, bitsOf(sin), bitsOf(got))
			require.Equal(t, bitsOf(cos), bitsOf(other))
		}
	})
}

func bitsOf(x []float32) []uint32 {
	b := make([]uint32, len(x))
	for i, v := range x {
		b[i] = math.Float32bits(v)
	}
	return b
}
