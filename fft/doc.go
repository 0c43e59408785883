// Package fft computes planned two-dimensional discrete Fourier transforms of complex images.
//
// An image of h×w pixels is held as two row-major planes of float32, its real and its imaginary part.
// Transforms are unitary, 1/√(h·w) both ways, so that they keep the energy and the inverse is the adjoint:
//
//	X[u,v] = 1/√(h·w) Σ_{r,c} x[r,c]·exp(−2πi(u·r/h + v·c/w))
//
// Frequency zero is at [0,0]; [Shift] moves it to [h/2,w/2] and [Unshift] back.
//
// There are two engines behind a [Plan]. [Planar] is a float32 Stockham transform on the vector kernels of the
// processor, for lengths 2^a·3^b·5^c; it allocates nothing. [DSP] is go-dsp in complex128, for any length. The
// environment variable PTYCHO_FFT forces one of them.
package fft
