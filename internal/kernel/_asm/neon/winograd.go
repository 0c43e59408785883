package main

import (
	"fmt"
	"math"
)

// A transform emits a kernel.transformFunc of from×from values to to×to.
type transform struct {
	name     string
	from, to int
	line     func(t *transform, x []vec) []vec
	finish   int
	factors  []float64 // constants of line

	*assembly
	*straight
	single bool // one channel at a time
}

// What a transform does with its results.
const (
	replace = iota
	addBias
	addOld
)

var winogradTransforms = []transform{
	{name: "input", from: 6, to: 6, line: inputLine, factors: []float64{.5, 2, 2.5, math.Sqrt2 / 2, math.Sqrt2}},
	{name: "gradient", from: 4, to: 6, line: gradientLine, factors: []float64{.5, 2, math.Sqrt2 / 2, math.Sqrt2}},
	{name: "weight", from: 3, to: 6, line: weightLine, factors: []float64{1. / 6, 1. / 3, -2. / 3, math.Sqrt2 / 6, math.Sqrt2 / 3}},
	{name: "output", from: 6, to: 4, line: outputLine, finish: addBias, factors: outputFactors},
	{name: "outputAdd", from: 6, to: 4, line: outputLine, finish: addOld, factors: outputFactors},
	{name: "weightAdd", from: 6, to: 3, line: weightAddLine, finish: addOld, factors: []float64{1. / 6, 1. / 3, 2. / 3, 2, math.Sqrt2 / 6}},
}

var outputFactors = []float64{.25, .5, 2, math.Sqrt2}

// transformParams are the parameters of kernel.transformFunc.
const transformParams = "tiles int, channels int, src *float32, srcRow int, srcCol int, srcTile int, dst *float32, " +
	"dstRow int, dstCol int, dstTile int, tmp *float32, bias *float32, floor float32"

// General registers of a transform.
const (
	channelsLeft = gp(0)
	srcAt        = gp(1) // the present channel of src
	dstAt        = gp(2) // of dst
	biasAt       = gp(3) // of the bias
	patch        = gp(4) // column of src or row of dst
	tmpAt        = gp(5)
	srcCol       = gp(6)
	dstRow       = gp(7)
	tileSrc      = gp(8)
	tileDst      = gp(9)
	srcTile      = gp(10)
	dstTile      = gp(11)
	tilesLeft    = gp(12)
)

var (
	srcRows = []gp{zr, 13, 14, 15, 16, 17} // distances of the rows of src
	dstCols = []gp{zr, 19, 20, 21, 22, 23} // and of the columns of dst
)

// Vector registers of a transform that hold constants; those below are for the patch.
const (
	factorVectors = 29 // and 30
	floorVector   = 31
	// keptVectors is the number of half transformed values that there are registers for.
	keptVectors = 18
)

func (t transform) emit(a *assembly) {
	t.assembly = a
	name := t.name + "WinogradNEON"
	table := a.table(name+"Factors", t.factors, 2*lanes)
	a.function(name, "is a transformFunc.", 0, transformParams)
	t.begin(table)
	a.label("tile")
	a.op("MOVD", "%v, %v", tileSrc, srcAt)
	a.op("MOVD", "%v, %v", tileDst, dstAt)
	a.loadParam("channels", channelsLeft)
	if t.finish == addBias {
		a.loadParam("bias", biasAt)
	}
	a.op("SUBS", "$%d, %v", lanes, channelsLeft)
	a.op("BLT", "tail")
	a.label("channels4")
	t.channels(lanes)
	a.op("SUBS", "$%d, %v", lanes, channelsLeft)
	a.op("BGE", "channels4")
	a.label("tail")
	a.op("ADDS", "$%d, %v", lanes, channelsLeft)
	a.op("BEQ", "next")
	a.label("channel")
	t.channels(1)
	a.loop(channelsLeft, "channel")
	a.label("next")
	a.op("ADD", "%v, %v", srcTile, tileSrc)
	a.op("ADD", "%v, %v", dstTile, tileDst)
	a.loop(tilesLeft, "tile")
	a.op("RET", "")
}

// begin loads what all tiles share.
func (t transform) begin(table string) {
	t.op("MOVD", "$%s, %v", table, patch)
	t.op("VLD1", "(%v), [V%d.S4, V%d.S4]", patch, factorVectors, factorVectors+1)
	if t.finish == addBias {
		t.op("FMOVS", "%s, F%d", t.param("floor"), floorVector)
		t.op("VDUP", "V%d.S[0], V%[1]d.S4", floorVector)
	}
	t.loadParam("tiles", tilesLeft)
	t.loadParam("src", tileSrc)
	t.loadParam("dst", tileDst)
	t.loadParam("tmp", tmpAt)
	t.loadStride("srcRow", srcRows[1])
	t.multiples(srcRows[:t.from])
	t.loadStride("dstCol", dstCols[1])
	t.multiples(dstCols[:t.to])
	t.loadStride("srcCol", srcCol)
	t.loadStride("dstRow", dstRow)
	t.loadStride("srcTile", srcTile)
	t.loadStride("dstTile", dstTile)
}

// channels emits the transform of n channels, a vector or a single one, and the advance by as many.
func (t transform) channels(n int) {
	t.straight, t.single = new(straight), n == 1
	t.body()
	t.straight.assign(t.assembly, factorVectors)
	t.op("ADD", "$%d, %v", 4*n, srcAt)
	t.op("ADD", "$%d, %v", 4*n, dstAt)
	if t.finish == addBias {
		t.op("ADD", "$%d, %v", 4*n, biasAt)
	}
}

// body transforms first the columns of src, then the rows of what came of them.
func (t transform) body() {
	rows := make([][]vec, t.to)
	kept := t.from*t.to <= keptVectors
	t.instruction("MOVD", "%v, %v", srcAt, patch)
	for j := range t.from {
		x := make([]vec, t.from)
		for i := range x {
			x[i] = t.read(patch, srcRows[i])
		}
		if j < t.from-1 {
			t.instruction("ADD", "%v, %v", srcCol, patch)
		}
		for i, y := range t.line(&t, x) {
			if kept {
				rows[i] = append(rows[i], y)
			} else {
				t.storeAt(y, tmpAt, bytes*(i*t.from+j))
			}
		}
	}
	var bias vec
	if t.finish == addBias {
		bias = t.read(biasAt, zr)
	}
	t.instruction("MOVD", "%v, %v", dstAt, patch)
	for i, x := range rows {
		for j := 0; j < t.from && !kept; j++ {
			x = append(x, t.loadAt(tmpAt, bytes*(i*t.from+j)))
		}
		for j, y := range t.line(&t, x) {
			t.write(t.finished(y, bias, dstCols[j]), patch, dstCols[j])
		}
		if i < t.to-1 {
			t.instruction("ADD", "%v, %v", dstRow, patch)
		}
	}
}

// finished returns what replaces the element of dst when y is its transform.
func (t transform) finished(y, bias vec, col gp) vec {
	switch t.finish {
	case addBias:
		return t.max(t.add(y, bias), floorVector)
	case addOld:
		return t.add(y, t.read(patch, col))
	}
	return y
}

// read loads the channels of an element.
func (t transform) read(base, index gp) vec {
	if t.single {
		return t.loadFloat(base, index)
	}
	return t.load(base, index)
}

// write stores the channels of an element.
func (t transform) write(x vec, base, index gp) {
	if t.single {
		t.storeFloat(x, base, index)
		return
	}
	t.store(x, base, index)
}

// by returns c·x.
func (t *transform) by(c float64, x vec) vec { return t.mul(t.factor(c), x) }

// plus returns x + c·y, where c or −c is a constant.
func (t *transform) plus(x vec, c float64, y vec) vec {
	if c < 0 {
		return t.fnma(x, t.factor(-c), y)
	}
	return t.fma(x, t.factor(c), y)
}

// factor is the lane that holds one of the transform's factors.
func (t *transform) factor(c float64) factor {
	for i, f := range t.factors {
		if f == c {
			return factor{factorVectors + i/lanes, i % lanes}
		}
	}
	panic(fmt.Sprintf("neon: %s has no factor %v", t.name, c))
}
