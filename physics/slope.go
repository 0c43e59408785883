package physics

import "ptycho/internal/kernel"

// Slope writes the derivatives of what Gather reads from the rows×cols canvas at (y, x) with respect to y and x,
// n×n each, in canvas values per pixel. They are the exact derivatives of the bilinear interpolation between the
// canvas pixels c00, c01, c10, c11 around a sample, with fractions fy and fx of the position:
//
//	∂/∂y = (1−fx)·(c10−c00) + fx·(c11−c01),   ∂/∂x = (1−fy)·(c01−c00) + fy·(c11−c10)
//
// At a whole pixel, where the interpolation has a kink, they are the one-sided derivatives towards larger y and x.
func Slope(dy, dx []float32, n int, canvas []float32, rows, cols int, y, x float64) {
	iy, fy := split(y)
	ix, fx := split(x)
	clear(dy[:n*n])
	clear(dx[:n*n])
	add := func(dst []float32, r, c int, w float32) {
		if w != 0 {
			win, at, height, width := common(n, rows, cols, r, c)
			kernel.AddRows(dst[win:], n, canvas[at:], cols, height, width, w)
		}
	}
	for a, sign := range [2]float32{-1, 1} {
		add(dy, iy+a, ix, sign*(1-fx))
		add(dy, iy+a, ix+1, sign*fx)
		add(dx, iy, ix+a, sign*(1-fy))
		add(dx, iy+1, ix+a, sign*fy)
	}
}
