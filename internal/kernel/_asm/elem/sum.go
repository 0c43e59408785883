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

	s.poissonSum("poissonExcess", "returns the sum of d − k − k·ln(d/k) with d = λ+ε over k ≥ 0.", s.excess)
	s.poissonSum("amplitudeError", "returns the sum of (√d − √k)² with d = λ+ε over k ≥ 0.", s.amplitudeError)
	s.absError()
	s.amplitudeFit()
}

// poissonSum emits the sum of a function, zero at zeros, of expected and measured counts.
func (s simd) poissonSum(name, doc string, f func(l, k VecVirtual) VecVirtual) {
	l := s.open(name, "(lambda, k []float32, eps float64) float64", doc, "lambda", "k")
	l.elements(Load(Param("lambda").Len(), GP64()))
	eps := s.do(VBROADCASTSD, address("eps"))
	acc := [2]VecVirtual{s.zero(), s.zero()}
	l.each(func() {
		one := s.k(1)
		if l.inTail {
			one = s.only(l.mask, one) // beyond the end λ, k and ε are zero and so is the summand
		}
		lambda, k, ones := s.doubles(l.load("lambda")), s.doubles(l.load("k")), s.doubles(one)
		for i := range acc {
			VFMADD231PD(ones[i], eps, lambda[i])
			VADDPD(s.measured(k[i], f(lambda[i], k[i])), acc[i], acc[i])
		}
	})
	l.closeSum(acc)
}

// absError emits the sums of the R-factor.
func (s simd) absError() {
	l := s.open("absError", "(lambda, k []float32) (sumAbs, sumRoot float64)",
		"returns the sums of |√λ − √k| and of √k over k ≥ 0.", "lambda", "k")
	l.elements(Load(Param("lambda").Len(), GP64()))
	abs, root := [2]VecVirtual{s.zero(), s.zero()}, [2]VecVirtual{s.zero(), s.zero()}
	l.each(func() {
		lambda, k := s.doubles(l.load("lambda")), s.doubles(l.load("k"))
		for i := range abs {
			r := s.do(VSQRTPD, k[i])
			d := s.do(VSUBPD, r, s.do(VSQRTPD, lambda[i]))
			d = s.do(VANDPD, s.bitsDouble(1<<63-1), d)
			VADDPD(s.measured(k[i], d), abs[i], abs[i])
			VADDPD(s.measured(k[i], r), root[i], root[i])
		}
	})
	l.closeSum(abs, root)
}

// amplitudeFit emits the sums of the amplitudes' differences together with the gradient.
func (s simd) amplitudeFit() {
	l := s.open("amplitudeFit", "(grad, lambda, k []float32, eps float32) (square, abs, root float64)",
		"writes 1 − √(k/d) with d = λ+ε to grad and returns the sums of (√d − √k)², |√d − √k| and √k, all over k ≥ 0.",
		"grad", "lambda", "k")
	eps := l.param("eps")
	l.elements(Load(Param("lambda").Len(), GP64()))
	sums := [3][2]VecVirtual{}
	for i := range sums {
		sums[i] = [2]VecVirtual{s.zero(), s.zero()}
	}
	l.each(func() {
		const smallestNormal = 0x1p-126
		k, expected := l.load("k"), l.add(l.load("lambda"), eps)
		missing := l.compare(k, less, l.zero())
		root, modulus := l.choose(missing, l.zero(), l.do(VSQRTPS, k)), l.do(VSQRTPS, expected)
		g := l.div(l.sub(expected, k), l.max(l.k(smallestNormal), l.mul(l.add(modulus, root), modulus)))
		g = l.choose(missing, l.zero(), g)
		l.store("grad", g)
		d := l.choose(missing, l.zero(), l.mul(g, modulus))
		if l.inTail {
			d = l.only(l.mask, d)
		}
		ds, roots := l.doubles(d), l.doubles(root)
		for i := range ds {
			VFMADD231PD(ds[i], ds[i], sums[0][i])
			VADDPD(l.do(VANDPD, l.bitsDouble(1<<63-1), ds[i]), sums[1][i], sums[1][i])
			VADDPD(roots[i], sums[2][i], sums[2][i])
		}
	})
	l.closeSum(sums[:]...)
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

// closeSum ends a kernel that returns sums of all lanes.
func (l *loop) closeSum(sums ...[2]VecVirtual) {
	for i, acc := range sums {
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
		Store(acc[0].AsX(), ReturnIndex(i))
	}
	VZEROUPPER()
	RET()
}

func (s simd) kDouble(x float64) VecVirtual { return s.bitsDouble(math.Float64bits(x)) }

func (s simd) bitsDouble(x uint64) VecVirtual { return s.do(VBROADCASTSD, constant(x)) }

// measured returns x, and zero where k is negative.
func (s simd) measured(k, x VecVirtual) VecVirtual {
	return s.chooseDouble(s.compareDouble(k, less, s.kDouble(0)), s.kDouble(0), x)
}

// amplitudeError returns (√l − √k)² = (l − k)² / (l + k + 2√(lk)), and zero where both are zero.
func (s simd) amplitudeError(l, k VecVirtual) VecVirtual {
	const smallestNormal = 0x1p-1022
	sum := s.do(VADDPD, k, l)
	VFMADD231PD(s.kDouble(2), s.do(VSQRTPD, s.do(VMULPD, k, l)), sum)
	d := s.do(VSUBPD, k, l)
	return s.do(VDIVPD, s.do(VMAXPD, sum, s.kDouble(smallestNormal)), s.do(VMULPD, d, d))
}

// excess returns k·(d − ln(1+d)) with 1+d = l/k, and l where k is zero. With l/k = 2ᵉ·(1+f) the bracket is
// (d − f − e·ln2) + (f − ln(1+f)), in which nothing cancels for e = 0: then f is d.
func (s simd) excess(l, k VecVirtual) VecVirtual {
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
	return s.chooseDouble(s.compareDouble(k, equal, s.kDouble(0)), l, s.do(VMULPD, k, x))
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
