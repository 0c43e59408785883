package data

import (
	"fmt"
	"math"
	"slices"
)

// Array is one N-dimensional array in C order (last axis fastest). Data holds Len() elements and is one
// of []float32, []float64, []complex64, []complex128, []int8 … []int64, []uint8 … []uint64, []bool and
// []string. A nil Shape is a scalar.
type Array struct {
	Name  string
	Shape []int
	Data  any
}

// Len returns the number of elements, the product of Shape.
func (a Array) Len() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// Float32s returns the elements rounded to float32. A []float32 is returned as it is, sharing memory.
// Complex numbers and strings are an error.
func (a Array) Float32s() ([]float32, error) {
	if v, ok := a.Data.([]float32); ok {
		return v, nil
	}
	return reals[float32](a)
}

// Float64s returns the elements as float64. A []float64 is returned as it is, sharing memory. Complex
// numbers and strings are an error.
func (a Array) Float64s() ([]float64, error) {
	if v, ok := a.Data.([]float64); ok {
		return v, nil
	}
	return reals[float64](a)
}

// Complex64s returns the elements rounded to complex64; real numbers get a zero imaginary part. A
// []complex64 is returned as it is, sharing memory. Strings are an error.
func (a Array) Complex64s() ([]complex64, error) {
	switch v := a.Data.(type) {
	case []complex64:
		return v, nil
	case []complex128:
		return apply(v, func(z complex128) complex64 { return complex64(z) }), nil
	}
	re, err := a.Float32s()
	if err != nil {
		return nil, err
	}
	return apply(re, func(x float32) complex64 { return complex(x, 0) }), nil
}

// Int64s returns the elements as int64. A []int64 is returned as it is, sharing memory. An element that
// int64 cannot hold exactly is an error, and so are complex numbers and strings.
func (a Array) Int64s() ([]int64, error) {
	switch v := a.Data.(type) {
	case []int64:
		return v, nil
	case []int8:
		return exactInts(v)
	case []int16:
		return exactInts(v)
	case []int32:
		return exactInts(v)
	case []uint8:
		return exactInts(v)
	case []uint16:
		return exactInts(v)
	case []uint32:
		return exactInts(v)
	case []uint64:
		for i, x := range v {
			if x > math.MaxInt64 {
				return nil, notInt64(x, i)
			}
		}
		return apply(v, func(x uint64) int64 { return int64(x) }), nil
	case []float32:
		return exactInts(v)
	case []float64:
		return exactInts(v)
	case []bool:
		return apply(v, boolAs[int64]), nil
	}
	return nil, mismatch(a, "integers")
}

func reals[T float32 | float64](a Array) ([]T, error) {
	v, ok := appendReals([]T(nil), a.Data)
	if !ok {
		return nil, mismatch(a, "real numbers")
	}
	return v, nil
}

// appendReals appends the elements of src, real numbers as in Array.Data, rounded to T. It reports whether
// they are such.
func appendReals[T float32 | float64](dst []T, src any) ([]T, bool) {
	switch v := src.(type) {
	case []float32:
		return appendApply(dst, v, func(x float32) T { return T(x) }), true
	case []float64:
		return appendApply(dst, v, func(x float64) T { return T(x) }), true
	case []int8:
		return appendApply(dst, v, func(x int8) T { return T(x) }), true
	case []int16:
		return appendApply(dst, v, func(x int16) T { return T(x) }), true
	case []int32:
		return appendApply(dst, v, func(x int32) T { return T(x) }), true
	case []int64:
		return appendApply(dst, v, func(x int64) T { return T(x) }), true
	case []uint8:
		return appendApply(dst, v, func(x uint8) T { return T(x) }), true
	case []uint16:
		return appendApply(dst, v, func(x uint16) T { return T(x) }), true
	case []uint32:
		return appendApply(dst, v, func(x uint32) T { return T(x) }), true
	case []uint64:
		return appendApply(dst, v, func(x uint64) T { return T(x) }), true
	case []bool:
		return appendApply(dst, v, boolAs[T]), true
	}
	return dst, false
}

func exactInts[T int8 | int16 | int32 | uint8 | uint16 | uint32 | float32 | float64](v []T) ([]int64, error) {
	dst := make([]int64, len(v))
	for i, x := range v {
		f := float64(x)
		// Every float64 in [-2⁶³, 2⁶³) that is whole is an int64; a NaN fails the comparison.
		if !(f >= -(1<<63) && f < 1<<63) || f != math.Trunc(f) {
			return nil, notInt64(x, i)
		}
		dst[i] = int64(x)
	}
	return dst, nil
}

func notInt64(x any, i int) Problem {
	return Problem{
		Expected: "whole numbers within int64",
		Found:    fmt.Sprintf("%v at index %d", x, i),
		Remedy:   "store the array as int64",
	}
}

func apply[S, T any](src []S, f func(S) T) []T { return appendApply(make([]T, 0, len(src)), src, f) }

func appendApply[S, T any](dst []T, src []S, f func(S) T) []T {
	dst = slices.Grow(dst, len(src))
	for _, v := range src {
		dst = append(dst, f(v))
	}
	return dst
}

func boolAs[T float32 | float64 | int64](b bool) T {
	if b {
		return 1
	}
	return 0
}

func mismatch(a Array, want string) Problem {
	return Problem{
		Expected: want,
		Found:    fmt.Sprintf("elements of type %s", elementName(a.Data)),
		Remedy:   "store the array with a numeric dtype",
	}
}

// elementName returns the element type of a slice in Data.
func elementName(v any) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprintf("%T", v)[len("[]"):]
}
