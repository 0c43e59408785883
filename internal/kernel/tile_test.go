package kernel

import (
	"fmt"
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// portableTiles lets the blocked convolution and product be tested where there is no assembly.
var portableTiles = &tileSet{
	lanes: 4,
	rows:  []int{0, 5, 3},
	tile:  []tileFunc{nil, portableTile, portableTile},
}

// portableTile is the definition of a tileFunc.
func portableTile(rows, runs, k int, a *float32, ars, aks, arun int, b *float32, bks int,
	c *float32, ldc, cols int, bias *float32, flags int,
) {
	at := func(p *float32, i int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*i)) }
	for i := range rows {
		for j := range cols {
			var sum float32
			if bias != nil {
				sum = *at(bias, j)
			}
			for r := range runs {
				for q := range k {
					sum += *at(a, i*ars+r*arun+q*aks) * *at(b, (r*k+q)*bks+j)
				}
			}
			out := at(c, i*ldc+j)
			if flags&accumulate != 0 {
				sum += *out
			}
			if flags&rectified != 0 && sum < 0 {
				sum = 0
			}
			*out = sum
		}
	}
}

// TestTile compares every tile, for every number of rows and columns, with the definition, and requires that it
// writes to no other place.
func TestTile(t *testing.T) {
	for _, im := range implementations {
		if im.tiles == nil {
			continue
		}
		for v, tile := range im.tiles.tile {
			if v == 0 {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d", im.name, v), func(t *testing.T) {
				width := v * im.tiles.lanes
				for rows := 1; rows <= im.tiles.rows[v]; rows++ {
					for cols := 1; cols <= width; cols++ {
						checkTile(t, tile, rows, cols, width)
					}
				}
			})
		}
	}
}

func checkTile(t *testing.T, tile tileFunc, rows, cols, width int) {
	t.Helper()
	const runs, k = 3, 5
	for _, s := range []struct{ ars, aks, arun int }{{7, 1, 50}, {1, 20, 101}, {0, 0, 0}} {
		a := random(1, 1+(rows-1)*s.ars+(k-1)*s.aks+(runs-1)*s.arun)
		b, bias := random(1, runs*k*(width+1)), random(2, cols)
		for flags := range 4 {
			for _, bp := range []*float32{nil, &bias[0]} {
				ldc := width + 3
				got, want := random(3, rows*ldc), random(3, rows*ldc)
				portableTile(rows, runs, k, &a[0], s.ars, s.aks, s.arun, &b[0], width+1, &want[0], ldc, cols, bp, flags)
				tile(rows, runs, k, &a[0], s.ars, s.aks, s.arun, &b[0], width+1, &got[0], ldc, cols, bp, flags)
				for i, w := range want {
					if i%ldc >= cols {
						require.Equal(t, w, got[i], "written outside, rows %d cols %d index %d", rows, cols, i)
					} else if d := math.Abs(float64(got[i] - w)); !(d < 1e-5) {
						require.Failf(t, "wrong", "rows %d of %d cols, index %d, flags %d: want %v, got %v", rows, cols, i, flags, w, got[i])
					}
				}
			}
		}
	}
}

func TestPart(t *testing.T) {
	for left := 1; left < 100; left++ {
		for largest := 1; largest < 14; largest++ {
			n, lo, hi := 0, largest, 0
			for rest := left; rest > 0; n++ {
				p := part(rest, largest)
				lo, hi, rest = min(lo, p), max(hi, p), rest-p
				require.GreaterOrEqual(t, rest, 0)
			}
			require.Equal(t, (left+largest-1)/largest, n)
			require.LessOrEqual(t, hi, largest)
			require.LessOrEqual(t, hi-lo, 1, "%d by %d", left, largest)
		}
	}
}

func TestAligned(t *testing.T) {
	s := make([]float32, 64)
	for i := range 20 {
		a := aligned(s[i:])
		require.Zero(t, uintptr(unsafe.Pointer(&a[0]))%64)
		require.Greater(t, len(a)+alignFloats, len(s)-i)
	}
}
