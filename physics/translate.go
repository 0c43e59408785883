package physics

import (
	"math"

	"ptycho/internal/kernel"
)

// This file holds the program's one translation. A window of n×n pixels is read out of a canvas at a
// sub-pixel position (Gather), and its exact transpose writes a window back (Scatter). Everything that
// moves an image — patches of an object, group merge and extract, stitching — is made of these two.
//
// Sign: Gather at (y, x) returns dst[r,c] = canvas[r+y, c+x], so increasing x shows content that lies
// further to the right. Samples outside the canvas are zero, without renormalisation.

// split returns the integer part and the fraction of t, exact for integers.
func split(t float64) (int, float32) {
	f := math.Floor(t)
	return int(f), float32(t - f)
}

// Gather writes dst[r,c] = canvas[r+y, c+x], bilinear, for an n×n dst and a rows×cols canvas.
func Gather(dst []float32, n int, canvas []float32, rows, cols int, y, x float64) {
	iy, fy := split(y)
	ix, fx := split(x)
	if fy != 0 && fx != 0 && iy >= 0 && ix >= 0 && iy+n < rows && ix+n < cols {
		w := weights(fy, fx)
		kernel.BlendRows(dst, n, canvas[iy*cols+ix:], cols, n, n, w[0], w[1], w[2], w[3])
		return
	}
	clear(dst[:n*n])
	taps(iy, ix, fy, fx, func(dy, dx int, w float32) {
		win, at, height, width := common(n, rows, cols, dy, dx)
		kernel.AddRows(dst[win:], n, canvas[at:], cols, height, width, w)
	})
}

// Scatter adds an n×n src into the rows×cols canvas at (y, x), bilinear: the transpose of Gather.
func Scatter(canvas []float32, rows, cols int, src []float32, n int, y, x float64) {
	iy, fy := split(y)
	ix, fx := split(x)
	taps(iy, ix, fy, fx, func(dy, dx int, w float32) {
		win, at, height, width := common(n, rows, cols, dy, dx)
		kernel.AddRows(canvas[at:], cols, src[win:], n, height, width, w)
	})
}

// common returns what an n×n window at (dy, dx) and a rows×cols canvas share: the index of its first pixel
// in the window and in the canvas, its height and its width; zero when they share nothing.
func common(n, rows, cols, dy, dx int) (win, canvas, height, width int) {
	r0, c0 := max(0, -dy), max(0, -dx)
	height, width = min(n, rows-dy)-r0, min(n, cols-dx)-c0
	if height <= 0 || width <= 0 {
		return 0, 0, 0, 0
	}
	return r0*n + c0, (r0+dy)*cols + c0 + dx, height, width
}

// weights returns those of the taps (0, 0), (0, 1), (1, 0) and (1, 1).
func weights(fy, fx float32) [4]float32 {
	return [4]float32{(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx}
}

// taps calls f with the integer offset and the weight of each of the up to four bilinear taps; taps of
// weight zero are left out, so an integer shift is exact.
func taps(iy, ix int, fy, fx float32, f func(dy, dx int, w float32)) {
	for i, w := range weights(fy, fx) {
		if w != 0 {
			f(iy+i/2, ix+i%2, w)
		}
	}
}

// GatherComplex is Gather for a complex canvas, of which it writes the real and the imaginary part.
func GatherComplex(re, im []float32, n int, canvas []complex64, rows, cols int, y, x float64) {
	iy, fy := split(y)
	ix, fx := split(x)
	clear(re[:n*n])
	clear(im[:n*n])
	taps(iy, ix, fy, fx, func(dy, dx int, w float32) {
		win, at, height, width := common(n, rows, cols, dy, dx)
		for range height {
			dr, di := re[win:][:width], im[win:][:width]
			for i, v := range canvas[at:][:width] {
				dr[i] += w * real(v)
				di[i] += w * imag(v)
			}
			win, at = win+n, at+cols
		}
	})
}
