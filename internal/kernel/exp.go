package kernel

import "math"

// The functions of this file are within 2e-7 of the true value, relative, denormal results to the last bit, and treat
// NaN, infinities and signed zeros as package math does. Slices have equal lengths, else they panic; dst may be x.

// Exp computes dst = eˣ.
func Exp(dst, x []float32) {
	equalLen("Exp", len(dst), len(x))
	elem().exp(dst, x)
}

// Log computes dst = ln x.
func Log(dst, x []float32) {
	equalLen("Log", len(dst), len(x))
	elem().log(dst, x)
}

// Tanh computes dst = tanh x.
func Tanh(dst, x []float32) {
	equalLen("Tanh", len(dst), len(x))
	elem().tanh(dst, x)
}

// Sigmoid computes dst = σ(x) = 1/(1+e⁻ˣ).
func Sigmoid(dst, x []float32) {
	equalLen("Sigmoid", len(dst), len(x))
	elem().sigmoid(dst, x)
}

// Softplus computes dst = ln(1+eˣ).
func Softplus(dst, x []float32) {
	equalLen("Softplus", len(dst), len(x))
	elem().softplus(dst, x)
}

// SwishGrad adds dy·d(x·σ(x))/dx to dx.
func SwishGrad(dx, dy, x []float32) {
	equalLen("SwishGrad", len(dx), len(dy), len(x))
	elem().swishGrad(dx, dy, x)
}

// SoftplusGrad adds dy·σ(x) to dx.
func SoftplusGrad(dx, dy, x []float32) {
	equalLen("SoftplusGrad", len(dx), len(dy), len(x))
	elem().softplusGrad(dx, dy, x)
}

// Sincos computes the sine and the cosine of x, radians. One of sin and cos may be x.
func Sincos(sin, cos, x []float32) {
	equalLen("Sincos", len(sin), len(cos), len(x))
	f := elem().sincos
	for {
		n := f(sin, cos, x)
		if n == len(x) {
			return
		}
		sin, cos, x = sin[n:], cos[n:], x[n:]
		for f(sin[:1], cos[:1], x[:1]) == 1 {
			sin, cos, x = sin[1:], cos[1:], x[1:]
		}
		sincosGeneric(sin[:1], cos[:1], x[:1])
		sin, cos, x = sin[1:], cos[1:], x[1:]
	}
}

func expGeneric(dst, x []float32) {
	for i, v := range x {
		dst[i] = float32(math.Exp(float64(v)))
	}
}

func logGeneric(dst, x []float32) {
	for i, v := range x {
		dst[i] = float32(math.Log(float64(v)))
	}
}

func tanhGeneric(dst, x []float32) {
	for i, v := range x {
		dst[i] = float32(math.Tanh(float64(v)))
	}
}

func sigmoid(x float32) float64 { return 1 / (1 + math.Exp(-float64(x))) }

func sigmoidGeneric(dst, x []float32) {
	for i, v := range x {
		dst[i] = float32(sigmoid(v))
	}
}

func softplusGeneric(dst, x []float32) {
	for i, f := range x {
		v := float64(f)
		dst[i] = float32(max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))))
	}
}

func swishGradGeneric(dx, dy, x []float32) {
	for i, v := range x {
		s := sigmoid(v)
		dx[i] += dy[i] * float32(s*(1+float64(v)*(1-s)))
	}
}

func softplusGradGeneric(dx, dy, x []float32) {
	for i, v := range x {
		dx[i] += dy[i] * float32(sigmoid(v))
	}
}

func sincosGeneric(sin, cos, x []float32) int {
	for i, v := range x {
		s, c := math.Sincos(float64(v))
		sin[i], cos[i] = float32(s), float32(c)
	}
	return len(x)
}
