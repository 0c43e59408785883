package data

import "encoding/binary"

// decoder decodes a fixed number of numbers at a time, always into the same memory.
type decoder struct {
	dtype  dtype
	n      int
	wire   any // []T with the T of the file
	values any // the same, but []float32 for float16
}

func newDecoder(d dtype, n int) *decoder {
	dec := &decoder{dtype: d, n: n, wire: d.slice(n)}
	dec.values = dec.wire
	if d.kind == 'f' && d.size == 2 {
		dec.values = make([]float32, n)
	}
	return dec
}

// decode returns the elements in raw, which are valid until the next call.
func (dec *decoder) decode(raw []byte) any {
	if n := len(raw) / dec.dtype.size; n != dec.n {
		*dec = *newDecoder(dec.dtype, n)
	}
	if _, err := binary.Decode(raw, byteOrder(dec.dtype), dec.wire); err != nil {
		panic("data: " + err.Error())
	}
	if v, ok := dec.values.([]float32); ok && dec.dtype.size == 2 {
		for i, b := range dec.wire.([]uint16) {
			v[i] = half(b)
		}
	}
	return dec.values
}

// slice returns n elements of the Go type that has the size and kind of d, uint16 for float16. Strings and
// objects, which have no fixed one, get n empty strings.
func (d dtype) slice(n int) any {
	switch [2]int{int(d.kind), d.size} {
	case [2]int{'f', 4}:
		return make([]float32, n)
	case [2]int{'f', 8}:
		return make([]float64, n)
	case [2]int{'c', 8}:
		return make([]complex64, n)
	case [2]int{'c', 16}:
		return make([]complex128, n)
	case [2]int{'i', 1}:
		return make([]int8, n)
	case [2]int{'i', 2}:
		return make([]int16, n)
	case [2]int{'i', 4}:
		return make([]int32, n)
	case [2]int{'i', 8}:
		return make([]int64, n)
	case [2]int{'u', 1}:
		return make([]uint8, n)
	case [2]int{'u', 2}, [2]int{'f', 2}:
		return make([]uint16, n)
	case [2]int{'u', 4}:
		return make([]uint32, n)
	case [2]int{'u', 8}:
		return make([]uint64, n)
	case [2]int{'b', 1}:
		return make([]bool, n)
	}
	return make([]string, n)
}
