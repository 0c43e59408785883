package metrics

import (
	"fmt"
	"math"
)

// Taper returns a window of rows × cols values, row-major, that is 1 inside and falls towards each border as
// half a period of a cosine over width pixels, ½(1 − cos(π(i+½)/width)) in the i-th of them: a Tukey window, a
// Hann window when width is half a side, and 1 everywhere when it is 0. It panics unless
// 0 ≤ width ≤ min(rows, cols)/2.
func Taper(rows, cols, width int) []float64 {
	if width < 0 || 2*width > min(rows, cols) {
		panic(fmt.Sprintf("metrics: taper of %d pixels for a %d×%d image", width, rows, cols))
	}
	across, down := edges(cols, width), edges(rows, width)
	w := make([]float64, 0, rows*cols)
	for _, y := range down {
		for _, x := range across {
			w = append(w, y*x)
		}
	}
	return w
}

// edges returns the taper of one side of n pixels.
func edges(n, width int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 1
		if d := min(i, n-1-i); d < width {
			w[i] = (1 - math.Cos(math.Pi*(float64(d)+0.5)/float64(width))) / 2
		}
	}
	return w
}

// Tapered returns m led to its mean at the borders over width pixels, μ + w·(m − μ) with the window w of Taper
// and μ = Σw·m / Σw: periodic for Fourier transforms, and μ does not leak out of frequency zero. It panics as
// Taper does.
func (m Image) Tapered(width int) Image {
	m.check()
	return m.faded(Taper(m.Rows, m.Cols, width))
}

// faded returns m led to its weighted mean where w falls from 1 to 0.
func (m Image) faded(w []float64) Image {
	var mean complex128
	var weight float64
	for i, v := range m.Pix {
		mean += complex(w[i], 0) * v
		weight += w[i]
	}
	mean /= complex(weight, 0)
	out := Image{Rows: m.Rows, Cols: m.Cols, Pix: make([]complex128, len(m.Pix))}
	for i, v := range m.Pix {
		out.Pix[i] = mean + complex(w[i], 0)*(v-mean)
	}
	return out
}

// windowed returns w·m.
func (m Image) windowed(w []float64) Image {
	out := Image{Rows: m.Rows, Cols: m.Cols, Pix: make([]complex128, len(m.Pix))}
	for i, v := range m.Pix {
		out.Pix[i] = complex(w[i], 0) * v
	}
	return out
}
