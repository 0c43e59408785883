package main

import "fmt"

// Go's assembler does not know the following instructions. The encodings are those of section C7.2 of the Arm
// Architecture Reference Manual for A-profile (DDI 0487), for vectors of four single-precision lanes; vector registers
// are given by their numbers.

// fadd emits dst = x + y: FADD (vector).
func (a *assembly) fadd(dst, x, y int) { a.vector(0x4e20d400, "fadd", dst, x, y) }

// fsub emits dst = x − y: FSUB (vector).
func (a *assembly) fsub(dst, x, y int) { a.vector(0x4ea0d400, "fsub", dst, x, y) }

// fmax emits dst = max(x, y), NaN if either is: FMAX (vector).
func (a *assembly) fmax(dst, x, y int) { a.vector(0x4e20f400, "fmax", dst, x, y) }

// fmul emits dst = x·y[lane]: FMUL (by element).
func (a *assembly) fmul(dst, x, y, lane int) { a.element(0x4f809000, "fmul", dst, x, y, lane) }

// fmla emits dst += x·y[lane]: FMLA (by element).
func (a *assembly) fmla(dst, x, y, lane int) { a.element(0x4f801000, "fmla", dst, x, y, lane) }

// fmls emits dst −= x·y[lane]: FMLS (by element).
func (a *assembly) fmls(dst, x, y, lane int) { a.element(0x4f805000, "fmls", dst, x, y, lane) }

// ldr emits the load of a vector from base + index: LDR (register, SIMD&FP).
func (a *assembly) ldr(dst int, base, index gp) {
	a.word(0x3ce06800|fields(dst, int(base), int(index)), "ldr q%d, [%s, %s]", dst, arm(base), arm(index))
}

// str emits the store of a vector to base + index: STR (register, SIMD&FP).
func (a *assembly) str(src int, base, index gp) {
	a.word(0x3ca06800|fields(src, int(base), int(index)), "str q%d, [%s, %s]", src, arm(base), arm(index))
}

// arm returns Arm's name of a register.
func arm(r gp) string {
	if r == zr {
		return "xzr"
	}
	return fmt.Sprintf("x%d", int(r))
}

func (a *assembly) vector(code uint32, mnemonic string, dst, x, y int) {
	a.word(code|fields(dst, x, y), "%s v%d.4s, v%d.4s, v%d.4s", mnemonic, dst, x, y)
}

func (a *assembly) element(code uint32, mnemonic string, dst, x, y, lane int) {
	if lane < 0 || lane >= lanes {
		panic(fmt.Sprintf("neon: no lane %d", lane))
	}
	l, h := uint32(lane)&1, uint32(lane)>>1
	a.word(code|fields(dst, x, y)|l<<21|h<<11, "%s v%d.4s, v%d.4s, v%d.s[%d]", mnemonic, dst, x, y, lane)
}

// fields puts the registers into an instruction's fields Rd or Rt, Rn and Rm.
func fields(d, n, m int) uint32 {
	for _, r := range []int{d, n, m} {
		if r < 0 || r > 31 {
			panic(fmt.Sprintf("neon: no register %d", r))
		}
	}
	return uint32(m)<<16 | uint32(n)<<5 | uint32(d)
}

func (a *assembly) word(code uint32, format string, operands ...any) {
	a.op("WORD", "$%#08x // %s", code, fmt.Sprintf(format, operands...))
}
