package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A loop goes through arrays of one length.
type loop struct {
	simd
	base   map[string]Register
	index  Register // offset in bytes
	second Register // index plus the size of a pixel, where there are pixels
	pixel  Register // size of a pixel in bytes
	whole  Register // bytes in whole vectors
	rest   Register // bytes after them
	mask   Register // of the tail's lanes
	inTail bool
}

// open opens a kernel, named after the set too, and loads the named slices.
func (s simd) open(name, signature, doc string, slices ...string) *loop {
	TEXT(name+s.name, NOSPLIT, "func"+signature)
	Pragma("noescape")
	Doc(fmt.Sprintf("%s%s %s", name, s.name, doc))
	l := &loop{simd: s, base: map[string]Register{}, index: GP64(), whole: GP64(), rest: GP64()}
	for _, n := range slices {
		l.base[n] = Load(Param(n).Base(), GP64())
	}
	return l
}

// elements says how many elements the arrays have.
func (l *loop) elements(n Register) {
	SHLQ(U8(2), n)
	MOVQ(n, l.whole)
	ANDQ(I8(-l.bytes), l.whole)
	MOVQ(n, l.rest)
	SUBQ(l.whole, l.rest)
	l.mask = l.simd.mask()
	if l.wide() {
		lanes, ones := GP64(), GP64()
		MOVQ(l.rest, lanes)
		SHRQ(U8(2), lanes)
		MOVQ(I32(-1), ones)
		BZHIQ(lanes, ones, ones)
		KMOVW(ones.As32(), l.mask)
		return
	}
	at := GP64()
	LEAQ(tailMasks.Offset(32), at)
	SUBQ(l.rest, at)
	VMOVUPS(Mem{Base: at}, l.mask)
}

// each emits the body for every vector, masked for the tail. The index is the number of bytes done.
func (l *loop) each(body func()) {
	step := func() {
		if l.pixel != nil {
			l.second = GP64()
			LEAQ(Mem{Base: l.index, Index: l.pixel, Scale: 1}, l.second)
		}
		body()
	}
	XORQ(l.index, l.index)
	TESTQ(l.whole, l.whole)
	JEQ(LabelRef("tail"))
	Label("vector")
	l.inTail = false
	step()
	ADDQ(I8(l.bytes), l.index)
	CMPQ(l.index, l.whole)
	JNE(LabelRef("vector"))
	Label("tail")
	TESTQ(l.rest, l.rest)
	JEQ(LabelRef("end"))
	l.inTail = true
	step()
	ADDQ(l.rest, l.index)
	Label("end")
}

// close ends a kernel.
func (l *loop) close() {
	VZEROUPPER()
	RET()
}

func (l *loop) at(name string) Mem { return Mem{Base: l.base[name], Index: l.index, Scale: 1} }

// beside is at for the next pixel.
func (l *loop) beside(name string) Mem { return Mem{Base: l.base[name], Index: l.second, Scale: 1} }

func (l *loop) get(m Mem) VecVirtual {
	r := l.reg()
	switch {
	case !l.inTail:
		VMOVUPS(m, r)
	case l.wide():
		VMOVUPS_Z(m, l.mask, r)
	default:
		VMASKMOVPS(m, l.mask, r)
	}
	return r
}

func (l *loop) put(v Op, m Mem) {
	switch {
	case !l.inTail:
		VMOVUPS(v, m)
	case l.wide():
		VMOVUPS(v, l.mask, m)
	default:
		VMASKMOVPS(v, l.mask, m)
	}
}

func (l *loop) load(name string) VecVirtual { return l.get(l.at(name)) }
func (l *loop) store(name string, v Op)     { l.put(v, l.at(name)) }

// kernel emits a kernel that treats all elements of its slices alike. The first slice gives their number.
func (s simd) kernel(name, signature, doc string, slices []string, body func(l *loop) func()) {
	l := s.open(name, signature, doc, slices...)
	step := body(l)
	l.elements(Load(Param(slices[0]).Len(), GP64()))
	l.each(step)
	l.close()
}
