package metrics

import (
	"fmt"
	"math"
)

// MAE returns the mean of |a−b|, zero for empty slices. It panics when the lengths differ.
func MAE(a, b []float64) float64 {
	return meanOf(a, b, func(x, y float64) float64 { return math.Abs(x - y) })
}

// MSE returns the mean of (a−b)², zero for empty slices. It panics when the lengths differ.
func MSE(a, b []float64) float64 {
	return meanOf(a, b, func(x, y float64) float64 { return (x - y) * (x - y) })
}

// maxPSNR is what PSNR returns for equal images, dB. Double precision tells nothing finer apart.
const maxPSNR = 300

// PSNR returns the peak signal-to-noise ratio 10·log₁₀(peak²/MSE) in dB, at most 300. The usual peak of an
// amplitude is 1; OpenCV's fixed 255 gives 48.13 dB more.
func PSNR(a, b []float64, peak float64) float64 {
	return math.Min(maxPSNR, 10*math.Log10(peak*peak/math.Max(MSE(a, b), math.SmallestNonzeroFloat64)))
}

// Pearson returns the correlation coefficient of a and b, zero when one of them is constant: then nothing
// speaks for agreement. It panics when the lengths differ.
func Pearson(a, b []float64) float64 {
	checkLengths(a, b)
	ma, mb := mean(a), mean(b)
	var ab, aa, bb float64
	for i, x := range a {
		dx, dy := x-ma, b[i]-mb
		ab, aa, bb = ab+dx*dy, aa+dx*dx, bb+dy*dy
	}
	// Rounding leaves a constant image with deviations below this.
	n, eps := float64(len(a)), 1e-12
	if aa <= n*eps*eps*ma*ma || bb <= n*eps*eps*mb*mb {
		return 0
	}
	return ab / (math.Sqrt(aa) * math.Sqrt(bb))
}

func meanOf(a, b []float64, f func(x, y float64) float64) float64 {
	checkLengths(a, b)
	if len(a) == 0 {
		return 0
	}
	var s float64
	for i, x := range a {
		s += f(x, b[i])
	}
	return s / float64(len(a))
}

func mean(a []float64) float64 {
	if len(a) == 0 {
		return 0
	}
	var s float64
	for _, x := range a {
		s += x
	}
	return s / float64(len(a))
}

func checkLengths(a, b []float64) {
	if len(a) != len(b) {
		panic(fmt.Sprintf("metrics: %d values and %d", len(a), len(b)))
	}
}
