package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// transpose emits the transposition of square blocks as wide as a vector. Four columns at a time, it gathers quarters
// of four rows in a vector, which it then transposes within each 128 bits.
func (s *simd) transpose() {
	TEXT("fftTranspose"+s.name, NOSPLIT, "func(dstRe, dstIm *float32, dstRow, dstStep int, "+
		"srcRe, srcIm *float32, srcRow, srcStep, blocks int, scale float32)")
	Pragma("noescape")
	Doc(fmt.Sprintf("fftTranspose%s is an fftTranspose of blocks of %d×%[2]d.", s.name, s.bytes/4))
	dst, src := Load(Param("dstRe"), GP64()), Load(Param("srcRe"), GP64())
	dr, sr := Load(Param("dstRow"), GP64()), Load(Param("srcRow"), GP64())
	dr3, sr3 := GP64(), GP64()
	LEAQ(Mem{Base: dr, Index: dr, Scale: 2}, dr3)
	LEAQ(Mem{Base: sr, Index: sr, Scale: 2}, sr3)
	scale := s.vec()
	VBROADCASTSS(param("scale"), scale)
	planes := GP64()
	MOVQ(U32(2), planes)

	Label("plane")
	quads := make([]Register, s.bytes/16) // rows 0, 4, …
	quads[0] = src
	for i := 1; i < len(quads); i++ {
		quads[i] = GP64()
		LEAQ(Mem{Base: quads[i-1], Index: sr, Scale: 4}, quads[i])
	}
	blocks := Load(Param("blocks"), GP64())
	Label("block")
	out := GP64()
	MOVQ(dst, out)
	width := s.bytes / 8
	for c := 0; c < s.bytes/4; c += width {
		if s.many {
			s.transpose8(out, dr, dr3, quads, sr, sr3, 4*c, scale)
		} else {
			s.transpose4(out, dr, dr3, quads, sr, sr3, 4*c, scale)
		}
		if c == 0 {
			LEAQ(Mem{Base: out, Index: dr, Scale: 4}, out)
		}
	}
	ADDQ(param("dstStep"), dst)
	for _, q := range quads {
		ADDQ(param("srcStep"), q)
	}
	DECQ(blocks)
	JNE(LabelRef("block"))
	Load(Param("dstIm"), dst)
	Load(Param("srcIm"), src)
	DECQ(planes)
	JNE(LabelRef("plane"))
	VZEROUPPER()
	RET()
}

// transpose8 makes eight rows of out from eight columns at byte disp of the rows below quads (AVX-512).
func (s *simd) transpose8(out, dr, dr3 Register, quads []Register, sr, sr3 Register, disp int, scale VecVirtual) {
	var lo, hi [4]VecVirtual
	for i := range lo {
		var z [2]VecVirtual
		for h := range z {
			z[h] = s.vec()
			VMOVUPS(at(quads[2*h], sr, sr3, i).Offset(disp), z[h].AsY())
			VINSERTF64X4(U8(1), at(quads[2*h+1], sr, sr3, i).Offset(disp), z[h], z[h])
			VMULPS(scale, z[h], z[h])
		}
		lo[i], hi[i] = s.vec(), s.vec()
		VSHUFF32X4(U8(0x88), z[1], z[0], lo[i])
		VSHUFF32X4(U8(0xdd), z[1], z[0], hi[i])
	}
	s.quad(lo, out, dr, dr3)
	LEAQ(Mem{Base: out, Index: dr, Scale: 4}, out)
	s.quad(hi, out, dr, dr3)
}

func at(base, step, step3 Register, i int) Mem {
	m := Mem{Base: base}
	switch i {
	case 1, 2:
		m.Index, m.Scale = step, uint8(i)
	case 3:
		m.Index, m.Scale = step3, 1
	}
	return m
}

// transpose4 makes four rows of out from four columns at byte disp of the rows below quads (AVX2).
func (s *simd) transpose4(out, dr, dr3 Register, quads []Register, sr, sr3 Register, disp int, scale VecVirtual) {
	var z [4]VecVirtual
	for i := range z {
		z[i] = s.vec()
		VMOVUPS(at(quads[0], sr, sr3, i).Offset(disp), z[i].AsX())
		VINSERTF128(U8(1), at(quads[1], sr, sr3, i).Offset(disp), z[i], z[i])
		VMULPS(scale, z[i], z[i])
	}
	s.quad(z, out, dr, dr3)
}

// quad transposes each 128 bits of z and stores.
func (s *simd) quad(z [4]VecVirtual, out, dr, dr3 Register) {
	lo02, hi02 := s.op(VUNPCKLPS, z[0], z[2]), s.op(VUNPCKHPS, z[0], z[2])
	lo13, hi13 := s.op(VUNPCKLPS, z[1], z[3]), s.op(VUNPCKHPS, z[1], z[3])
	for i, y := range []VecVirtual{
		s.op(VUNPCKLPS, lo02, lo13), s.op(VUNPCKHPS, lo02, lo13),
		s.op(VUNPCKLPS, hi02, hi13), s.op(VUNPCKHPS, hi02, hi13),
	} {
		VMOVUPS(y, at(out, dr, dr3, i))
	}
}
