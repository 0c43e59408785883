package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// sum emits the kernels that return a sum of float64: lane by lane, and the lanes in a fixed order in the end.
func (s simd) sum() {
	l := s.open("sumSquares", "(x []float32) float64", "returns Σx².", "x")
	l.elements(Load(Param("x").Len(), GP64()))
	acc := [2]VecVirtual{s.zero(), s.zero()}
	l.each(func() {
		for i, x := range s.doubles(l.load("x")) {
			VFMADD231PD(x, x, acc[i])
		}
	})
	l.closeSum(acc)

	l = s.open("poissonExcess", "(lambda, k []float32, eps float64) float64",
		"returns the sum of d − k − k·ln(d/k) with d = λ+ε.", "lambda", "k")
	l.elements(Load(Param("lambda").Len(), GP64()))
	eps := s.do(VBROADCASTSD, address("eps"))
	acc = [2]VecVirtual{s.zero(), s.zero()}
	l.each(func() {
		one := s.k(1)
		if l.inTail {
			one = s.only(l.mask, one) // beyond the end λ, k and ε are zero and so is the summand
		}
		lambda, k, ones := s.doubles(l.load("lambda")), s.doubles(l.load("k")), s.doubles(one)
		for i := range acc {
			VFMADD231PD(ones[i], eps, lambda[i])
			VADDPD(s.excess(lambda[i], k[i]), acc[i], acc[i])
		}
	})
	l.closeSum(acc)
}

// doubles returns the lower and the upper lanes of x in float64.
func (s simd) doubles(x VecVirtual) [2]VecVirtual {
	if s.wide() {
		upper := YMM()
		VEXTRACTF32X8(U8(1), x, upper)
		return [2]VecVirtual{s.do(VCVTPS2PD, x.AsY()), s.do(VCVTPS2PD, upper)}
	}
	upper := XMM()
	VEXTRACTF128(U8(1), x, upper)
	return [2]VecVirtual{s.do(VCVTPS2PD, x.AsX()), s.do(VCVTPS2PD, upper)}
}

// closeSum ends a kernel that returns the sum of all lanes.
func (l *loop) closeSum(acc [2]VecVirtual) {
	VADDPD(acc[1], acc[0], acc[0])
	if l.wide() {
		upper := YMM()
		VEXTRACTF64X4(U8(1), acc[0], upper)
		VADDPD(upper, acc[0].AsY(), acc[0].AsY())
	}
	upper := XMM()
	VEXTRACTF128(U8(1), acc[0].AsY(), upper)
	VADDPD(upper, acc[0].AsX(), acc[0].AsX())
	VHADDPD(acc[0].AsX(), acc[0].AsX(), acc[0].AsX())
	VZEROUPPER()
	Store(acc[0].AsX(), ReturnIndex(0))
	RET()
}

func (s simd) kDouble(x float64) VecVirtual { return s.bitsDouble(math.Float64bits(x)) }

func (s simd) bitsDouble(x uint64) VecVirtual { return s.do(VBROADCASTSD, constant(x)) }

// excess returns k·(d − ln(1+d)) with 1+d = l/k, and l where k is not positive. With l/k = 2ᵉ·(1+f) the bracket is
// (d − f − e·ln2) + (f − ln(1+f)), in which nothing cancels for e = 0: then f is d.
func (s simd) excess(l, k VecVirtual) Op {
	const sqrtHalf = 0x3fe6a09e667f3bcd
	one := s.kDouble(1)
	d := s.do(VDIVPD, k, s.do(VSUBPD, k, l))
	t := s.do(VPADDQ, s.bitsDouble(0x3ff0000000000000-sqrtHalf), s.do(VDIVPD, k, l))
	// The exponent, a small integer, becomes a float64 as the last bits of 2⁵².
	e := s.do(VORPD, s.bitsDouble(0x4330000000000000), s.do(VPSRLQ, U8(52), t))
	e = s.do(VSUBPD, s.kDouble(1<<52+1023), e)
	m := s.do(VPADDQ, s.bitsDouble(sqrtHalf), s.do(VANDPD, s.bitsDouble(1<<52-1), t))
	same := s.compareDouble(e, equal, s.kDouble(0))
	f := s.chooseDouble(same, d, s.do(VSUBPD, one, m))

	c := []float64{
		0.49999999999878153, -0.33333333324753767, 0.25000000096042529, -0.20000002353874968, 0.16666655665118835,
		-0.14285524006636086, 0.12500381562580165, -0.11117847093495016, 0.099973238228497852, -0.089747059741312016,
		0.082491141741598412, -0.086121349503561789, 0.086465767891618805, -0.046392791299410402,
	}
	p := s.kDouble(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		VFMADD213PD(s.kDouble(c[i]), f, p)
	}
	x := s.do(VSUBPD, f, d)
	VFNMADD231PD(s.kDouble(math.Ln2), e, x)
	VFMADD231PD(s.do(VMULPD, f, f), p, x)
	return s.chooseDouble(s.compareDouble(k, greater, s.kDouble(0)), s.do(VMULPD, k, x), l)
}

func (s simd) compareDouble(a Op, predicate uint8, b Op) Register {
	m := s.mask()
	VCMPPD(U8(predicate), b, a, m)
	return m
}

func (s simd) chooseDouble(mask, a, b Op) VecVirtual {
	r := s.reg()
	if s.wide() {
		VBLENDMPD(a, b, mask, r)
	} else {
		VBLENDVPD(mask, a, b, r)
	}
	return r
}
