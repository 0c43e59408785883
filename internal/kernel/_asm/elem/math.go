package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The polynomials are minimax fits, made for relative errors well below those of float32 arithmetic.

// exp returns eˣ = 2ⁿ·eʳ with |r| ≤ ln2/2. Two factors make 2ⁿ, so that the result may be infinite or denormal.
func (s simd) exp(x Op) VecVirtual {
	x = s.max(s.k(-104), s.min(s.k(89), x))
	n := s.round(s.mul(x, s.k(math.Log2E)))
	r := s.fnma(n, s.k(ln2), x)
	r = s.fnma(n, s.k(ln2Rest), r)
	p := s.polynomial(r, 0.499999934, 0.166665206, 0.0416683881, 0.00836871709, 0.00138145964)
	p = s.add(s.fma(s.mul(r, r), p, r), s.k(1))
	i := s.do(VCVTPS2DQ, n)
	i1 := s.half(i)
	return s.mul(s.mul(p, s.powerOfTwo(i1)), s.powerOfTwo(s.subInt(i, i1)))
}

// powerOfTwo returns 2ⁿ for normal results.
func (s simd) powerOfTwo(n Op) VecVirtual { return s.shiftLeft(s.addInt(n, s.bits(127)), 23) }

// ln2 is the logarithm of two in float32, ln2Rest what is missing to it.
const (
	ln2     = float64(float32(math.Ln2))
	ln2Rest = math.Ln2 - ln2
)

// log returns ln x = k·ln2 + ln m with √½ ≤ m < √2.
func (s simd) log(x Op) VecVirtual {
	const sqrtHalf = 0x3f3504f3
	denormal := s.compare(x, less, s.bits(0x00800000))
	scaled := s.choose(denormal, s.mul(x, s.k(1<<23)), x)
	t := s.addInt(scaled, s.bits(0x3f800000-sqrtHalf))
	k := s.do(VCVTDQ2PS, s.subInt(s.do(VPSRLD, U8(23), t), s.bits(127)))
	k = s.sub(k, s.only(denormal, s.k(23)))
	f := s.sub(s.addInt(s.and(t, s.bits(0x007fffff)), s.bits(sqrtHalf)), s.k(1))
	p := s.polynomial(f, -0.5, 0.333333317, -0.250008211, 0.200012267, -0.166233565, 0.142017625, -0.131601951,
		0.127615504, -0.0763442991)
	y := s.fma(k, s.k(ln2Rest), s.mul(s.mul(f, f), p))
	y = s.fma(k, s.k(ln2), s.add(y, f))

	y = s.choose(s.compare(x, less, s.k(math.Inf(1))), y, x) // NaN and +Inf stay
	y = s.choose(s.compare(x, equal, s.zero()), s.k(math.Inf(-1)), y)
	return s.choose(s.compare(x, less, s.zero()), s.k(math.NaN()), y)
}

// tanh is an odd polynomial near zero and 1 − 2/(e^{2|x|}+1) elsewhere.
func (s simd) tanh(x Op) VecVirtual {
	a := s.abs(x)
	z := s.mul(a, a)
	p := s.polynomial(z, -0.333332839, 0.133314912, -0.0537434953, 0.020650579, -0.00571703656)
	near := s.fma(s.mul(a, z), p, a)
	far := s.sub(s.k(1), s.div(s.k(2), s.add(s.exp(s.add(a, a)), s.k(1))))
	return s.or(s.choose(s.compare(a, less, s.k(0.625)), near, far), s.signBit(x))
}

// sigmoid is 1/(1+e⁻ˣ), written for negative x as eˣ/(1+eˣ).
func (s simd) sigmoid(x Op) VecVirtual {
	e := s.exp(s.or(x, s.bits(0x80000000)))
	return s.div(s.choose(s.compare(x, less, s.zero()), e, s.k(1)), s.add(e, s.k(1)))
}

// swishSlope is σ(x)·(1 + x·σ(−x)), the derivative of x·σ(x).
func (s simd) swishSlope(x Op) VecVirtual {
	e := s.exp(s.or(x, s.bits(0x80000000)))
	negative, one := s.compare(x, less, s.zero()), s.k(1)
	sum := s.add(e, one)
	rising, falling := s.div(s.choose(negative, e, one), sum), s.div(s.choose(negative, one, e), sum)
	return s.mul(rising, s.fma(x, falling, one))
}

// softplus is max(x,0) + ln(1+e) with e = e^{−|x|}. Of u = 1+e the rounding, e − (u−1), is put back.
func (s simd) softplus(x Op) VecVirtual {
	e := s.exp(s.or(x, s.bits(0x80000000)))
	u := s.add(e, s.k(1))
	lost := s.div(s.sub(e, s.sub(u, s.k(1))), u)
	return s.add(s.max(s.zero(), x), s.add(s.log(u), lost))
}

// sincosLimit is the largest argument that sincos can reduce.
const sincosLimit = 1e4

// sincos returns the sine and the cosine of x = n·π/2 + r with |r| ≤ π/4. The sign of x is put on the sine in the
// end, so that that of zero stays.
func (s simd) sincos(x, a Op) (sin, cos VecVirtual) {
	n := s.round(s.mul(a, s.k(2/math.Pi)))
	r := s.fnma(n, s.k(1.57079637), a)
	r = s.fnma(n, s.k(-4.37113883e-8), r)
	r = s.fnma(n, s.k(-1.7151245e-15), r)
	z := s.mul(r, r)
	sr := s.fma(s.mul(r, z), s.polynomial(z, -0.166666549, 0.00833217584, -0.000195169765), r)
	cr := s.polynomial(z, 1, -0.5, 0.0416666468, -0.00138873645, 2.44380891e-05)

	i := s.do(VCVTPS2DQ, n)
	odd := s.shiftLeft(i, 31)
	swap := s.compare(s.or(odd, s.k(1)), less, s.zero())
	two := s.bits(2)
	sinSign := s.shiftLeft(s.and(i, two), 30)
	cosSign := s.shiftLeft(s.and(s.addInt(i, s.bits(1)), two), 30)
	sin = s.xor(s.xor(s.choose(swap, cr, sr), sinSign), s.signBit(x))
	cos = s.xor(s.choose(swap, sr, cr), cosSign)
	return sin, cos
}

// transcendental emits the kernels of functions of one variable.
func (s simd) transcendental() {
	for _, f := range []struct {
		name, doc string
		f         func(Op) VecVirtual
	}{
		{"exp", "computes dst = eˣ.", s.exp},
		{"log", "computes dst = ln x.", s.log},
		{"tanh", "computes dst = tanh x.", s.tanh},
		{"sigmoid", "computes dst = 1/(1+e⁻ˣ).", s.sigmoid},
		{"softplus", "computes dst = ln(1+eˣ).", s.softplus},
	} {
		s.kernel(f.name, "(dst, x []float32)", f.doc, []string{"dst", "x"}, func(l *loop) func() {
			return func() { l.store("dst", f.f(l.load("x"))) }
		})
	}

	l := s.open("sincos", "(sin, cos, x []float32) int",
		"computes sin x and cos x up to the first vector that holds an |x| above 1e4, and returns how many.",
		"sin", "cos", "x")
	l.elements(Load(Param("sin").Len(), GP64()))
	l.each(func() {
		x := l.load("x")
		a := s.abs(x)
		s.any(s.compare(a, greater, s.k(sincosLimit)), "end")
		sin, cos := s.sincos(x, a)
		l.store("sin", sin)
		l.store("cos", cos)
	})
	SHRQ(U8(2), l.index)
	VZEROUPPER()
	Store(l.index, ReturnIndex(0))
	RET()

	for _, f := range []struct {
		name, doc string
		f         func(x Op) VecVirtual
	}{
		{"swishGrad", "adds dy·d(x·σ(x))/dx to dx.", s.swishSlope},
		{"softplusGrad", "adds dy·σ(x) to dx.", s.sigmoid},
	} {
		s.kernel(f.name, "(dx, dy, x []float32)", f.doc, []string{"dx", "dy", "x"}, func(l *loop) func() {
			return func() { l.store("dx", l.fma(l.load("dy"), f.f(l.load("x")), l.load("dx"))) }
		})
	}
}
