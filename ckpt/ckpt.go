// Package ckpt reads and writes checkpoints: named tensors and string metadata in one safetensors file.
//
// A file is an 8-byte little-endian header length, a JSON header and the raw little-endian tensors. The
// header and the tensors each carry a SHA-256, so that a damaged file is never loaded.
package ckpt

import (
	"fmt"
	"math"

	"ptycho/internal/littleendian"
)

// DType is the element type of a tensor, spelled as in a safetensors header.
type DType string

// The element types of a checkpoint.
const (
	F32 DType = "F32" // float32
	F64 DType = "F64" // float64
	I64 DType = "I64" // int64
)

// Size returns the bytes an element takes, 0 for a type that checkpoints do not hold.
func (d DType) Size() int {
	switch d {
	case F32:
		return 4
	case F64, I64:
		return 8
	}
	return 0
}

// Tensor is a named, contiguous, row-major array. An empty Shape is a scalar. At most one of Data, F64
// and I64 is set and tells the element type; a tensor of no elements with none set is a float32 one.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
	F64   []float64
	I64   []int64
}

// DType returns the element type of t.
func (t *Tensor) DType() DType {
	switch {
	case t.F64 != nil:
		return F64
	case t.I64 != nil:
		return I64
	}
	return F32
}

// Len returns the number of elements that t stores.
func (t *Tensor) Len() int { return len(t.Data) + len(t.F64) + len(t.I64) }

// bytes returns the elements of t as a file has them, sharing memory with t where it can.
func (t *Tensor) bytes() []byte {
	switch t.DType() {
	case F64:
		return littleendian.Bytes(t.F64)
	case I64:
		return littleendian.Bytes(t.I64)
	}
	return littleendian.Bytes(t.Data)
}

// decode fills the elements of t from the bytes of a file.
func (t *Tensor) decode(b []byte) {
	switch t.DType() {
	case F64:
		littleendian.Decode(t.F64, b)
	case I64:
		littleendian.Decode(t.I64, b)
	default:
		littleendian.Decode(t.Data, b)
	}
}

// File is the content of a checkpoint.
type File struct {
	Path    string            // where Read found it; Write does not look at it
	Meta    map[string]string // without the two checksums, which belong to Write and Read
	Tensors []Tensor          // in the order in which they are stored
}

// Tensor returns the tensor called name, nil when there is none. It shares memory with f.
func (f *File) Tensor(name string) *Tensor {
	for i := range f.Tensors {
		if f.Tensors[i].Name == name {
			return &f.Tensors[i]
		}
	}
	return nil
}

// FormatError says what is wrong with one file.
type FormatError struct {
	Path   string // the file
	Tensor string // the tensor concerned; empty when the trouble is not in one
	Want   string // what was expected
	Found  string // what was there
	Remedy string // what to do about it
}

// Error implements error.
func (e *FormatError) Error() string {
	where := e.Path
	if e.Tensor != "" {
		where = fmt.Sprintf("%s: tensor %q", e.Path, e.Tensor)
	}
	return fmt.Sprintf("ckpt: %s: expected %s, found %s; %s", where, e.Want, e.Found, e.Remedy)
}

// size returns the product of shape, false when a dimension is negative or the product has no place in
// memory. The limit leaves room to turn elements into bytes and to add two such numbers.
func size(shape []int) (int, bool) {
	const limit = math.MaxInt / 16
	n := 1
	for _, d := range shape {
		if d < 0 || (d > 0 && n > limit/d) {
			return 0, false
		}
		n *= d
	}
	return n, true
}
