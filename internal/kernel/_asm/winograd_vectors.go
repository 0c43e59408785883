package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// vectors emits arithmetic on vectors of an instruction set, each result in a register of its own.
type vectors struct {
	name      string
	lanes     int
	vec       func() VecVirtual
	masks     Mem                    // see maskTable
	constants map[float64]VecVirtual // those in registers
	floor     VecVirtual
	mask      VecVirtual // of a tail, without opmasks
}

// opmasks reports whether there are mask registers; K1 is then that of all loads and stores.
func (v *vectors) opmasks() bool { return v.lanes == 16 }

// setMask restricts loads and stores to the channels left.
func (v *vectors) setMask() {
	if v.opmasks() {
		MOVL(I32(-1), patch.As32())
		BZHIL(left.As32(), patch.As32(), patch.As32())
		KMOVW(patch.As32(), K1)
		return
	}
	LEAQ(v.masks.Offset(4*maskLanes), patch)
	SHLQ(U8(2), left)
	SUBQ(left, patch)
	v.mask = v.vec()
	VMOVUPS(Mem{Base: patch}, v.mask)
}

func (v *vectors) clearMask() {
	if v.opmasks() {
		MOVL(I32(-1), patch.As32())
		KMOVW(patch.As32(), K1)
	}
	v.mask = nil
}

func (v *vectors) read(m Mem) VecVirtual {
	x := v.vec()
	switch {
	case v.opmasks():
		VMOVUPS_Z(m, K1, x)
	case v.mask != nil:
		VMASKMOVPS(m, v.mask, x)
	default:
		VMOVUPS(m, x)
	}
	return x
}

func (v *vectors) write(x VecVirtual, m Mem) {
	switch {
	case v.opmasks():
		VMOVUPS(x, K1, m)
	case v.mask != nil:
		VMASKMOVPS(x, v.mask, m)
	default:
		VMOVUPS(x, m)
	}
}

// load fills the registers of the constants that t uses.
func (v *vectors) load(t transform) {
	for _, c := range t.factors {
		r := v.vec()
		VBROADCASTSS(constant(c), r)
		v.constants[c] = r
	}
	if t.finish == addBias {
		v.floor = v.vec()
		floor, err := Param("floor").Resolve()
		check(err)
		VBROADCASTSS(floor.Addr, v.floor)
	}
}

func (v *vectors) add(x, y VecVirtual) VecVirtual {
	z := v.vec()
	VADDPS(y, x, z)
	return z
}

func (v *vectors) sub(x, y VecVirtual) VecVirtual {
	z := v.vec()
	VSUBPS(y, x, z)
	return z
}

// mul returns c·x.
func (v *vectors) mul(c float64, x VecVirtual) VecVirtual {
	z := v.vec()
	VMULPS(v.constants[c], x, z)
	return z
}

// fma returns c·x + y, where c or -c is a constant.
func (v *vectors) fma(c float64, x, y VecVirtual) VecVirtual {
	z := v.vec()
	VMOVAPS(y, z)
	if k, ok := v.constants[c]; ok {
		VFMADD231PS(k, x, z)
	} else {
		VFNMADD231PS(v.constants[-c], x, z)
	}
	return z
}

var constantTables = map[float64]Mem{}

// constant returns the address of a float.
func constant(c float64) Mem {
	if m, ok := constantTables[c]; ok {
		return m
	}
	m := GLOBL(fmt.Sprintf("winogradConst%d", len(constantTables)), RODATA|NOPTR)
	DATA(0, U32(math.Float32bits(float32(c))))
	constantTables[c] = m
	return m
}
