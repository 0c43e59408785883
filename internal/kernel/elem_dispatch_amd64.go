//go:build !purego

package kernel

//go:generate go -C _asm run ./elem -out ../elem_amd64.s -stubs ../elem_amd64.go -pkg kernel

var (
	elemAVX2 = &elemSet{
		exp: expAVX2, log: logAVX2, tanh: tanhAVX2, sigmoid: sigmoidAVX2, softplus: softplusAVX2,
		swishGrad: swishGradAVX2, softplusGrad: softplusGradAVX2, sincos: sincosAVX2,
		add: addAVX2, mul: mulAVX2, scale: scaleAVX2, addMul: addMulAVX2, addRows: addRowsAVX2, blendRows: blendRowsAVX2,
		reluGrad: reluGradAVX2, logisticGrad: logisticGradAVX2,
		mulComplex: mulComplexAVX2, addConjMul: addConjMulAVX2, addNorm: addNormAVX2,
		maxPool: maxPoolAVX2, maxPoolGrad: maxPoolGradAVX2,
		upsample: upsampleAVX2, upsampleGrad: upsampleGradAVX2,
		poissonExcess: poissonExcessAVX2, poissonGrad: poissonGradAVX2,
		amplitudeError: amplitudeErrorAVX2, amplitudeGrad: amplitudeGradAVX2, absError: absErrorAVX2,
		amplitudeFit: amplitudeFitAVX2,
		fromUint16:   fromUint16AVX2,
		sumSquares:   sumSquaresAVX2, adam: adamAVX2, descend: descendAVX2,
	}
	elemAVX512 = &elemSet{
		exp: expAVX512, log: logAVX512, tanh: tanhAVX512, sigmoid: sigmoidAVX512, softplus: softplusAVX512,
		swishGrad: swishGradAVX512, softplusGrad: softplusGradAVX512, sincos: sincosAVX512,
		add: addAVX512, mul: mulAVX512, scale: scaleAVX512, addMul: addMulAVX512, addRows: addRowsAVX512, blendRows: blendRowsAVX512,
		reluGrad: reluGradAVX512, logisticGrad: logisticGradAVX512,
		mulComplex: mulComplexAVX512, addConjMul: addConjMulAVX512, addNorm: addNormAVX512,
		maxPool: maxPoolAVX512, maxPoolGrad: maxPoolGradAVX512,
		upsample: upsampleAVX512, upsampleGrad: upsampleGradAVX512,
		poissonExcess: poissonExcessAVX512, poissonGrad: poissonGradAVX512,
		amplitudeError: amplitudeErrorAVX512, amplitudeGrad: amplitudeGradAVX512, absError: absErrorAVX512,
		amplitudeFit: amplitudeFitAVX512,
		fromUint16:   fromUint16AVX512,
		sumSquares:   sumSquaresAVX512, adam: adamAVX512, descend: descendAVX512,
	}
)
