package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// counts emits the kernels of measured counts, of which the negative were not measured.
func (s simd) counts() {
	s.likelihoodGrad("poissonGrad", "adds w·(1 − k/(λ+ε)) to dlambda where k ≥ 0.",
		func(q VecVirtual) VecVirtual { return q })
	s.likelihoodGrad("amplitudeGrad", "adds w·(1 − √(k/(λ+ε))) to dlambda where k ≥ 0.",
		func(q VecVirtual) VecVirtual { return s.do(VSQRTPS, q) })
	s.fromUint16()
}

// likelihoodGrad emits the gradient 1 − f(k/λ̃).
func (s simd) likelihoodGrad(name, doc string, f func(VecVirtual) VecVirtual) {
	s.kernel(name, "(dlambda, lambda, k []float32, w, eps float32)", doc, []string{"dlambda", "lambda", "k"},
		func(l *loop) func() {
			w, eps := l.param("w"), l.param("eps")
			return func() {
				k, d := l.load("k"), l.load("dlambda")
				q := f(l.div(k, l.add(l.load("lambda"), eps)))
				missing := l.compare(k, less, l.zero())
				l.store("dlambda", l.choose(missing, d, l.fma(w, l.sub(l.k(1), q), d)))
			}
		})
}

// fromUint16 emits the conversion of a whole number of vectors.
func (s simd) fromUint16() {
	l := s.open("fromUint16", "(dst []float32, src []uint16)",
		"converts whole vectors of counts, and the mark 0xFFFF to −1.", "dst", "src")
	end := Load(Param("src").Len(), GP64())
	SHLQ(U8(1), end)
	XORQ(l.index, l.index)
	JMP(LabelRef("test"))
	Label("vector")
	x := l.do(VCVTDQ2PS, l.do(VPMOVZXWD, l.at("src")))
	x = l.choose(l.compare(x, equal, l.k(0xffff)), l.k(-1), x)
	VMOVUPS(x, Mem{Base: l.base["dst"], Index: l.index, Scale: 2})
	ADDQ(I8(l.bytes/2), l.index)
	Label("test")
	CMPQ(l.index, end)
	JNE(LabelRef("vector"))
	l.close()
}
