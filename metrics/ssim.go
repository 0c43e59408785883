package metrics

import (
	"fmt"
	"math"
)

// MinSide is the least number of rows and columns for which SSIM is defined with either window.
const MinSide = 11

// SSIM returns the mean structural similarity of two real images of rows × cols pixels over all positions
// at which the window lies inside them (Wang et al., IEEE Trans. Image Process. 13 (2004) 600, K1 = 0.01,
// K2 = 0.03). dataRange is the span of the values, above zero. With gaussian, the window is a Gaussian of
// σ = 1.5 cut at 3.5σ, 11 × 11 pixels, and covariances are population ones, as in the paper; otherwise
// it is 7 × 7 and uniform and covariances are sample ones, scikit-image's default. It panics when a
// length or dataRange is wrong or the images are smaller than the window.
func SSIM(a, b []float64, rows, cols int, dataRange float64, gaussian bool) float64 {
	checkLengths(a, b)
	window, norm := uniformWindow(7), 49.0/48
	if gaussian {
		window, norm = gaussianWindow(1.5, 5), 1
	}
	if rows*cols != len(a) || rows < len(window) || cols < len(window) {
		panic(fmt.Sprintf("metrics: SSIM of a %d×%d image of %d pixels", rows, cols, len(a)))
	}
	if !(dataRange > 0) {
		panic(fmt.Sprintf("metrics: SSIM with data range %g", dataRange))
	}
	local := func(f func(i int) float64) []float64 {
		z := make([]float64, len(a))
		for i := range z {
			z[i] = f(i)
		}
		return smooth(z, rows, cols, window)
	}
	ma := local(func(i int) float64 { return a[i] })
	mb := local(func(i int) float64 { return b[i] })
	aa := local(func(i int) float64 { return a[i] * a[i] })
	bb := local(func(i int) float64 { return b[i] * b[i] })
	ab := local(func(i int) float64 { return a[i] * b[i] })

	c1, c2 := math.Pow(0.01*dataRange, 2), math.Pow(0.03*dataRange, 2)
	var s float64
	for i, x := range ma {
		y := mb[i]
		va, vb, cov := norm*(aa[i]-x*x), norm*(bb[i]-y*y), norm*(ab[i]-x*y)
		s += (2*x*y + c1) * (2*cov + c2) / ((x*x + y*y + c1) * (va + vb + c2))
	}
	return s / float64(len(ma))
}

func uniformWindow(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 1 / float64(n)
	}
	return w
}

// gaussianWindow returns a Gaussian of the given σ at -radius … radius that sums to one.
func gaussianWindow(sigma float64, radius int) []float64 {
	w := make([]float64, 2*radius+1)
	var sum float64
	for i := range w {
		d := float64(i-radius) / sigma
		w[i] = math.Exp(-d * d / 2)
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

// smooth returns z correlated with window along both axes where it fits:
// (rows-len(window)+1) × (cols-len(window)+1) values.
func smooth(z []float64, rows, cols int, window []float64) []float64 {
	n := len(window) - 1
	across := make([]float64, 0, rows*(cols-n))
	for r := range rows {
		for c := range cols - n {
			var s float64
			for k, w := range window {
				s += w * z[r*cols+c+k]
			}
			across = append(across, s)
		}
	}
	cols -= n
	out := make([]float64, 0, (rows-n)*cols)
	for r := range rows - n {
		for c := range cols {
			var s float64
			for k, w := range window {
				s += w * across[(r+k)*cols+c]
			}
			out = append(out, s)
		}
	}
	return out
}
