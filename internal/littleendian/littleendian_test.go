package littleendian

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBytesAndDecode(t *testing.T) {
	old := native
	defer func() { native = old }()
	for _, native = range []bool{old, false} {
		check(t, []float32{1, -0.5, float32(math.Inf(1)), math.SmallestNonzeroFloat32})
		check(t, []float64{math.Pi, -1e300})
		check(t, []int64{-2, 1 << 40})
		check(t, []complex64{complex(1, -2), complex(3, 0)})
		check(t, []float32{})
		check(t, []int64(nil))
		require.Panics(t, func() { Decode(make([]float32, 2), make([]byte, 7)) })
	}
}

func check[T Number](t *testing.T, v []T) {
	want, err := binary.Append(nil, binary.LittleEndian, v)
	require.NoError(t, err)
	b := Bytes(v)
	require.Equal(t, string(want), string(b))
	got := make([]T, len(v))
	Decode(got, b)
	require.Equal(t, append([]T{}, v...), got)
}
