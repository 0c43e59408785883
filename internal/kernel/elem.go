package kernel

import "fmt"

// An elemSet holds an implementation's kernels of whole vectors. The exported functions say what they compute and
// check the lengths. An elementwise kernel gives an element the same bits wherever it lies in a slice.
type elemSet struct {
	exp, log, tanh, sigmoid, softplus func(dst, x []float32)
	swishGrad, softplusGrad           func(dx, dy, x []float32)

	// sincos may stop at a vector with an argument that is too large for it; it returns how many elements are done.
	sincos func(sin, cos, x []float32) int

	add, mul     func(dst, a, b []float32)
	scale        func(dst []float32, s float32)
	addMul       func(dst, a, b []float32, s float32)
	addRows      func(dst []float32, dstStride int, src []float32, srcStride, rows, cols int, w float32)
	blendRows    func(dst []float32, dstStride int, src []float32, srcStride, rows, cols int, w00, w01, w10, w11 float32)
	reluGrad     func(dy, y []float32)
	logisticGrad func(dx, dy, y []float32, a, b, s float32)

	mulComplex, addConjMul func(re, im, ar, ai, br, bi []float32)
	addNorm                func(dst, re, im []float32, s float32)

	maxPool      func(dst, top, bottom []float32, channels int)
	maxPoolGrad  func(dtop, dbottom, top, bottom, y, dy []float32, channels int)
	upsample     func(top, bottom, src []float32, channels int)
	upsampleGrad func(dsrc, dtop, dbottom []float32, channels int)

	poissonExcess, amplitudeError func(lambda, k []float32, eps float64) float64
	poissonGrad, amplitudeGrad    func(dlambda, lambda, k []float32, w, eps float32)
	absError                      func(lambda, k []float32) (sumAbs, sumRoot float64)
	amplitudeFit                  func(grad, lambda, k []float32, eps float32) (square, abs, root float64)

	// fromUint16 gets a whole number of vectors.
	fromUint16 func(dst []float32, src []uint16)

	sumSquares func(x []float32) float64
	adam       func(p, m, v, g []float32, scale, beta1, rest1, beta2, rest2, alpha, root, eps float32)
	descend    func(p, v, grad, power []float32, rate, momentum, scale, floor float32)
}

var elemGeneric = &elemSet{
	exp: expGeneric, log: logGeneric, tanh: tanhGeneric, sigmoid: sigmoidGeneric, softplus: softplusGeneric,
	swishGrad: swishGradGeneric, softplusGrad: softplusGradGeneric, sincos: sincosGeneric,
	add: addGeneric, mul: mulGeneric, scale: scaleGeneric, addMul: addMulGeneric, addRows: addRowsGeneric, blendRows: blendRowsGeneric,
	reluGrad: reluGradGeneric, logisticGrad: logisticGradGeneric,
	mulComplex: mulComplexGeneric, addConjMul: addConjMulGeneric, addNorm: addNormGeneric,
	maxPool: maxPoolGeneric, maxPoolGrad: maxPoolGradGeneric, upsample: upsampleGeneric, upsampleGrad: upsampleGradGeneric,
	poissonExcess: poissonExcessGeneric, poissonGrad: poissonGradGeneric,
	amplitudeError: amplitudeErrorGeneric, amplitudeGrad: amplitudeGradGeneric, absError: absErrorGeneric,
	amplitudeFit: amplitudeFitGeneric,
	fromUint16:   fromUint16Generic,
	sumSquares:   sumSquaresGeneric, adam: adamGeneric, descend: descendGeneric,
}

// elem returns the kernels in use.
func elem() *elemSet {
	if e := active.Load().elem; e != nil {
		return e
	}
	return elemGeneric
}

// equalLen panics unless all lengths are n.
func equalLen(name string, n int, lengths ...int) {
	for _, m := range lengths {
		if m != n {
			panic(fmt.Sprintf("kernel: %s of slices of %d and %d", name, n, m))
		}
	}
}

// chunk is the number of elements that a kernel treats in one go where slices can be long: assembly cannot be
// interrupted, and the collector waits for it.
const chunk = 1 << 14

// chunks calls f for the parts [lo, hi) of n elements.
func chunks(n int, f func(lo, hi int)) {
	for lo := 0; lo < n; lo += chunk {
		f(lo, min(lo+chunk, n))
	}
}
