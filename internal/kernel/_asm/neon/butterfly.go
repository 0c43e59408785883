package main

func (f *fftPass) radix2() {
	a, b := f.row(0), f.row(1)
	f.result(0, f.addc(a, b))
	f.result(1, f.subc(a, b))
}

func (f *fftPass) radix3() {
	half, sin60 := f.constant(0), f.constant(1)
	a, b, c := f.row(0), f.row(1), f.row(2)
	s, d := f.addc(b, c), f.subc(b, c)
	f.result(0, f.addc(a, s))
	m := f.fnmac(a, half, s)
	f.result(1, f.fnmaI(m, sin60, d))
	f.result(2, f.fmaI(m, sin60, d))
}

func (f *fftPass) radix4() {
	a, b, c, d := f.row(0), f.row(1), f.row(2), f.row(3)
	s, t := f.addc(a, c), f.addc(b, d)
	u, v := f.subc(a, c), f.subc(b, d)
	f.result(0, f.addc(s, t))
	f.result(1, f.subI(u, v))
	f.result(2, f.subc(s, t))
	f.result(3, f.addI(u, v))
}

func (f *fftPass) radix5() {
	cos72, cos36, sin72, sin36 := f.constant(0), f.constant(1), f.constant(2), f.constant(3)
	a, a1, a2, a3, a4 := f.row(0), f.row(1), f.row(2), f.row(3), f.row(4)
	s, d := f.addc(a1, a4), f.subc(a1, a4)
	t, e := f.addc(a2, a3), f.subc(a2, a3)
	f.result(0, f.addc(a, f.addc(s, t)))
	p := f.fnmac(f.fmac(a, cos72, s), cos36, t)
	q := f.fmac(f.fnmac(a, cos36, s), cos72, t)
	u := f.fmac(f.mulc(sin72, d), sin36, e)
	v := f.fnmac(f.mulc(sin36, d), sin72, e)
	f.result(1, f.subI(p, u))
	f.result(2, f.subI(q, v))
	f.result(3, f.addI(q, v))
	f.result(4, f.addI(p, u))
}

// radix8 splits into a transform of length 4 of sums, which are the even results, and one of differences times the
// eighth roots of 1, the odd ones.
func (f *fftPass) radix8() {
	sqrtHalf := f.constant(0)
	var s, d [4]cplx
	for j := range s {
		a, b := f.row(j), f.row(j+4)
		s[j], d[j] = f.addc(a, b), f.subc(a, b)
	}
	e, o := f.addc(s[0], s[2]), f.addc(s[1], s[3])
	f.result(0, f.addc(e, o))
	f.result(4, f.subc(e, o))
	e, o = f.subc(s[0], s[2]), f.subc(s[1], s[3])
	f.result(2, f.subI(e, o))
	f.result(6, f.addI(e, o))

	// √2·w·d1 and −√2·w³·d3 for w = (1 − i)/√2, an eighth root of 1
	p, q := f.subI(d[1], d[1]), f.addI(d[3], d[3])
	x, y := f.subc(p, q), f.addc(p, q)
	e, o = f.subI(d[0], d[2]), f.addI(d[0], d[2])
	f.result(1, f.fmac(e, sqrtHalf, x))
	f.result(5, f.fnmac(e, sqrtHalf, x))
	f.result(3, f.fnmaI(o, sqrtHalf, y))
	f.result(7, f.fmaI(o, sqrtHalf, y))
}
