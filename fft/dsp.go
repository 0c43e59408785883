package fft

import (
	"math"

	dsp "github.com/mjibson/go-dsp/fft"
)

// One worker: a transform is too small to be worth go-dsp's goroutines, and callers run in parallel.
// The setting is a global of go-dsp that must not change while it works, hence init.
func init() { dsp.SetWorkerPoolSize(1) }

// dsp transforms the image in complex128.
func (p *Plan) dsp(re, im []float32) {
	x := make([][]complex128, p.h)
	for r := range x {
		x[r] = make([]complex128, p.w)
		for c := range x[r] {
			i := r*p.w + c
			x[r][c] = complex(float64(re[i]), float64(im[i]))
		}
	}
	scale := 1 / math.Sqrt(float64(p.h)*float64(p.w))
	for r, row := range dsp.FFT2(x) {
		for c, v := range row {
			i := r*p.w + c
			re[i], im[i] = float32(scale*real(v)), float32(scale*imag(v))
		}
	}
}
