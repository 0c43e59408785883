package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The matrices of F(4×4,3×3) at the points 0, ±p, ±q and ∞ with p = √½ and q = √2.
var (
	inputMatrix = [][]float64{
		{1, 0, -2.5, 0, 1, 0},
		{0, -math.Sqrt2, -2, math.Sqrt2 / 2, 1, 0},
		{0, math.Sqrt2, -2, -math.Sqrt2 / 2, 1, 0},
		{0, -math.Sqrt2 / 2, -.5, math.Sqrt2, 1, 0},
		{0, math.Sqrt2 / 2, -.5, -math.Sqrt2, 1, 0},
		{0, 1, 0, -2.5, 0, 1},
	}
	gradientMatrix = [][]float64{
		{1, 0, 0, 0},
		{1, math.Sqrt2 / 2, .5, math.Sqrt2 / 4},
		{1, -math.Sqrt2 / 2, .5, -math.Sqrt2 / 4},
		{1, math.Sqrt2, 2, 2 * math.Sqrt2},
		{1, -math.Sqrt2, 2, -2 * math.Sqrt2},
		{0, 0, 0, 1},
	}
	weightMatrix = [][]float64{
		{1, 0, 0},
		{-2. / 3, -math.Sqrt2 / 3, -1. / 3},
		{-2. / 3, math.Sqrt2 / 3, -1. / 3},
		{1. / 6, math.Sqrt2 / 6, 1. / 3},
		{1. / 6, -math.Sqrt2 / 6, 1. / 3},
		{0, 0, 1},
	}
)

func transposed(m [][]float64) [][]float64 {
	t := make([][]float64, len(m[0]))
	for j := range t {
		for i := range m {
			t[j] = append(t[j], m[i][j])
		}
	}
	return t
}

// TestTransforms compares every transform with its matrix, for all tails of channels, and requires that it writes to no
// other place.
func TestTransforms(t *testing.T) {
	implemented(t, func(t *testing.T) {
		if active.Load().tiles == nil {
			t.Skip("no tiles")
		}
		f := newWinogradConv(1, 1, 1, 1, active.Load().tiles).f
		for _, c := range []struct {
			name      string
			f         transformFunc
			matrix    [][]float64
			bias, add bool
		}{
			{"input", f.input, inputMatrix, false, false},
			{"gradient", f.gradient, gradientMatrix, false, false},
			{"weight", f.weight, weightMatrix, false, false},
			{"output", f.output, transposed(gradientMatrix), true, false},
			{"outputAdd", f.outputAdd, transposed(gradientMatrix), false, true},
			{"weightAdd", f.weightAdd, transposed(weightMatrix), false, true},
		} {
			t.Run(c.name, func(t *testing.T) {
				for channels := 1; channels <= 35; channels++ {
					for _, floor := range []float32{0, float32(math.Inf(-1))} {
						checkTransform(t, c.f, c.matrix, channels, c.bias, c.add, floor)
					}
				}
			})
		}
	})
}

func checkTransform(t *testing.T, f transformFunc, m [][]float64, channels int, bias, add bool, floor float32) {
	t.Helper()
	const tiles = 3
	to, from := len(m), len(m[0])
	col, row := channels+1, from*(channels+1)+2
	tile := from*row + 5
	src := random(1, tiles*tile)
	plane := tiles*channels + 3
	got, b, tmp := random(2, to*to*plane), random(3, channels), garbage(tmpLen)
	want := widen(got)
	for n := range tiles * channels {
		k, c := n/channels, n%channels
		for i := range to {
			for j := range to {
				var sum float64
				for p := range from {
					for q := range from {
						sum += m[i][p] * m[j][q] * float64(src[k*tile+p*row+q*col+c])
					}
				}
				y := &want[(i*to+j)*plane+k*channels+c]
				switch {
				case add:
					*y += sum
				case bias:
					*y = max(sum+float64(b[c]), float64(floor))
				default:
					*y = sum
				}
			}
		}
	}
	f(tiles, channels, &src[0], row, col, tile, &got[0], to*plane, plane, channels, &tmp[0], &b[0], floor)
	for i, w := range want {
		if i%plane >= tiles*channels {
			require.Equal(t, float32(w), got[i], "written outside, %d channels, index %d", channels, i)
		} else if d := math.Abs(float64(got[i]) - w); !(d < 2e-5) {
			require.Failf(t, "wrong", "%d channels, index %d: want %v, got %v", channels, i, w, got[i])
		}
	}
}

// TestConvAccuracy bounds the errors of the algorithms relative to the root mean square of the results, for the sums of a
// typical layer after a ReLU.
func TestConvAccuracy(t *testing.T) {
	implemented(t, func(t *testing.T) {
		if name := Name(); name == "generic" || name == "portable" {
			t.Skip("rounds like the others")
		}
		for _, s := range [][4]int{{16, 16, 64, 64}, {8, 8, 256, 128}} {
			eachAlgorithm(t, s[0], s[1], s[2], s[3], 3, func(t *testing.T, c *Conv) {
				r := newConvRun(c)
				for i, v := range r.src {
					r.src[i] = max(v, 0)
				}
				clear(r.bias)
				dst, dsrc, dweight := make([]float64, c.dstLen()), make([]float64, c.srcLen()), make([]float64, c.weightLen())
				eachProduct(c, func(d, s, w int) {
					dst[d] += float64(r.src[s]) * float64(r.weight[w])
					dsrc[s] += float64(r.ddst[d]) * float64(r.weight[w])
					dweight[w] += float64(r.ddst[d]) * float64(r.src[s])
				})
				r.all()
				c.Forward(r.dst, r.src, r.packed, nil, false, r.scratch)
				bound := 8e-7
				if _, ok := c.algo.(*winogradConv); ok {
					bound = 2e-6
				}
				for name, e := range map[string][2]float64{
					"output": errorsOf(dst, r.dst), "input": errorsOf(dsrc, r.dsrc), "weights": errorsOf(dweight, r.dweight),
				} {
					t.Logf("%s: rms %.2e, max %.2e", name, e[0], e[1])
					require.Less(t, e[0], bound, name)
					require.Less(t, e[1], 10*bound, name)
				}
			})
		}
	})
}

// errorsOf returns the rms and the largest error of got relative to the rms of want.
func errorsOf(want []float64, got []float32) [2]float64 {
	var errs, squares, worst float64
	for i, w := range want {
		d := math.Abs(float64(got[i]) - w)
		errs += d * d
		squares += w * w
		worst = max(worst, d)
	}
	return [2]float64{math.Sqrt(errs / squares), worst / math.Sqrt(squares/float64(len(want)))}
}
