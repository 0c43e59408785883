package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// rows addresses radix rows of complex vectors, equally far apart, in two planes.
type rows struct {
	row         Mem          // distance of adjacent rows
	re, im      [2]GPVirtual // row 0 and row 4
	step, step3 GPVirtual    // between the rows addressed, and thrice that
}

// newRows loads the pointers; step is in rows on entry.
func newRows(prefix string, step GPVirtual, radix int) rows {
	r := rows{row: param(prefix + "Row"), step: step}
	IMULQ(r.row, step)
	r.re[0] = Load(Param(prefix+"Re"), GP64()).(GPVirtual)
	r.im[0] = Load(Param(prefix+"Im"), GP64()).(GPVirtual)
	if radix > 3 {
		r.step3 = GP64()
		LEAQ(Mem{Base: step, Index: step, Scale: 2}, r.step3)
	}
	if radix > 5 {
		for _, p := range []*[2]GPVirtual{&r.re, &r.im} {
			p[1] = GP64()
			LEAQ(Mem{Base: p[0], Index: step, Scale: 4}, p[1])
		}
	}
	return r
}

func param(name string) Mem {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// at returns the operand of row j of a plane.
func (r rows) at(plane [2]GPVirtual, j int) Mem {
	m := Mem{Base: plane[0]}
	if plane[1] != nil && j >= 4 {
		m.Base = plane[1]
		j -= 4
	}
	switch j {
	case 1, 2, 4:
		m.Index, m.Scale = r.step, uint8(j)
	case 3:
		m.Index, m.Scale = r.step3, 1
	}
	return m
}

func (r rows) pointers() []GPVirtual {
	p := []GPVirtual{r.re[0], r.im[0]}
	if r.re[1] != nil {
		p = append(p, r.re[1], r.im[1])
	}
	return p
}

// next advances by one row.
func (r rows) next() {
	for _, p := range r.pointers() {
		ADDQ(r.row, p)
	}
}

// skip advances by n steps.
func (r rows) skip(n int) {
	for _, p := range r.pointers() {
		switch n {
		case 1, 2, 3, 4:
			LEAQ(r.at([2]GPVirtual{p}, n), p)
		case 7:
			LEAQ(Mem{Base: p, Index: r.step, Scale: 4}, p)
			ADDQ(r.step3, p)
		}
	}
}

type fftPass struct {
	*simd
	radix    int
	src, dst rows
	twiddles GPVirtual
	consts   []Op
	one      Op
	w        []cplx // of this group, if registers suffice
	twiddled bool
}

func newFFTPass(s *simd, radix int) *fftPass { return &fftPass{simd: s, radix: radix} }

func (f *fftPass) emit() {
	TEXT(fmt.Sprintf("fft%d%s", f.radix, f.name), NOSPLIT, fftSignature)
	Pragma("noescape")
	Doc(fmt.Sprintf("fft%d%s is an fftPass of radix %d on vectors of %d floats.", f.radix, f.name, f.radix, f.bytes/4))
	stride := param("stride")
	groups := Load(Param("groups"), GP64())
	srcStep, dstStep := GP64(), GP64()
	MOVQ(stride, dstStep)
	MOVQ(groups, srcStep)
	IMULQ(dstStep, srcStep)
	f.src, f.dst = newRows("src", srcStep, f.radix), newRows("dst", dstStep, f.radix)
	f.twiddles = Load(Param("twiddles"), GP64()).(GPVirtual)
	for _, x := range butterflyConstants[f.radix] {
		f.consts = append(f.consts, f.constant(x))
	}
	if f.many {
		f.one = f.constant(1)
	}

	run := GP64()
	MOVQ(stride, run)
	Label("plain")
	f.butterfly()
	DECQ(run)
	JNE(LabelRef("plain"))
	DECQ(groups)
	JEQ(LabelRef("done"))

	f.twiddled = true
	Label("group")
	f.dst.skip(f.radix - 1)
	ADDQ(U8(uint8(8*(f.radix-1))), f.twiddles)
	if f.many && f.radix < 8 {
		f.w = nil
		for j := 1; j < f.radix; j++ {
			f.w = append(f.w, f.twiddle(j))
		}
	}
	MOVQ(stride, run)
	Label("twiddled")
	f.butterfly()
	DECQ(run)
	JNE(LabelRef("twiddled"))
	DECQ(groups)
	JNE(LabelRef("group"))
	Label("done")
	VZEROUPPER()
	RET()
}

func (f *fftPass) butterfly() {
	switch f.radix {
	case 2:
		f.radix2()
	case 3:
		f.radix3()
	case 4:
		f.radix4()
	case 5:
		f.radix5()
	case 8:
		f.radix8()
	}
	f.src.next()
	f.dst.next()
}

// twiddle loads the j-th twiddle factor of the group.
func (f *fftPass) twiddle(j int) cplx {
	w := cplx{f.vec(), f.vec()}
	VBROADCASTSS(Mem{Base: f.twiddles, Disp: 8*j - 8}, w.re)
	VBROADCASTSS(Mem{Base: f.twiddles, Disp: 8*j - 4}, w.im)
	return w
}

func (f *fftPass) load(j int) cplx {
	a := cplx{f.vec(), f.vec()}
	VMOVUPS(f.src.at(f.src.re, j), a.re)
	VMOVUPS(f.src.at(f.src.im, j), a.im)
	return a
}

// store multiplies result j by its twiddle factor and stores it.
func (f *fftPass) store(j int, a cplx) {
	if f.twiddled && j > 0 {
		var w cplx
		if f.w != nil {
			w = f.w[j-1]
		} else {
			w = f.twiddle(j)
		}
		a = f.mulc(a, w)
	}
	VMOVUPS(a.re, f.dst.at(f.dst.re, j))
	VMOVUPS(a.im, f.dst.at(f.dst.im, j))
}

// butterflyConstants are the constants of the butterflies, by radix.
var butterflyConstants = map[int][]float32{
	3: {0.5, 0.86602540378443864676},
	5: {0.30901699437494742410, 0.80901699437494742410, 0.95105651629515357212, 0.58778525229247312917},
	8: {0.70710678118654752440},
}

func (f *fftPass) radix2() {
	a, b := f.load(0), f.load(1)
	f.store(0, f.addc(a, b))
	f.store(1, f.subc(a, b))
}

func (f *fftPass) radix3() {
	half, sin60 := f.consts[0], f.consts[1]
	b, c := f.load(1), f.load(2)
	s, d := f.addc(b, c), f.less(b, c)
	a := f.load(0)
	f.store(0, f.addc(a, s))
	m := subScaled(a, half, s)
	f.store(1, subScaledI(f.copyc(m), sin60, d))
	f.store(2, addScaledI(m, sin60, d))
}

func (f *fftPass) radix4() {
	a, c := f.load(0), f.load(2)
	s, d := f.addc(a, c), f.less(a, c)
	b, e := f.load(1), f.load(3)
	t, u := f.addc(b, e), f.less(b, e)
	f.store(0, f.addc(s, t))
	f.store(1, f.subI(d, u))
	f.store(2, f.subc(s, t))
	f.store(3, f.addI(d, u))
}

func (f *fftPass) radix5() {
	cos72, cos36, sin72, sin36 := f.consts[0], f.consts[1], f.consts[2], f.consts[3]
	a1, a4 := f.load(1), f.load(4)
	s, d := f.addc(a1, a4), f.less(a1, a4)
	a2, a3 := f.load(2), f.load(3)
	t, e := f.addc(a2, a3), f.less(a2, a3)
	a := f.load(0)
	f.store(0, f.addc(a, f.addc(s, t)))
	p := subScaled(addScaled(f.copyc(a), cos72, s), cos36, t)
	q := addScaled(subScaled(a, cos36, s), cos72, t)
	u := addScaled(f.scalec(sin72, d), sin36, e)
	v := subScaled(f.scalec(sin36, d), sin72, e)
	f.store(1, f.subI(p, u))
	f.store(4, f.addI(p, u))
	f.store(2, f.subI(q, v))
	f.store(3, f.addI(q, v))
}

// less subtracts b from a, where there are many registers by a unit that additions leave idle.
func (f *fftPass) less(a, b cplx) cplx {
	if f.many {
		return subScaled(a, f.one, b)
	}
	VSUBPS(b.re, a.re, a.re)
	VSUBPS(b.im, a.im, a.im)
	return a
}

// radix8 splits into two transforms of length 4, of sums and of differences times the eighth roots of 1.
func (f *fftPass) radix8() {
	sqrtHalf := f.consts[0]
	var s, d [4]cplx
	for j := range s {
		a, b := f.load(j), f.load(j+4)
		s[j], d[j] = f.addc(a, b), f.less(a, b)
	}
	e, o := f.addc(s[0], s[2]), f.addc(s[1], s[3])
	f.store(0, f.addc(e, o))
	f.store(4, f.subc(e, o))
	e, o = f.subc(s[0], s[2]), f.subc(s[1], s[3])
	f.store(2, f.subI(e, o))
	f.store(6, f.addI(e, o))

	// √2·w·d1 and √2·w³·d3, the imaginary part of the latter negated, for w = (1 − i)/√2
	p := cplx{f.add(d[1].re, d[1].im), f.sub(d[1].im, d[1].re)}
	q := cplx{f.sub(d[3].im, d[3].re), f.add(d[3].re, d[3].im)}
	x := cplx{f.add(p.re, q.re), f.sub(p.im, q.im)}
	y := cplx{f.sub(p.re, q.re), f.add(p.im, q.im)}
	e, o = f.subI(d[0], d[2]), f.addI(d[0], d[2])
	f.store(1, addScaled(f.copyc(e), sqrtHalf, x))
	f.store(5, subScaled(e, sqrtHalf, x))
	f.store(3, subScaledI(f.copyc(o), sqrtHalf, y))
	f.store(7, addScaledI(o, sqrtHalf, y))
}
