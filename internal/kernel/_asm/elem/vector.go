package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// vector emits the arithmetic kernels.
func (s simd) vector() {
	s.kernel("add", "(dst, a, b []float32)", "computes dst = a + b.", []string{"dst", "a", "b"}, func(l *loop) func() {
		return func() { l.store("dst", l.add(l.load("a"), l.load("b"))) }
	})
	s.kernel("mul", "(dst, a, b []float32)", "computes dst = a·b.", []string{"dst", "a", "b"}, func(l *loop) func() {
		return func() { l.store("dst", l.mul(l.load("a"), l.load("b"))) }
	})
	s.kernel("scale", "(dst []float32, s float32)", "computes dst = s·dst.", []string{"dst"}, func(l *loop) func() {
		f := l.param("s")
		return func() { l.store("dst", l.mul(l.load("dst"), f)) }
	})
	s.kernel("addMul", "(dst, a, b []float32, s float32)", "adds (s·a)·b to dst.", []string{"dst", "a", "b"},
		func(l *loop) func() {
			f := l.param("s")
			return func() { l.store("dst", l.fma(l.mul(l.load("a"), f), l.load("b"), l.load("dst"))) }
		})
	s.kernel("mulComplex", "(re, im, ar, ai, br, bi []float32)", "computes the product of complex a and b.",
		[]string{"re", "im", "ar", "ai", "br", "bi"}, func(l *loop) func() {
			return func() {
				ar, ai, br, bi := l.load("ar"), l.load("ai"), l.load("br"), l.load("bi")
				l.store("re", l.fnma(ai, bi, l.mul(ar, br)))
				l.store("im", l.fma(ai, br, l.mul(ar, bi)))
			}
		})
	s.kernel("addConjMul", "(re, im, ar, ai, br, bi []float32)", "adds conj(a)·b to the complex vector.",
		[]string{"re", "im", "ar", "ai", "br", "bi"}, func(l *loop) func() {
			return func() {
				ar, ai, br, bi := l.load("ar"), l.load("ai"), l.load("br"), l.load("bi")
				l.store("re", l.fma(ai, bi, l.fma(ar, br, l.load("re"))))
				l.store("im", l.fnma(ai, br, l.fma(ar, bi, l.load("im"))))
			}
		})
	s.kernel("addNorm", "(dst, re, im []float32, s float32)", "adds s·(re² + im²) to dst.",
		[]string{"dst", "re", "im"}, func(l *loop) func() {
			f := l.param("s")
			return func() {
				re, im := l.load("re"), l.load("im")
				l.store("dst", l.fma(f, l.fma(im, im, l.mul(re, re)), l.load("dst")))
			}
		})
	s.kernel("reluGrad", "(dy, y []float32)", "clears dy where y ≤ 0.", []string{"dy", "y"}, func(l *loop) func() {
		return func() { l.store("dy", l.only(l.compare(l.load("y"), notAtMost, l.zero()), l.load("dy"))) }
	})
	s.kernel("logisticGrad", "(dx, dy, y []float32, a, b, s float32)", "adds dy·s·(a−y)·(b+y) to dx.",
		[]string{"dx", "dy", "y"}, func(l *loop) func() {
			a, b, f := l.param("a"), l.param("b"), l.param("s")
			return func() {
				y := l.load("y")
				d := l.mul(l.mul(f, l.sub(a, y)), l.add(b, y))
				l.store("dx", l.fma(l.load("dy"), d, l.load("dx")))
			}
		})
	s.kernel("adam", "(p, m, v, g []float32, scale, beta1, rest1, beta2, rest2, alpha, root, eps float32)",
		"is one step of Adam with the gradient scale·g.", []string{"p", "m", "v", "g"}, func(l *loop) func() {
			scale, alpha, root, eps := l.param("scale"), l.param("alpha"), l.param("root"), l.param("eps")
			beta1, rest1, beta2, rest2 := l.param("beta1"), l.param("rest1"), l.param("beta2"), l.param("rest2")
			return func() {
				g := l.mul(scale, l.load("g"))
				m := l.fma(rest1, g, l.mul(beta1, l.load("m")))
				l.store("m", m)
				v := l.fma(l.mul(rest2, g), g, l.mul(beta2, l.load("v")))
				l.store("v", v)
				step := l.div(l.mul(alpha, m), l.fma(l.do(VSQRTPS, v), root, eps))
				l.store("p", l.sub(l.load("p"), step))
			}
		})
	s.kernel("descend", "(p, v, grad, power []float32, rate, momentum, scale, floor float32)",
		"computes v = momentum·v − rate·grad/(scale·power + floor) and adds v to p.", []string{"p", "v", "grad", "power"},
		func(l *loop) func() {
			rate, momentum, scale, floor := l.param("rate"), l.param("momentum"), l.param("scale"), l.param("floor")
			return func() {
				step := l.div(l.mul(rate, l.load("grad")), l.fma(scale, l.load("power"), floor))
				v := l.sub(l.mul(momentum, l.load("v")), step)
				l.store("v", v)
				l.store("p", l.add(l.load("p"), v))
			}
		})
	s.addRows()
	s.blendRows()
}

// addRows emits the kernel under translation and everything else that adds a block of rows.
func (s simd) addRows() {
	l := s.open("addRows", "(dst []float32, dstStride int, src []float32, srcStride, rows, cols int, w float32)",
		"adds w·src to dst, both blocks of rows.", "dst", "src")
	w := l.param("w")
	l.elements(Load(Param("cols"), GP64()))
	ds, ss, rows := Load(Param("dstStride"), GP64()), Load(Param("srcStride"), GP64()), Load(Param("rows"), GP64())
	SHLQ(U8(2), ds)
	SHLQ(U8(2), ss)
	l.repeat(rows, func() {
		l.each(func() { l.store("dst", l.fma(w, l.load("src"), l.load("dst"))) })
		ADDQ(ds, l.base["dst"])
		ADDQ(ss, l.base["src"])
	})
	l.close()
}

// blendRows emits the kernel of translations by parts of a pixel.
func (s simd) blendRows() {
	l := s.open("blendRows", "(dst []float32, dstStride int, src []float32, srcStride, rows, cols int, w00, w01, w10, w11 float32)",
		"writes to dst each four neighbours of src, weighted.", "dst", "src")
	w00, w01, w10, w11 := l.param("w00"), l.param("w01"), l.param("w10"), l.param("w11")
	l.elements(Load(Param("cols"), GP64()))
	ds, ss, rows := Load(Param("dstStride"), GP64()), Load(Param("srcStride"), GP64()), Load(Param("rows"), GP64())
	SHLQ(U8(2), ds)
	SHLQ(U8(2), ss)
	next := GP64()
	l.repeat(rows, func() {
		LEAQ(Mem{Base: l.base["src"], Index: ss, Scale: 1}, next)
		l.each(func() {
			below := Mem{Base: next, Index: l.index, Scale: 1}
			x := l.mul(w00, l.load("src"))
			VFMADD231PS(l.get(l.at("src").Offset(4)), w01, x)
			VFMADD231PS(l.get(below), w10, x)
			VFMADD231PS(l.get(below.Offset(4)), w11, x)
			l.store("dst", x)
		})
		ADDQ(ds, l.base["dst"])
		MOVQ(next, l.base["src"])
	})
	l.close()
}

// repeat emits a loop around the body, n times, n ≥ 0.
func (l *loop) repeat(n Register, body func()) {
	TESTQ(n, n)
	JEQ(LabelRef("return"))
	Label("repeat")
	body()
	DECQ(n)
	JNE(LabelRef("repeat"))
	Label("return")
}
