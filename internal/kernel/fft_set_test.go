package kernel

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// eachFFTSet runs f for every set of kernels of this machine.
func eachFFTSet(t *testing.T, f func(t *testing.T, set *fftSet)) {
	t.Helper()
	for _, im := range implementations {
		if im.fft != nil {
			t.Run(im.name, func(t *testing.T) { f(t, im.fft) })
		}
	}
}

// rowsIn returns rows of complex numbers whose real parts begin at z[0], imaginary parts at z[im], row floats apart.
func rowsIn(z []float32, im, row int) fftRows { return fftRows{&z[0], &z[im], floatBytes * row} }

// TestFFTPass compares every pass with its definition and requires that it writes to no other place.
func TestFFTPass(t *testing.T) {
	eachFFTSet(t, func(t *testing.T, set *fftSet) {
		for radix, pass := range set.pass {
			if pass == nil {
				continue
			}
			for _, s := range [][2]int{{1, 1}, {1, 3}, {2, 1}, {3, 2}, {5, 4}} {
				groups, stride := s[0], s[1]
				n := radix * groups * stride
				srcRow, dstRow := set.lanes+3, set.lanes+1
				src, tw := random(1, 2*n*srcRow), newTwiddles(radix, radix*groups)
				got, want := random(2, 2*n*dstRow), random(2, 2*n*dstRow)
				in := rowsIn(src, n*srcRow, srcRow)
				passDefinition(set.lanes, radix, rowsIn(want, n*dstRow, dstRow), in, groups, stride, &tw[0])
				out := rowsIn(got, n*dstRow, dstRow)
				pass(out.re, out.im, out.row, in.re, in.im, in.row, groups, stride, &tw[0])
				near(t, widen(want), got, 1)
				for i := range got {
					if i%dstRow >= set.lanes {
						require.Equal(t, want[i], got[i], "written outside: radix %d, groups %d, stride %d", radix, groups, stride)
					}
				}
			}
		}
	})
}

func TestFFTTranspose(t *testing.T) {
	eachFFTSet(t, func(t *testing.T, set *fftSet) {
		n := set.lanes
		for blocks := 1; blocks <= 3; blocks++ {
			t.Run(fmt.Sprint(blocks), func(t *testing.T) {
				// lines of blocks side by side to blocks one after the other, and back
				lines, column := blocks*n+1, n+2
				for _, back := range []bool{false, true} {
					srcRow, srcStep, dstRow, dstStep := lines, n, column, n*column
					if back {
						srcRow, srcStep, dstRow, dstStep = dstRow, dstStep, srcRow, srcStep
					}
					size := 2 * n * max(lines, blocks*column)
					src, got, want := random(3, size), random(4, size), random(4, size)
					in, exp, out := rowsIn(src, size/2, srcRow), rowsIn(want, size/2, dstRow), rowsIn(got, size/2, dstRow)
					transposeDefinition(n, exp, floatBytes*dstStep, in, floatBytes*srcStep, blocks, 0.3)
					set.transpose(out.re, out.im, out.row, floatBytes*dstStep, in.re, in.im, in.row, floatBytes*srcStep, blocks, 0.3)
					require.Equal(t, want, got)
				}
			})
		}
	})
}

func TestFFTRowsAdd(t *testing.T) {
	z := random(5, 20)
	r := rowsIn(z, 10, 2).add(3 * floatBytes)
	require.Equal(t, unsafe.Pointer(&z[3]), unsafe.Pointer(r.re))
	require.Equal(t, unsafe.Pointer(&z[13]), unsafe.Pointer(r.im))
	require.Equal(t, 2*floatBytes, r.row)
}
