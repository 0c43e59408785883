package kernel

import (
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// guarded returns n floats of x in memory of their own that ends, or begins, at an inaccessible page.
func guarded(t *testing.T, x []float32, atEnd bool) []float32 {
	t.Helper()
	page := syscall.Getpagesize()
	size := (4*len(x) + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(mem)) })
	require.NoError(t, syscall.Mprotect(mem[:page], syscall.PROT_NONE))
	require.NoError(t, syscall.Mprotect(mem[page+size:], syscall.PROT_NONE))
	at := page
	if atEnd {
		at = page + size - 4*len(x)
	}
	if len(x) == 0 {
		return nil
	}
	g := unsafe.Slice((*float32)(unsafe.Pointer(&mem[at])), len(x))
	copy(g, x)
	return g
}

// halves views n floats as 2n counts.
func halves(x []float32) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(x))), 2*len(x))
}

// TestConvBounds runs the convolutions on slices next to inaccessible memory: a read or write outside ends the program.
func TestConvBounds(t *testing.T) {
	eachConv(t, func(t *testing.T, c *Conv) {
		for _, atEnd := range []bool{true, false} {
			r := newConvRun(c)
			want := newConvRun(c)
			want.all()
			for _, s := range []*[]float32{
				&r.src, &r.ddst, &r.weight, &r.bias, &r.packed, &r.dst, &r.dsrc, &r.dweight, &r.dsum, &r.scratch, &r.tmp,
			} {
				*s = guarded(t, *s, atEnd)
			}
			r.all()
			near(t, widen(want.dst), r.dst, c.K*c.K*c.In)
			near(t, widen(want.dsrc), r.dsrc, c.K*c.K*c.Out)
			near(t, widen(want.dweight), r.dweight, c.H*c.W)
			near(t, widen(want.dsum), r.dsum, c.H*c.W)
		}
	})
}

func TestSgemmBounds(t *testing.T) {
	implemented(t, func(t *testing.T) {
		for _, s := range gemmSizes {
			m, n, k := s[0], s[1], s[2]
			for _, ta := range transposes[:2] {
				for _, tb := range transposes[:2] {
					for _, atEnd := range []bool{true, false} {
						a, lda := stored(1, m, k, 1, ta)
						b, ldb := stored(2, k, n, 0, tb)
						a, b = guarded(t, a, atEnd), guarded(t, b, atEnd)
						c := guarded(t, random(1, m*n), atEnd)
						want := random(1, m*n)
						Float32{}.Sgemm(ta, tb, m, n, k, 1, a, lda, b, ldb, 1, want, n)
						Float32{}.Sgemm(ta, tb, m, n, k, 1, a, lda, b, ldb, 1, c, n)
						near(t, widen(want), c, k)
					}
				}
			}
		}
	})
}

// TestElementwiseBounds runs the elementwise kernels and the sums on slices next to inaccessible memory.
func TestElementwiseBounds(t *testing.T) {
	for _, atEnd := range []bool{true, false} {
		eachElementwise(t, func(t *testing.T, e *elementwise) {
			for _, n := range []int{1, 3, 8, 15, 16, 17, 31, 40} {
				out, in := e.operands(n, func(x []float32) []float32 { return guarded(t, x, atEnd) })
				e.run(out, in)
			}
		})
	}
	implemented(t, func(t *testing.T) {
		for _, n := range []int{1, 3, 8, 15, 16, 17, 31, 40} {
			for _, atEnd := range []bool{true, false} {
				lambda, k := counts(n, 10)
				lambda, k = guarded(t, lambda, atEnd), guarded(t, k, atEnd)
				require.Positive(t, PoissonExcess(lambda, k, 1))
				require.Positive(t, AmplitudeError(lambda, k, 1))
				sumAbs, _ := AbsError(lambda, k)
				require.Positive(t, sumAbs)
				square, _, _ := AmplitudeFit(guarded(t, garbage(n), atEnd), lambda, k, 1)
				require.Positive(t, square)
				FromUint16(guarded(t, garbage(2*n), atEnd), halves(guarded(t, make([]float32, n), atEnd)))
				require.Positive(t, SumSquares(lambda))
				rows := guarded(t, random(1, 3*n), atEnd)
				AddRows(rows, n, guarded(t, random(2, 3*n), atEnd), n, 3, n, 2)
				BlendRows(rows, n, guarded(t, random(2, 4*n+4), atEnd), n+1, 3, n, 1, 2, 3, 4)
			}
		}
	})
}

func TestPoolBounds(t *testing.T) {
	implemented(t, func(t *testing.T) {
		for _, s := range poolSizes[1:] {
			for _, atEnd := range []bool{true, false} {
				p := newPoolRun(s[0], s[1])
				for _, x := range p.slices() {
					*x = guarded(t, *x, atEnd)
				}
				p.all()
			}
		}
	})
}
