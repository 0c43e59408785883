// Package littleendian turns slices of numbers into the bytes of files and back, at the speed of a copy where the
// machine is little-endian itself.
package littleendian

import (
	"encoding/binary"
	"fmt"
	"unsafe"
)

// Number is what can be turned.
type Number interface {
	float32 | float64 | int64 | complex64
}

// native is whether the machine is little-endian.
var native = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// Bytes returns the elements of v as little-endian bytes, which share memory with v where they can.
func Bytes[T Number](v []T) []byte {
	if native {
		return view(v)
	}
	b, _ := binary.Append(nil, binary.LittleEndian, v) // the types of Number have a fixed size
	return b
}

// Decode fills v from its little-endian bytes. It panics if they are not as many as v needs.
func Decode[T Number](v []T, b []byte) {
	if want := len(view(v)); len(b) != want {
		panic(fmt.Sprintf("littleendian: %d bytes, expected %d", len(b), want))
	}
	if native {
		copy(view(v), b)
		return
	}
	_, _ = binary.Decode(b, binary.LittleEndian, v)
}

// view returns the memory of v.
func view[T Number](v []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(zero)))
}
