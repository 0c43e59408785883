package kernel

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// gemmSizes are m, n, k: small ones that gonum does, tails of tiles, several panels, single rows and columns.
var gemmSizes = [][3]int{
	{1, 1, 1},
	{3, 4, 5},
	{16, 16, 16},
	{17, 33, 9},
	{12, 64, 64},
	{10, 63, 40},
	{25, 64, 64},
	{7, 129, 300},
	{65, 15, 257},
	{1, 200, 100},
	{200, 1, 100},
	{90, 95, 1},
	{31, 31, 513},
	{5, 4100, 3},
}

var transposes = []blas.Transpose{blas.NoTrans, blas.Trans, blas.ConjTrans}

// stored returns a random matrix whose op has the given size, with rows gap longer than needed and no element beyond
// the last, and its stride.
func stored(seed uint64, rows, cols, gap int, t blas.Transpose) (x []float32, ld int) {
	if t != blas.NoTrans {
		rows, cols = cols, rows
	}
	ld = cols + gap
	return random(seed, (rows-1)*ld+cols), ld
}

// element returns element (i,j) of the op of a stored matrix.
func element(x []float32, ld int, t blas.Transpose, i, j int) float64 {
	if t != blas.NoTrans {
		i, j = j, i
	}
	return float64(x[i*ld+j])
}

func TestSgemm(t *testing.T) {
	implemented(t, func(t *testing.T) {
		for _, s := range gemmSizes {
			for _, ta := range transposes {
				for _, tb := range transposes {
					for i, f := range [][2]float32{{1, 0}, {1, 1}, {-0.5, 2}, {0, 0.5}} {
						checkSgemm(t, ta, tb, s[0], s[1], s[2], i, f[0], f[1])
					}
				}
			}
		}
	})
}

func checkSgemm(t *testing.T, ta, tb blas.Transpose, m, n, k, gap int, alpha, beta float32) {
	t.Helper()
	a, lda := stored(1, m, k, gap, ta)
	b, ldb := stored(2, k, n, gap, tb)
	c, ldc := stored(3, m, n, gap, blas.NoTrans)
	want := widen(c)
	if beta == 0 {
		for i := range c {
			if i%ldc < n {
				c[i] = float32(math.NaN())
			}
		}
	}
	for i := range m {
		for j := range n {
			var sum float64
			for p := range k {
				sum += element(a, lda, ta, i, p) * element(b, ldb, tb, p, j)
			}
			want[i*ldc+j] = float64(alpha)*sum + float64(beta)*want[i*ldc+j]
		}
	}
	Float32{}.Sgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
	near(t, want, c, k)
}

func TestSgemmMisuse(t *testing.T) {
	const n = 20
	implemented(t, func(t *testing.T) {
		x, short := random(1, n*n), random(2, n*n-1)
		for name, f := range map[string]func(){
			"transpose A":  func() { Float32{}.Sgemm('x', blas.Trans, n, n, n, 1, x, n, x, n, 0, random(1, n*n), n) },
			"transpose B":  func() { Float32{}.Sgemm(blas.Trans, 'x', n, n, n, 1, x, n, x, n, 0, random(1, n*n), n) },
			"negative":     func() { Float32{}.Sgemm(blas.Trans, blas.Trans, -1, n, n, 1, x, n, x, n, 0, random(1, n*n), n) },
			"lda":          func() { Float32{}.Sgemm(blas.NoTrans, blas.Trans, n, n, n, 1, x, n-1, x, n, 0, random(1, n*n), n) },
			"ldb":          func() { Float32{}.Sgemm(blas.NoTrans, blas.Trans, n, n, n, 1, x, n, x, n-1, 0, random(1, n*n), n) },
			"ldc":          func() { Float32{}.Sgemm(blas.NoTrans, blas.Trans, n, n, n, 1, x, n, x, n, 0, random(1, n*n), n-1) },
			"A too short":  func() { Float32{}.Sgemm(blas.Trans, blas.Trans, n, n, n, 1, short, n, x, n, 0, random(1, n*n), n) },
			"B too short":  func() { Float32{}.Sgemm(blas.Trans, blas.Trans, n, n, n, 1, x, n, short, n, 0, random(1, n*n), n) },
			"C too short":  func() { Float32{}.Sgemm(blas.Trans, blas.Trans, n, n, n, 1, x, n, x, n, 0, short, n) },
			"stride nil A": func() { Float32{}.Sgemm(blas.Trans, blas.Trans, n, n, n, 1, nil, n, x, n, 0, short, n) },
		} {
			require.Panics(t, f, name)
		}
		c := random(1, n)
		Float32{}.Sgemm(blas.NoTrans, blas.NoTrans, 0, n, n, 1, x, n, x, n, 0, c, n)
		require.Equal(t, random(1, n), c, "an empty product changes nothing")
	})
}

func TestSgemmNaN(t *testing.T) {
	const m, n, k = 20, 40, 30
	implemented(t, func(t *testing.T) {
		a, b, c := random(1, m*k), random(2, k*n), make([]float32, m*n)
		a[3*k+7], b[2*n+39] = float32(math.NaN()), float32(math.NaN())
		Float32{}.Sgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, a, k, b, n, 0, c, n)
		want := make(map[int]bool)
		for j := range n {
			want[3*n+j] = true
		}
		for i := range m {
			want[i*n+39] = true
		}
		require.Equal(t, want, notFinite(c))
	})
}

func TestSgemmAllocations(t *testing.T) {
	const n = 70
	implemented(t, func(t *testing.T) {
		if Name() == "generic" {
			t.Skip("gonum allocates")
		}
		a, b, c := random(1, n*n), random(2, n*n), make([]float32, n*n)
		for _, tr := range transposes {
			require.Zero(t, testing.AllocsPerRun(100, func() {
				Float32{}.Sgemm(blas.NoTrans, tr, n, n, n, 0.5, a, n, b, n, 0, c, n)
			}))
		}
	})
}

// TestSgemmReproducible requires the same bits for any GOMAXPROCS and from concurrent calls through blas32.
func TestSgemmReproducible(t *testing.T) {
	const n = 150
	implemented(t, func(t *testing.T) {
		a := blas32.General{Rows: n, Cols: n, Stride: n, Data: random(1, n*n)}
		results := make([]blas32.General, 5)
		for i := range results {
			results[i] = blas32.General{Rows: n, Cols: n, Stride: n, Data: garbage(n * n)}
		}
		old := runtime.GOMAXPROCS(1)
		blas32.Gemm(blas.NoTrans, blas.Trans, 2, a, a, 0, results[0])
		runtime.GOMAXPROCS(4)
		defer runtime.GOMAXPROCS(old)
		var wg sync.WaitGroup
		for _, r := range results[1:] {
			wg.Go(func() { blas32.Gemm(blas.NoTrans, blas.Trans, 2, a, a, 0, r) })
		}
		wg.Wait()
		for i, r := range results {
			require.Equal(t, results[0].Data, r.Data, fmt.Sprint(i))
		}
	})
}
