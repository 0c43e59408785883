package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// image emits the kernels that change the scale of one row of channels-last images. Top and bottom are a row of the
// large image and the row below it, and a pixel of the small image has four of the large one.
func (s simd) image() {
	s.scaling("maxPool", "(dst, top, bottom []float32, channels int)", "computes dst, the largest of each four pixels.",
		[]string{"dst"}, []string{"top", "bottom"}, func(l *loop) {
			m := l.load("top")
			for _, at := range []Mem{l.beside("top"), l.at("bottom"), l.beside("bottom")} {
				x := l.get(at)
				m = l.choose(l.compare(x, unordered, x), x, l.max(x, m))
			}
			l.store("dst", m)
		})
	s.scaling("maxPoolGrad", "(dtop, dbottom, top, bottom, y, dy []float32, channels int)",
		"adds dy to the first of the four pixels that has the maximum y.",
		[]string{"y", "dy"}, []string{"dtop", "dbottom", "top", "bottom"}, func(l *loop) {
			y, dy := l.load("y"), l.load("dy")
			to := []Mem{l.at("dtop"), l.beside("dtop"), l.at("dbottom"), l.beside("dbottom")}
			for i, from := range []Mem{l.at("top"), l.beside("top"), l.at("bottom")} {
				m := l.compare(l.get(from), equal, y)
				l.put(l.add(l.get(to[i]), l.only(m, dy)), to[i])
				dy = l.choose(m, l.zero(), dy)
			}
			l.put(l.add(l.get(to[3]), dy), to[3])
		})
	s.scaling("upsample", "(top, bottom, src []float32, channels int)", "copies each pixel of src to four.",
		[]string{"src"}, []string{"top", "bottom"}, func(l *loop) {
			x := l.load("src")
			for _, at := range []Mem{l.at("top"), l.beside("top"), l.at("bottom"), l.beside("bottom")} {
				l.put(x, at)
			}
		})
	s.scaling("upsampleGrad", "(dsrc, dtop, dbottom []float32, channels int)", "adds the sum of each four pixels to dsrc.",
		[]string{"dsrc"}, []string{"dtop", "dbottom"}, func(l *loop) {
			top := l.add(l.load("dtop"), l.get(l.beside("dtop")))
			bottom := l.add(l.load("dbottom"), l.get(l.beside("dbottom")))
			l.store("dsrc", l.add(l.load("dsrc"), l.add(top, bottom)))
		})
}

// scaling emits one of them; the first slice of small gives the number of elements.
func (s simd) scaling(name, signature, doc string, small, large []string, body func(l *loop)) {
	l := s.open(name, signature, doc, append(append([]string{}, small...), large...)...)
	n, end := Load(Param("channels"), GP64()), Load(Param(small[0]).Len(), GP64())
	l.elements(n)
	l.pixel = n
	SHLQ(U8(2), end)
	ADDQ(l.base[small[0]], end)
	CMPQ(l.base[small[0]], end)
	JEQ(LabelRef("return"))
	Label("repeat")
	l.each(func() { body(l) })
	for _, p := range small {
		ADDQ(l.pixel, l.base[p])
	}
	for _, p := range large {
		LEAQ(Mem{Base: l.base[p], Index: l.pixel, Scale: 2}, l.base[p])
	}
	CMPQ(l.base[small[0]], end)
	JNE(LabelRef("repeat"))
	Label("return")
	l.close()
}
