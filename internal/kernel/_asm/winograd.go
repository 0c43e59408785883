package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// transformSignature is that of kernel.transformFunc.
const transformSignature = "func(tiles, channels int, src *float32, srcRow, srcCol, srcTile int, " +
	"dst *float32, dstRow, dstCol, dstTile int, tmp, bias *float32, floor float32)"

// A transform describes a kernel.transformFunc of from×from values to to×to.
type transform struct {
	name     string
	from, to int
	line     func(v *vectors, load func(i int) VecVirtual, store func(i int, x VecVirtual))
	finish   int
	factors  []float64 // constants of line
}

// What a transform does with its results.
const (
	replace = iota
	addBias
	addOld
)

var winogradTransforms = []transform{
	{"inputWinograd", 6, 6, inputLine, replace, []float64{.5, 2, 2.5, math.Sqrt2 / 2, math.Sqrt2}},
	{"gradientWinograd", 4, 6, gradientLine, replace, []float64{.5, 2, math.Sqrt2 / 2, math.Sqrt2}},
	{"weightWinograd", 3, 6, weightLine, replace, []float64{1. / 6, 1. / 3, -2. / 3, math.Sqrt2 / 6, math.Sqrt2 / 3}},
	{"outputWinograd", 6, 4, outputLine, addBias, []float64{.25, .5, 2, math.Sqrt2}},
	{"outputAddWinograd", 6, 4, outputLine, addOld, []float64{.25, .5, 2, math.Sqrt2}},
	{"weightAddWinograd", 6, 3, weightAddLine, addOld, []float64{1. / 6, 1. / 3, 2. / 3, 2, math.Sqrt2 / 6}},
}

// Registers of a transform. The distances between rows of src and columns of dst are kept times 1, 3 and 5.
var (
	left    = RAX // channels left
	srcAt   = RBX // the present channel of src
	dstAt   = RCX // of dst
	biasAt  = RDX // of the bias
	patch   = RSI // column of src or row of dst
	tmpAt   = RDI
	srcRows = []GPPhysical{R8, R9, R10}
	dstCols = []GPPhysical{R11, R12, RDX} // an output has fewer than 5 columns
	srcCol  = R13
	dstRow  = R15
)

func winograd(masks Mem) {
	for _, isa := range []vectors{{name: "AVX512", lanes: 16, vec: ZMM}, {name: "AVX2", lanes: 8, vec: YMM}} {
		for _, t := range winogradTransforms {
			isa.masks = masks
			isa.transform(t)
		}
	}
}

// transform emits the loops over tiles and over vectors of channels.
func (v *vectors) transform(t transform) {
	TEXT(t.name+v.name, NOSPLIT, transformSignature)
	Pragma("noescape")
	Doc(fmt.Sprintf("%s is a transformFunc.", t.name+v.name))
	v.constants = map[float64]VecVirtual{}
	v.mask = nil
	t.strides("srcRow", srcRows, t.from)
	t.strides("dstCol", dstCols, t.to)
	loadBytes("srcCol", srcCol)
	loadBytes("dstRow", dstRow)
	Load(Param("tmp"), tmpAt)
	if v.opmasks() {
		MOVL(I32(-1), left.As32())
		KMOVW(left.As32(), K1)
	}
	v.load(t)

	Label("tile")
	Load(Param("src"), srcAt)
	Load(Param("dst"), dstAt)
	Load(Param("channels"), left)
	if t.finish == addBias {
		Load(Param("bias"), biasAt)
	}
	CMPQ(left, U8(v.lanes))
	JLT(LabelRef("tail"))
	Label("channel")
	v.body(t)
	ADDQ(U8(4*v.lanes), srcAt)
	ADDQ(U8(4*v.lanes), dstAt)
	if t.finish == addBias {
		ADDQ(U8(4*v.lanes), biasAt)
	}
	SUBQ(U8(v.lanes), left)
	JEQ(LabelRef("next"))
	CMPQ(left, U8(v.lanes))
	JGE(LabelRef("channel"))

	Label("tail")
	v.setMask()
	v.body(t)
	v.clearMask()

	Label("next")
	advance("src", "srcTile")
	advance("dst", "dstTile")
	tiles, err := Param("tiles").Resolve()
	check(err)
	DECQ(tiles.Addr)
	JNE(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func loadBytes(param string, r GPPhysical) {
	Load(Param(param), r)
	SHLQ(U8(2), r)
}

// strides loads the odd multiples of a stride that the addresses of n elements need.
func (t transform) strides(param string, r []GPPhysical, n int) {
	loadBytes(param, r[0])
	if n > 3 {
		LEAQ(Mem{Base: r[0], Index: r[0], Scale: 2}, r[1])
	}
	if n > 5 {
		LEAQ(Mem{Base: r[0], Index: r[0], Scale: 4}, r[2])
	}
}

// element returns the address of element i at the given strides from patch.
func element(r []GPPhysical, i int) Mem {
	m := Mem{Base: patch}
	if i > 0 {
		m.Index, m.Scale = r[[]int{0, 0, 0, 1, 0, 2}[i]], []uint8{0, 1, 2, 1, 4, 1}[i]
	}
	return m
}

// advance adds step floats to a pointer among the arguments.
func advance(pointer, step string) {
	p, err := Param(pointer).Resolve()
	check(err)
	Load(Param(step), patch)
	SHLQ(U8(2), patch)
	ADDQ(patch, p.Addr)
}

// body transforms one vector of channels, first the columns of src, then the rows of what came of them.
func (v *vectors) body(t transform) {
	tmp := func(i, j int) Mem { return Mem{Base: tmpAt, Disp: (i*t.from + j) * 4 * v.lanes} }

	MOVQ(srcAt, patch)
	for j := range t.from {
		t.line(v, func(i int) VecVirtual { return v.read(element(srcRows, i)) }, func(i int, x VecVirtual) {
			VMOVUPS(x, tmp(i, j))
		})
		if j < t.from-1 {
			ADDQ(srcCol, patch)
		}
	}
	var bias VecVirtual
	if t.finish == addBias {
		bias = v.read(Mem{Base: biasAt})
	}
	MOVQ(dstAt, patch)
	for i := range t.to {
		t.line(v, func(j int) VecVirtual {
			x := v.vec()
			VMOVUPS(tmp(i, j), x)
			return x
		}, func(j int, x VecVirtual) {
			y := element(dstCols, j)
			switch t.finish {
			case addBias:
				x = v.add(x, bias)
				VMAXPS(x, v.floor, x) // NaN stays: it is the second operand
			case addOld:
				x = v.add(x, v.read(y))
			}
			v.write(x, y)
		})
		if i < t.to-1 {
			ADDQ(dstRow, patch)
		}
	}
}

func inputLine(v *vectors, load func(int) VecVirtual, store func(int, VecVirtual)) {
	x2, x4 := load(2), load(4)
	store(0, v.fma(-2.5, x2, v.add(load(0), x4)))
	x1, x3 := load(1), load(3)
	store(5, v.fma(-2.5, x3, v.add(x1, load(5))))
	v.pair(store, 1, math.Sqrt2/2, v.fma(-2, x2, x4), v.fma(-2, x1, x3))
	v.pair(store, 3, math.Sqrt2, v.fma(-.5, x2, x4), v.fma(-.5, x1, x3))
}

func gradientLine(v *vectors, load func(int) VecVirtual, store func(int, VecVirtual)) {
	x0, x1, x2, x3 := load(0), load(1), load(2), load(3)
	store(0, x0)
	v.pair(store, 1, math.Sqrt2/2, v.fma(.5, x2, x0), v.fma(.5, x3, x1))
	v.pair(store, 3, math.Sqrt2, v.fma(2, x2, x0), v.fma(2, x3, x1))
	store(5, x3)
}

func weightLine(v *vectors, load func(int) VecVirtual, store func(int, VecVirtual)) {
	x0, x1, x2 := load(0), load(1), load(2)
	store(0, x0)
	third := v.mul(1./3, x2)
	v.pair(store, 1, -math.Sqrt2/3, v.sub(v.mul(-2./3, x0), third), x1)
	v.pair(store, 3, math.Sqrt2/6, v.fma(1./6, x0, third), x1)
	store(5, x2)
}

func outputLine(v *vectors, load func(int) VecVirtual, store func(int, VecVirtual)) {
	x1, x2, x3, x4 := load(1), load(2), load(3), load(4)
	even1, odd1 := v.add(x1, x2), v.sub(x1, x2)
	even2, odd2 := v.add(x3, x4), v.sub(x3, x4)
	store(0, v.add(v.add(load(0), even1), even2))
	store(1, v.mul(math.Sqrt2, v.fma(.5, odd1, odd2)))
	store(2, v.fma(2, even2, v.mul(.5, even1)))
	store(3, v.fma(math.Sqrt2, v.fma(2, odd2, v.mul(.25, odd1)), load(5)))
}

func weightAddLine(v *vectors, load func(int) VecVirtual, store func(int, VecVirtual)) {
	x1, x2, x3, x4 := load(1), load(2), load(3), load(4)
	even1, odd1 := v.add(x1, x2), v.sub(x1, x2)
	even2, odd2 := v.add(x3, x4), v.sub(x3, x4)
	store(0, v.fma(1./6, even2, v.fma(-2./3, even1, load(0))))
	store(1, v.mul(math.Sqrt2/6, v.fma(-2, odd1, odd2)))
	store(2, v.fma(1./3, v.sub(even2, even1), load(5)))
}

// pair stores the values at the points ±p, even ± p·odd.
func (v *vectors) pair(store func(int, VecVirtual), i int, p float64, even, odd VecVirtual) {
	store(i, v.fma(p, odd, even))
	store(i+1, v.fma(-p, odd, even))
}
