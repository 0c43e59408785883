package kernel

import (
	"math"
	"unsafe"
)

// A transformFunc applies a one-dimensional transform L, of r values to s, along both sides of square patches of
// channels-last vectors, Y = L·X·Lᵀ: with all offsets in floats, and for every channel c < channels,
//
//	x[i,j] = src[t·srcTile + i·srcRow + j·srcCol + c],   i, j < r,   t < tiles,
//	y[i,j] is dst[t·dstTile + i·dstRow + j·dstCol + c],  i, j < s.
//
// What becomes of Y depends on the transform; see transforms. Bias and floor are read by output alone. tmp holds
// tmpLen floats for its use. All counts are at least 1.
type transformFunc func(tiles, channels int, src *float32, srcRow, srcCol, srcTile int,
	dst *float32, dstRow, dstCol, dstTile int, tmp, bias *float32, floor float32)

const (
	winogradTile   = 4                            // side of a tile of outputs
	winogradSide   = winogradTile + 2             // side of the patch of inputs under it
	winogradPoints = winogradSide * winogradSide  // points of evaluation
	tmpLen         = winogradPoints * alignFloats // of a transformFunc
)

// transforms holds the transforms of Winograd's minimal filtering algorithm F(4×4,3×3): with 6×6 points of evaluation,
// 4×4 outputs of a 3×3 correlation g with a 6×6 patch d of the image are
//
//	Aᵀ·[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]·A,
//
// and by transposition the gradient of g is Gᵀ·[(Bᵀ·d·B) ⊙ (A·y·Aᵀ)]·G, with y the gradient of the outputs. The points
// along a side are 0, ±√½, ±√2 and ∞, at which rounding errors are half of those at the usual 0, ±1, ±2 and ∞.
// Reference: A. Lavin and S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016.
type transforms struct {
	input     transformFunc // Bᵀ: 6 → 6, Y replaces dst
	gradient  transformFunc // A: 4 → 6, Y replaces dst
	weight    transformFunc // G: 3 → 6, Y replaces dst
	output    transformFunc // Aᵀ: 6 → 4, max(Y + bias[c], floor) replaces dst
	outputAdd transformFunc // Aᵀ: 6 → 4, Y is added to dst
	weightAdd transformFunc // Gᵀ: 6 → 3, Y is added to dst
}

var plainTransforms = transforms{
	input:     plainTransform{6, 6, inputLine, store}.run,
	gradient:  plainTransform{4, 6, gradientLine, store}.run,
	weight:    plainTransform{3, 6, weightLine, store}.run,
	output:    plainTransform{6, 4, outputLine, storeOutput}.run,
	outputAdd: plainTransform{6, 4, outputLine, storeSum}.run,
	weightAdd: plainTransform{6, 3, weightAddLine, storeSum}.run,
}

// A line holds the values along one side of a patch, from index 0.
type line [winogradSide]float32

// What a transform does with its result.
const (
	store = iota
	storeOutput
	storeSum
)

// plainTransform is a transform of from values to to values by line.
type plainTransform struct {
	from, to int
	line     func(line) line
	store    int
}

func (p plainTransform) run(tiles, channels int, src *float32, srcRow, srcCol, srcTile int,
	dst *float32, dstRow, dstCol, dstTile int, _, bias *float32, floor float32,
) {
	for t := range tiles {
		for c := range channels {
			var cols, rows [winogradSide]line // cols[j][i] and rows[i][j]
			for j := range p.from {
				for i := range p.from {
					cols[j][i] = *at(src, t*srcTile+i*srcRow+j*srcCol+c)
				}
				for i, v := range p.line(cols[j]) {
					rows[i][j] = v
				}
			}
			for i := range p.to {
				v := p.line(rows[i])
				for j := range p.to {
					y := at(dst, t*dstTile+i*dstRow+j*dstCol+c)
					switch p.store {
					case store:
						*y = v[j]
					case storeOutput:
						*y = max(v[j]+*at(bias, c), floor)
					case storeSum:
						*y += v[j]
					}
				}
			}
		}
	}
}

// at returns the address of element i of the array at p.
func at(p *float32, i int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*i)) }

func inputLine(x line) line {
	even1, odd1 := x[4]-2*x[2], x[3]-2*x[1]
	even2, odd2 := x[4]-x[2]/2, x[3]-x[1]/2
	return line{
		x[0] + x[4] - 2.5*x[2],
		even1 + math.Sqrt2/2*odd1,
		even1 - math.Sqrt2/2*odd1,
		even2 + math.Sqrt2*odd2,
		even2 - math.Sqrt2*odd2,
		x[1] + x[5] - 2.5*x[3],
	}
}

func gradientLine(x line) line {
	even1, odd1 := x[0]+x[2]/2, x[1]+x[3]/2
	even2, odd2 := x[0]+2*x[2], x[1]+2*x[3]
	return line{
		x[0],
		even1 + math.Sqrt2/2*odd1,
		even1 - math.Sqrt2/2*odd1,
		even2 + math.Sqrt2*odd2,
		even2 - math.Sqrt2*odd2,
		x[3],
	}
}

func weightLine(x line) line {
	even1, odd1 := -2./3*x[0]-1./3*x[2], math.Sqrt2/3*x[1]
	even2, odd2 := 1./6*x[0]+1./3*x[2], math.Sqrt2/6*x[1]
	return line{x[0], even1 - odd1, even1 + odd1, even2 + odd2, even2 - odd2, x[2]}
}

func outputLine(x line) line {
	even1, odd1 := x[1]+x[2], x[1]-x[2]
	even2, odd2 := x[3]+x[4], x[3]-x[4]
	return line{
		x[0] + even1 + even2,
		math.Sqrt2 * (odd1/2 + odd2),
		even1/2 + 2*even2,
		math.Sqrt2*(odd1/4+2*odd2) + x[5],
	}
}

func weightAddLine(x line) line {
	even1, odd1 := x[1]+x[2], x[1]-x[2]
	even2, odd2 := x[3]+x[4], x[3]-x[4]
	return line{
		x[0] - 2./3*even1 + 1./6*even2,
		math.Sqrt2 / 6 * (odd2 - 2*odd1),
		1./3*(even2-even1) + x[5],
	}
}
