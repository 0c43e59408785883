package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// fftSignature is that of kernel.fftPass.
const fftSignature = "func(dstRe, dstIm *float32, dstRow int, srcRe, srcIm *float32, srcRow int, " +
	"groups, stride int, twiddles *float32)"

// A simd is an instruction set.
type simd struct {
	name   string
	bytes  int // in a vector
	vec    func() VecVirtual
	many   bool // 32 registers, else 16
	consts map[float32]Mem
}

func newAVX2() *simd {
	return &simd{name: "AVX2", bytes: 32, vec: YMM, consts: map[float32]Mem{}}
}

func newAVX512() *simd {
	return &simd{name: "AVX512", bytes: 64, vec: ZMM, many: true, consts: map[float32]Mem{}}
}

// cplx is a vector of complex numbers.
type cplx struct{ re, im VecVirtual }

// fft emits the kernels of the Fourier transform.
func (s *simd) fft(radices ...int) {
	for _, r := range radices {
		newFFTPass(s, r).emit()
	}
	s.transpose()
}

// constant returns x in all lanes, as an operand: a register if there are many, else memory.
func (s *simd) constant(x float32) Op {
	m, ok := s.consts[x]
	if !ok {
		m = GLOBL(fmt.Sprintf("fftConst%d%s", len(s.consts), s.name), RODATA|NOPTR)
		for i := range 8 {
			DATA(4*i, F32(x))
		}
		s.consts[x] = m
	}
	if !s.many {
		return m
	}
	v := s.vec()
	VBROADCASTSS(m, v)
	return v
}

func (s *simd) add(a, b Op) VecVirtual { return s.op(VADDPS, a, b) }

// sub returns a − b, a being a register.
func (s *simd) sub(a, b Op) VecVirtual { return s.op(VSUBPS, a, b) }

func (s *simd) op(f func(ops ...Op), a, b Op) VecVirtual {
	v := s.vec()
	f(b, a, v)
	return v
}

func (s *simd) addc(a, b cplx) cplx { return cplx{s.add(a.re, b.re), s.add(a.im, b.im)} }
func (s *simd) subc(a, b cplx) cplx { return cplx{s.sub(a.re, b.re), s.sub(a.im, b.im)} }

// addI and subI return a ± i·b.
func (s *simd) addI(a, b cplx) cplx { return cplx{s.sub(a.re, b.im), s.add(a.im, b.re)} }
func (s *simd) subI(a, b cplx) cplx { return cplx{s.add(a.re, b.im), s.sub(a.im, b.re)} }

func (s *simd) copyc(a cplx) cplx {
	c := cplx{s.vec(), s.vec()}
	VMOVAPS(a.re, c.re)
	VMOVAPS(a.im, c.im)
	return c
}

func (s *simd) scalec(k Op, a cplx) cplx {
	return cplx{s.op(VMULPS, a.re, k), s.op(VMULPS, a.im, k)}
}

// addScaled and subScaled add k·b to a and subtract it.
func addScaled(a cplx, k Op, b cplx) cplx {
	VFMADD231PS(k, b.re, a.re)
	VFMADD231PS(k, b.im, a.im)
	return a
}

func subScaled(a cplx, k Op, b cplx) cplx {
	VFNMADD231PS(k, b.re, a.re)
	VFNMADD231PS(k, b.im, a.im)
	return a
}

// addScaledI and subScaledI add i·k·b to a and subtract it.
func addScaledI(a cplx, k Op, b cplx) cplx {
	VFNMADD231PS(k, b.im, a.re)
	VFMADD231PS(k, b.re, a.im)
	return a
}

func subScaledI(a cplx, k Op, b cplx) cplx {
	VFMADD231PS(k, b.im, a.re)
	VFNMADD231PS(k, b.re, a.im)
	return a
}

// mulc returns a·w.
func (s *simd) mulc(a, w cplx) cplx {
	r, i := s.vec(), s.vec()
	VMULPS(a.im, w.im, r)
	VMULPS(a.im, w.re, i)
	VFMSUB231PS(a.re, w.re, r)
	VFMADD231PS(a.re, w.im, i)
	return cplx{r, i}
}
