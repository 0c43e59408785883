package kernel

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBlendRows compares with the definition, for all widths, and requires the same bits from a block cut in two.
func TestBlendRows(t *testing.T) {
	const rows, w00, w01, w10, w11 = 3, 0.1, 0.2, 0.3, 0.4
	implemented(t, func(t *testing.T) {
		for cols := range 71 {
			ds, ss := cols+2, cols+5
			before := random(2, rows*ds)
			src, dst := between(random(1, (rows+1)*ss), cols%16), between(before, 3*cols%16)
			BlendRows(dst, ds, src, ss, rows, cols, w00, w01, w10, w11)
			for i, v := range before {
				r, c := i/ds, i%ds
				want := float64(v)
				if c < cols {
					at := src[r*ss+c:]
					want = w00*float64(at[0]) + w01*float64(at[1]) + w10*float64(at[ss]) + w11*float64(at[ss+1])
				}
				require.InDelta(t, want, dst[i], 1e-6, "row %d, column %d of %d", r, c, cols)
			}
			untouched(t, dst)
			parts, at := slices.Clone(before), cols/3
			BlendRows(parts, ds, src, ss, rows, at, w00, w01, w10, w11)
			BlendRows(parts[at:], ds, src[at:], ss, rows, cols-at, w00, w01, w10, w11)
			require.Equal(t, bitsOf(dst), bitsOf(parts), "%d columns cut at %d", cols, at)
		}
	})
}

func TestBlendRowsMisuse(t *testing.T) {
	blend := func(dst, src, dstStride, srcStride int) func() {
		return func() {
			BlendRows(make([]float32, dst), dstStride, make([]float32, src), srcStride, 2, 4, 1, 1, 1, 1)
		}
	}
	require.NotPanics(t, blend(8, 13, 4, 4))
	require.NotPanics(t, func() { BlendRows(nil, 4, nil, 4, 0, 3, 1, 1, 1, 1) })
	require.PanicsWithValue(t, "kernel: BlendRows of 2×4 with strides 4 and 4 in slices of 8 and 12", blend(8, 12, 4, 4))
	require.Panics(t, blend(7, 13, 4, 4))
	require.Panics(t, blend(8, 13, -4, 4))
	require.Panics(t, blend(8, 13, 4, -4))
}
