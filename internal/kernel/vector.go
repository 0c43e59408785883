package kernel

import "fmt"

// Add computes dst = a + b. The slices have equal lengths, else it panics; dst may be a or b.
func Add(dst, a, b []float32) {
	equalLen("Add", len(dst), len(a), len(b))
	f := elem().add
	chunks(len(dst), func(lo, hi int) { f(dst[lo:hi], a[lo:hi], b[lo:hi]) })
}

// Mul computes dst = a·b, elementwise. The slices have equal lengths, else it panics; dst may be a or b.
func Mul(dst, a, b []float32) {
	equalLen("Mul", len(dst), len(a), len(b))
	elem().mul(dst, a, b)
}

// Scale multiplies dst by s.
func Scale(dst []float32, s float32) {
	f := elem().scale
	chunks(len(dst), func(lo, hi int) { f(dst[lo:hi], s) })
}

// AddMul adds s·a·b, elementwise, to dst. The slices have equal lengths, else it panics.
func AddMul(dst, a, b []float32, s float32) {
	equalLen("AddMul", len(dst), len(a), len(b))
	elem().addMul(dst, a, b, s)
}

// AddRows adds w·src to dst, both blocks of rows × cols elements whose rows begin a stride apart. It panics when a
// block reaches beyond its slice.
func AddRows(dst []float32, dstStride int, src []float32, srcStride, rows, cols int, w float32) {
	if rows <= 0 || cols <= 0 {
		return
	}
	if len(dst) < (rows-1)*dstStride+cols || len(src) < (rows-1)*srcStride+cols || dstStride < 0 || srcStride < 0 {
		panic(fmt.Sprintf("kernel: AddRows of %d×%d with strides %d and %d in slices of %d and %d",
			rows, cols, dstStride, srcStride, len(dst), len(src)))
	}
	elem().addRows(dst, dstStride, src, srcStride, rows, cols, w)
}

// ReLUGrad clears the elements of dy at which y ≤ 0. The slices have equal lengths, else it panics.
func ReLUGrad(dy, y []float32) {
	equalLen("ReLUGrad", len(dy), len(y))
	f := elem().reluGrad
	chunks(len(dy), func(lo, hi int) { f(dy[lo:hi], y[lo:hi]) })
}

// LogisticGrad adds dy·s·(a−y)·(b+y) to dx, the derivative of y = σ(x) with a, b, s = 1, 0, 1 and of y = π·tanh x with
// π, π, 1/π. The slices have equal lengths, else it panics.
func LogisticGrad(dx, dy, y []float32, a, b, s float32) {
	equalLen("LogisticGrad", len(dx), len(dy), len(y))
	elem().logisticGrad(dx, dy, y, a, b, s)
}

func addGeneric(dst, a, b []float32) {
	for i, v := range a {
		dst[i] = v + b[i]
	}
}

func mulGeneric(dst, a, b []float32) {
	for i, v := range a {
		dst[i] = v * b[i]
	}
}

func scaleGeneric(dst []float32, s float32) {
	for i := range dst {
		dst[i] *= s
	}
}

func addMulGeneric(dst, a, b []float32, s float32) {
	for i, v := range a {
		dst[i] += s * v * b[i]
	}
}

func addRowsGeneric(dst []float32, dstStride int, src []float32, srcStride, rows, cols int, w float32) {
	for r := range rows {
		d := dst[r*dstStride:][:cols]
		for i, v := range src[r*srcStride:][:cols] {
			d[i] += w * v
		}
	}
}

func reluGradGeneric(dy, y []float32) {
	for i, v := range y {
		if v <= 0 {
			dy[i] = 0
		}
	}
}

func logisticGradGeneric(dx, dy, y []float32, a, b, s float32) {
	for i, v := range y {
		dx[i] += dy[i] * (s * (a - v) * (b + v))
	}
}
