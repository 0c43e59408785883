package kernel

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// blends are the kernels of four neighbours, with their definition for one element: before is what dst held, at begins
// at the pixel of src, whose rows are a stride apart.
var blends = []struct {
	name string
	run  func(dst []float32, dstStride int, src []float32, srcStride, rows, cols int, w00, w01, w10, w11 float32)
	def  func(before float64, at []float32, stride int, w [4]float64) float64
}{
	{"BlendRows", BlendRows, func(_ float64, at []float32, stride int, w [4]float64) float64 {
		return w[0]*float64(at[0]) + w[1]*float64(at[1]) + w[2]*float64(at[stride]) + w[3]*float64(at[stride+1])
	}},
	{"SpreadRows", SpreadRows, func(before float64, at []float32, stride int, w [4]float64) float64 {
		return before + w[3]*float64(at[0]) + w[2]*float64(at[1]) + w[1]*float64(at[stride]) + w[0]*float64(at[stride+1])
	}},
}

// TestBlend compares with the definition, for all widths, and requires the same bits from a block cut in two.
func TestBlend(t *testing.T) {
	const rows, w00, w01, w10, w11 = 3, 0.1, 0.2, 0.3, 0.4
	implemented(t, func(t *testing.T) {
		for _, b := range blends {
			for cols := range 71 {
				ds, ss := cols+2, cols+5
				before := random(2, rows*ds)
				src, dst := between(random(1, (rows+1)*ss), cols%16), between(before, 3*cols%16)
				b.run(dst, ds, src, ss, rows, cols, w00, w01, w10, w11)
				for i, v := range before {
					r, c := i/ds, i%ds
					want := float64(v)
					if c < cols {
						want = b.def(want, src[r*ss+c:], ss, [4]float64{w00, w01, w10, w11})
					}
					require.InDelta(t, want, dst[i], 1e-6, "%s: row %d, column %d of %d", b.name, r, c, cols)
				}
				untouched(t, dst)
				parts, at := slices.Clone(before), cols/3
				b.run(parts, ds, src, ss, rows, at, w00, w01, w10, w11)
				b.run(parts[at:], ds, src[at:], ss, rows, cols-at, w00, w01, w10, w11)
				require.Equal(t, bitsOf(dst), bitsOf(parts), "%s: %d columns cut at %d", b.name, cols, at)
			}
		}
	})
}

func TestBlendMisuse(t *testing.T) {
	for _, b := range blends {
		b.run(nil, 4, nil, 4, 0, 3, 1, 1, 1, 1)
		for _, c := range []struct{ dst, src, dstStride, srcStride int }{{7, 13, 4, 4}, {8, 12, 4, 4}, {8, 13, -4, 4}, {8, 13, 4, -4}} {
			require.Panics(t, func() {
				b.run(make([]float32, c.dst), c.dstStride, make([]float32, c.src), c.srcStride, 2, 4, 1, 1, 1, 1)
			}, "%s: %v", b.name, c)
		}
		require.PanicsWithValue(t, "kernel: "+b.name+" of 2×4 with strides 4 and 4 in slices of 8 and 12",
			func() { b.run(make([]float32, 8), 4, make([]float32, 12), 4, 2, 4, 1, 1, 1, 1) })
		require.NotPanics(t, func() { b.run(make([]float32, 8), 4, make([]float32, 13), 4, 2, 4, 1, 1, 1, 1) })
	}
}
