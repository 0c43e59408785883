package main

// A cplx is a vector of complex numbers.
type cplx struct{ re, im vec }

// A factor is a scalar: a lane of a register that holds constants.
type factor struct{ register, lane int }

func (s *straight) add(x, y vec) vec {
	return s.compute(func(a *assembly, r int, v []int) { a.fadd(r, v[0], v[1]) }, x, y)
}

func (s *straight) sub(x, y vec) vec {
	return s.compute(func(a *assembly, r int, v []int) { a.fsub(r, v[0], v[1]) }, x, y)
}

// max returns the greater of x and a register.
func (s *straight) max(x vec, register int) vec {
	return s.compute(func(a *assembly, r int, v []int) { a.fmax(r, v[0], register) }, x)
}

// mul returns k·x.
func (s *straight) mul(k factor, x vec) vec {
	return s.compute(func(a *assembly, r int, v []int) { a.fmul(r, v[0], k.register, k.lane) }, x)
}

// fma returns x + k·y.
func (s *straight) fma(x vec, k factor, y vec) vec {
	return s.update(func(a *assembly, r int, v []int) { a.fmla(r, v[1], k.register, k.lane) }, x, y)
}

// fnma returns x − k·y.
func (s *straight) fnma(x vec, k factor, y vec) vec {
	return s.update(func(a *assembly, r int, v []int) { a.fmls(r, v[1], k.register, k.lane) }, x, y)
}

// load returns the vector at base + index.
func (s *straight) load(base, index gp) vec {
	return s.compute(func(a *assembly, r int, _ []int) { a.ldr(r, base, index) })
}

// store stores x at base + index.
func (s *straight) store(x vec, base, index gp) {
	s.consume(func(a *assembly, _ int, v []int) { a.str(v[0], base, index) }, x)
}

// loadFloat returns the float at base + index, in lane 0.
func (s *straight) loadFloat(base, index gp) vec {
	return s.compute(func(a *assembly, r int, _ []int) { a.op("FMOVS", "(%v)(%v), F%d", base, index, r) })
}

// storeFloat stores lane 0 of x at base + index.
func (s *straight) storeFloat(x vec, base, index gp) {
	s.consume(func(a *assembly, _ int, v []int) { a.op("FMOVS", "F%d, (%v)(%v)", v[0], base, index) }, x)
}

// loadAt returns the vector at base and a constant number of bytes.
func (s *straight) loadAt(base gp, offset int) vec {
	return s.compute(func(a *assembly, r int, _ []int) { a.op("FMOVQ", "%d(%v), F%d", offset, base, r) })
}

// storeAt stores x at base and a constant number of bytes.
func (s *straight) storeAt(x vec, base gp, offset int) {
	s.consume(func(a *assembly, _ int, v []int) { a.op("FMOVQ", "F%d, %d(%v)", v[0], offset, base) }, x)
}

// instruction adds one that has nothing to do with vecs.
func (s *straight) instruction(mnemonic, format string, operands ...any) {
	s.consume(func(a *assembly, _ int, _ []int) { a.op(mnemonic, format, operands...) })
}

// shuffle returns what an instruction like VZIP1 makes of x and y.
func (s *straight) shuffle(mnemonic, arrangement string, x, y vec) vec {
	return s.compute(func(a *assembly, r int, v []int) {
		a.op(mnemonic, "V%[1]d.%[4]s, V%[2]d.%[4]s, V%[3]d.%[4]s", v[1], v[0], r, arrangement)
	}, x, y)
}

func (s *straight) addc(x, y cplx) cplx { return cplx{s.add(x.re, y.re), s.add(x.im, y.im)} }
func (s *straight) subc(x, y cplx) cplx { return cplx{s.sub(x.re, y.re), s.sub(x.im, y.im)} }

// addI and subI return x ± i·y.
func (s *straight) addI(x, y cplx) cplx { return cplx{s.sub(x.re, y.im), s.add(x.im, y.re)} }
func (s *straight) subI(x, y cplx) cplx { return cplx{s.add(x.re, y.im), s.sub(x.im, y.re)} }

// mulc returns k·x.
func (s *straight) mulc(k factor, x cplx) cplx { return cplx{s.mul(k, x.re), s.mul(k, x.im)} }

// fmac and fnmac return x ± k·y.
func (s *straight) fmac(x cplx, k factor, y cplx) cplx {
	return cplx{s.fma(x.re, k, y.re), s.fma(x.im, k, y.im)}
}

func (s *straight) fnmac(x cplx, k factor, y cplx) cplx {
	return cplx{s.fnma(x.re, k, y.re), s.fnma(x.im, k, y.im)}
}

// fmaI and fnmaI return x ± i·k·y.
func (s *straight) fmaI(x cplx, k factor, y cplx) cplx {
	return cplx{s.fnma(x.re, k, y.im), s.fma(x.im, k, y.re)}
}

func (s *straight) fnmaI(x cplx, k factor, y cplx) cplx {
	return cplx{s.fma(x.re, k, y.im), s.fnma(x.im, k, y.re)}
}

// rotate returns (re + i·im)·x.
func (s *straight) rotate(re, im factor, x cplx) cplx {
	return cplx{s.fnma(s.mul(re, x.re), im, x.im), s.fma(s.mul(im, x.re), re, x.im)}
}
