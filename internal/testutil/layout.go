package testutil

import "fmt"

// NHWC returns a copy of the [B,C,H,W] array src in the order [B,H,W,C].
func NHWC[T any](src []T, b, c, h, w int) []T { return swapAxes(src, b, c, h*w) }

// NCHW returns a copy of the [B,H,W,C] array src in the order [B,C,H,W].
func NCHW[T any](src []T, b, h, w, c int) []T { return swapAxes(src, b, h*w, c) }

// swapAxes turns [b,m,n] into [b,n,m].
func swapAxes[T any](src []T, b, m, n int) []T {
	if len(src) != b*m*n {
		panic(fmt.Sprintf("testutil: %d elements for a layout of %d×%d×%d", len(src), b, m, n))
	}
	dst := make([]T, len(src))
	for k := range b {
		for i := range m {
			for j := range n {
				dst[(k*n+j)*m+i] = src[(k*m+i)*n+j]
			}
		}
	}
	return dst
}

// Planes returns the real and the imaginary parts of z.
func Planes(z []complex64) (re, im []float32) {
	re, im = make([]float32, len(z)), make([]float32, len(z))
	for i, v := range z {
		re[i], im[i] = real(v), imag(v)
	}
	return re, im
}
