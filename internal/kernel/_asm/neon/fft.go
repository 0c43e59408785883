package main

import "fmt"

// fftParams are the parameters of kernel.fftPass.
const fftParams = "dstRe *float32, dstIm *float32, dstRow int, srcRe *float32, srcIm *float32, srcRow int, groups int, " +
	"stride int, twiddles *float32"

// fftConstants are the constants of the butterflies, by radix.
var fftConstants = map[int][]float64{
	3: {0.5, 0.86602540378443864676},
	5: {0.30901699437494742410, 0.80901699437494742410, 0.95105651629515357212, 0.58778525229247312917},
	8: {0.70710678118654752440},
}

// General registers of a pass.
const (
	fftRun      = gp(0)
	fftGroups   = gp(1)
	fftStride   = gp(2)
	fftTwiddles = gp(3)
)

// Vector registers of a pass that hold factors; those below are for the butterfly.
const (
	twiddleVectors  = 27 // to 30
	constantVectors = 31
)

// fftRows addresses rows of complex vectors in two planes.
type fftRows struct {
	row, re, im gp
	steps       []gp // distances of the rows of a butterfly from the first
}

// load loads the parameters that describe rows.
func (r fftRows) load(a *assembly, prefix string) {
	a.loadParam(prefix+"Re", r.re)
	a.loadParam(prefix+"Im", r.im)
	a.loadParam(prefix+"Row", r.row)
}

// advance adds a distance to the pointers.
func (r fftRows) advance(a *assembly, by gp) {
	a.op("ADD", "%v, %v", by, r.re)
	a.op("ADD", "%v, %v", by, r.im)
}

// An fftPass emits one pass function.
type fftPass struct {
	*assembly
	radix    int
	src, dst fftRows
	*straight
	twiddled bool
}

func newFFTPass(a *assembly, radix int) *fftPass {
	return &fftPass{
		assembly: a, radix: radix,
		src: fftRows{4, 5, 6, []gp{zr, 10, 11, 12, 13, 14, 15, 16}[:radix]},
		dst: fftRows{7, 8, 9, []gp{zr, 17, 19, 20, 21, 22, 23, 24}[:radix]},
	}
}

func (f *fftPass) emit() {
	name := fmt.Sprintf("fft%dNEON", f.radix)
	table := f.table(name+"Constants", fftConstants[f.radix], lanes)
	f.function(name, fmt.Sprintf("is an fftPass of radix %d on vectors of %d floats.", f.radix, lanes), 0, fftParams)
	f.begin(table)
	f.op("MOVD", "%v, %v", fftStride, fftRun)
	f.label("plain")
	f.butterfly()
	f.loop(fftRun, "plain")
	f.op("SUBS", "$1, %v", fftGroups)
	f.op("BEQ", "done")

	f.twiddled = true
	f.label("group")
	f.dst.advance(f.assembly, f.dst.steps[f.radix-1])
	f.op("ADD", "$%d, %v", 8*(f.radix-1), fftTwiddles)
	f.loadTwiddles()
	f.op("MOVD", "%v, %v", fftStride, fftRun)
	f.label("twiddled")
	f.butterfly()
	f.loop(fftRun, "twiddled")
	f.loop(fftGroups, "group")
	f.label("done")
	f.op("RET", "")
}

// begin loads the parameters, the distances of the rows and the constants.
func (f *fftPass) begin(table string) {
	if table != "" {
		f.op("MOVD", "$%s, %v", table, fftRun)
		f.op("VLD1", "(%v), [V%d.S4]", fftRun, constantVectors)
	}
	f.loadParam("groups", fftGroups)
	f.loadParam("stride", fftStride)
	f.loadParam("twiddles", fftTwiddles)
	for _, r := range []struct {
		fftRows
		prefix string
	}{{f.src, "src"}, {f.dst, "dst"}} {
		r.load(f.assembly, r.prefix)
		f.op("MUL", "%v, %v, %v", fftStride, r.row, r.steps[1])
		if r.prefix == "src" {
			f.op("MUL", "%v, %v", fftGroups, r.steps[1])
		}
		f.multiples(r.steps)
	}
}

// loadTwiddles emits the load of the twiddle factors of a group, and of nothing behind them.
func (f *fftPass) loadTwiddles() {
	for i := 0; i < 2*(f.radix-1); i += lanes {
		load := "FMOVQ"
		if 2*(f.radix-1)-i < lanes {
			load = "FMOVD"
		}
		f.op(load, "%d(%v), F%d", 4*i, fftTwiddles, twiddleVectors+i/lanes)
	}
}

// butterfly emits one butterfly and the advance by a row.
func (f *fftPass) butterfly() {
	f.straight = new(straight)
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
	f.straight.assign(f.assembly, twiddleVectors)
	f.src.advance(f.assembly, f.src.row)
	f.dst.advance(f.assembly, f.dst.row)
}

func (f *fftPass) constant(i int) factor { return factor{constantVectors, i} }

// twiddle is part i of the twiddle factors.
func (f *fftPass) twiddle(i int) factor { return factor{twiddleVectors + i/lanes, i % lanes} }

// row loads row j of the source.
func (f *fftPass) row(j int) cplx {
	return cplx{f.load(f.src.re, f.src.steps[j]), f.load(f.src.im, f.src.steps[j])}
}

// result multiplies result j by its twiddle factor and stores it.
func (f *fftPass) result(j int, x cplx) {
	if f.twiddled && j > 0 {
		x = f.rotate(f.twiddle(2*j-2), f.twiddle(2*j-1), x)
	}
	f.store(x.re, f.dst.re, f.dst.steps[j])
	f.store(x.im, f.dst.im, f.dst.steps[j])
}
