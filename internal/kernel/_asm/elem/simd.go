package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A simd is a vector instruction set. The elementwise kernels are written once, as a sequence of operations that
// every set has, so that all sets compute the same bits.
type simd struct {
	name  string
	bytes int // in a vector
}

// tailMasks holds 8 lanes of ones and 8 of zeros.
var tailMasks Mem

// constants holds every constant once, in eight bytes: a float64 or a float32 and its copy.
var constants = struct {
	table Mem
	at    map[uint64]int
}{at: map[uint64]int{}}

func constant(bits uint64) Mem {
	at, ok := constants.at[bits]
	if !ok {
		at = 8 * len(constants.at)
		constants.at[bits] = at
		DATA(at, U64(bits))
	}
	return constants.table.Offset(at)
}

func (s simd) wide() bool { return s.bytes == 64 }

func (s simd) reg() VecVirtual {
	if s.wide() {
		return ZMM()
	}
	return YMM()
}

// mask returns a new mask of lanes.
func (s simd) mask() Register {
	if s.wide() {
		return K()
	}
	return YMM()
}

// do emits an instruction with a new register as its destination.
func (s simd) do(f func(...Op), ops ...Op) VecVirtual {
	r := s.reg()
	f(append(ops, r)...)
	return r
}

func (s simd) zero() VecVirtual {
	r := s.reg()
	VXORPS(r, r, r)
	return r
}

// bits returns a vector of copies of 32 bits, k one of copies of a float32.
func (s simd) bits(x uint32) VecVirtual {
	return s.do(broadcast, constant(uint64(x)<<32|uint64(x)))
}

func (s simd) k(x float64) VecVirtual { return s.bits(math.Float32bits(float32(x))) }

func broadcast(ops ...Op) { VBROADCASTSS(ops...) }

// param returns a vector of copies of a parameter.
func (s simd) param(name string) VecVirtual { return s.do(broadcast, address(name)) }

// address returns where a parameter lies.
func address(name string) Op {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

func (s simd) add(a, b Op) VecVirtual { return s.do(VADDPS, b, a) }
func (s simd) sub(a, b Op) VecVirtual { return s.do(VSUBPS, b, a) }
func (s simd) mul(a, b Op) VecVirtual { return s.do(VMULPS, b, a) }
func (s simd) div(a, b Op) VecVirtual { return s.do(VDIVPS, b, a) }
func (s simd) and(a, b Op) VecVirtual { return s.do(VANDPS, b, a) }
func (s simd) or(a, b Op) VecVirtual  { return s.do(VORPS, b, a) }
func (s simd) xor(a, b Op) VecVirtual { return s.do(VXORPS, b, a) }

func (s simd) abs(a Op) VecVirtual     { return s.and(a, s.bits(0x7fffffff)) }
func (s simd) signBit(a Op) VecVirtual { return s.and(a, s.bits(0x80000000)) }

// max and min return b where a lane is NaN, whether in a or in b.
func (s simd) max(a, b Op) VecVirtual { return s.do(VMAXPS, b, a) }
func (s simd) min(a, b Op) VecVirtual { return s.do(VMINPS, b, a) }

// fma returns a·b + c, fnma returns c − a·b.
func (s simd) fma(a, b, c Op) VecVirtual {
	r := s.do(VMOVAPS, c)
	VFMADD231PS(b, a, r)
	return r
}

func (s simd) fnma(a, b, c Op) VecVirtual {
	r := s.do(VMOVAPS, c)
	VFNMADD231PS(b, a, r)
	return r
}

// polynomial returns Σ cᵢ·xⁱ.
func (s simd) polynomial(x Op, c ...float64) VecVirtual {
	p := s.k(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		VFMADD213PS(s.k(c[i]), x, p)
	}
	return p
}

// round returns a rounded to integers, ties to even.
func (s simd) round(a Op) VecVirtual {
	if s.wide() {
		return s.do(VRNDSCALEPS, U8(8), a)
	}
	r := s.reg()
	VROUNDPS(U8(8), a, r)
	return r
}

func (s simd) addInt(a, b Op) VecVirtual          { return s.do(VPADDD, b, a) }
func (s simd) subInt(a, b Op) VecVirtual          { return s.do(VPSUBD, b, a) }
func (s simd) shiftLeft(a Op, n uint8) VecVirtual { return s.do(VPSLLD, U8(n), a) }
func (s simd) half(a Op) VecVirtual               { return s.do(VPSRAD, U8(1), a) }

// The predicates of a comparison. Only notAtMost and unordered are true of NaN.
const (
	equal     = 0x00
	unordered = 0x03
	less      = 0x11
	notAtMost = 0x16
	greater   = 0x1e
)

// compare returns the mask of the lanes where the predicate holds.
func (s simd) compare(a Op, predicate uint8, b Op) Register {
	m := s.mask()
	VCMPPS(U8(predicate), b, a, m)
	return m
}

// choose returns a where the mask is set and b elsewhere.
func (s simd) choose(mask, a, b Op) VecVirtual {
	r := s.reg()
	if s.wide() {
		VBLENDMPS(a, b, mask, r)
	} else {
		VBLENDVPS(mask, a, b, r)
	}
	return r
}

// only returns a where the mask is set and zero elsewhere.
func (s simd) only(mask, a Op) VecVirtual {
	if !s.wide() {
		return s.and(a, mask)
	}
	r := s.reg()
	VMOVAPS_Z(a, mask, r)
	return r
}

// any emits a jump that is taken when the mask is set in any lane.
func (s simd) any(mask Op, label string) {
	set := GP32()
	if s.wide() {
		KMOVW(mask, set)
	} else {
		VMOVMSKPS(mask, set)
	}
	TESTL(set, set)
	JNE(LabelRef(label))
}
