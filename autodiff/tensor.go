package autodiff

import (
	"fmt"
	"strings"
	"unsafe"
)

// Shape is the size of a tensor along each axis, slowest first.
type Shape []int

// Size returns the number of elements, the product of the axes.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// String formats the shape as [2×3×4].
func (s Shape) String() string { return strings.ReplaceAll(fmt.Sprint([]int(s)), " ", "×") }

// Equal reports whether two shapes are the same.
func (s Shape) Equal(t Shape) bool {
	if len(s) != len(t) {
		return false
	}
	for i, d := range s {
		if d != t[i] {
			return false
		}
	}
	return true
}

// Tensor is a dense array in row-major order. It does not own its memory.
type Tensor struct {
	Shape Shape
	Data  []float32
}

const alignment = 16 // float32 values in a 64-byte cache line

// alignedFloats allocates n zeroed values that start on a cache line.
func alignedFloats(n int) []float32 {
	buf := make([]float32, n+alignment)
	skip := 0
	if r := int(uintptr(unsafe.Pointer(&buf[0])) / 4 % alignment); r != 0 {
		skip = alignment - r
	}
	return buf[skip : skip+n : skip+n]
}
