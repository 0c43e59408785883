package data

// transpose returns data, stored first axis fastest (Fortran order), last axis fastest (C order).
func transpose(data any, shape []int) any {
	switch v := data.(type) {
	case []float32:
		return toC(v, shape)
	case []float64:
		return toC(v, shape)
	case []complex64:
		return toC(v, shape)
	case []complex128:
		return toC(v, shape)
	case []int8:
		return toC(v, shape)
	case []int16:
		return toC(v, shape)
	case []int32:
		return toC(v, shape)
	case []int64:
		return toC(v, shape)
	case []uint8:
		return toC(v, shape)
	case []uint16:
		return toC(v, shape)
	case []uint32:
		return toC(v, shape)
	case []uint64:
		return toC(v, shape)
	case []bool:
		return toC(v, shape)
	case []string:
		return toC(v, shape)
	}
	panic("data: unknown element type")
}

func toC[T any](src []T, shape []int) []T {
	strides := make([]int, len(shape))
	step := 1
	for i, d := range shape {
		strides[i] = step
		step *= d
	}
	dst := make([]T, len(src))
	index := make([]int, len(shape))
	from := 0
	for k := range dst {
		dst[k] = src[from]
		for i := len(shape) - 1; i >= 0; i-- {
			index[i]++
			from += strides[i]
			if index[i] < shape[i] {
				break
			}
			from -= index[i] * strides[i]
			index[i] = 0
		}
	}
	return dst
}
