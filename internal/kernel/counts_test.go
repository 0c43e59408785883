package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFromUint16 converts every number, and slices of all lengths at all offsets.
func TestFromUint16(t *testing.T) {
	src := make([]uint16, 1<<16)
	for i := range src {
		src[i] = uint16(i)
	}
	implemented(t, func(t *testing.T) {
		dst := garbage(len(src))
		FromUint16(dst, src)
		for i, v := range dst[:math.MaxUint16] {
			require.Equal(t, float32(i), v)
		}
		require.Equal(t, float32(-1), dst[math.MaxUint16])
		for n := range 101 {
			part := between(garbage(n), n%16)
			FromUint16(part, src[len(src)-n:])
			require.Equal(t, bitsOf(dst[len(src)-n:]), bitsOf(part), "%d counts", n)
			untouched(t, part)
		}
		require.PanicsWithValue(t, "kernel: FromUint16 of slices of 3 and 4",
			func() { FromUint16(make([]float32, 3), make([]uint16, 4)) })
	})
}
