//go:build !purego

package kernel

var (
	transformsAVX2 = transforms{
		input:     inputWinogradAVX2,
		gradient:  gradientWinogradAVX2,
		weight:    weightWinogradAVX2,
		output:    outputWinogradAVX2,
		outputAdd: outputAddWinogradAVX2,
		weightAdd: weightAddWinogradAVX2,
	}
	transformsAVX512 = transforms{
		input:     inputWinogradAVX512,
		gradient:  gradientWinogradAVX512,
		weight:    weightWinogradAVX512,
		output:    outputWinogradAVX512,
		outputAdd: outputAddWinogradAVX512,
		weightAdd: weightAddWinogradAVX512,
	}
)
