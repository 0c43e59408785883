package kernel

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// convSizes are h, w, in, out: single pixels, lines, odd channels, every kind of tail, layers of the network.
var convSizes = [][4]int{
	{1, 1, 1, 1},
	{1, 1, 3, 2},
	{1, 7, 2, 5},
	{9, 1, 5, 3},
	{2, 2, 1, 64},
	{3, 5, 4, 1},
	{5, 3, 17, 15},
	{4, 6, 16, 16},
	{6, 7, 8, 8},
	{7, 13, 31, 33},
	{3, 11, 47, 49},
	{2, 9, 63, 65},
	{3, 25, 64, 32},
	{8, 8, 48, 80},
	{2, 3, 96, 112},
	{3, 17, 129, 4},
	{5, 8, 4, 130},
	{2, 600, 3, 2},
	{40, 31, 2, 9},
	{70, 9, 50, 17},
}

// An algorithm is a way to compute a Conv, whether or not NewConv would choose it.
type algorithm struct {
	name string
	new  func(h, w, in, out, k int, tiles *tileSet) convolver
}

var algorithms = []algorithm{
	{"direct", func(h, w, in, out, k int, tiles *tileSet) convolver { return newTiledConv(h, w, in, out, k, tiles) }},
	{"winograd", func(h, w, in, out, _ int, tiles *tileSet) convolver { return newWinogradConv(h, w, in, out, tiles) }},
}

// eachAlgorithm calls f with every convolution of the given size that the active implementation has.
func eachAlgorithm(t *testing.T, h, w, in, out, k int, f func(t *testing.T, c *Conv)) {
	t.Helper()
	tiles := active.Load().tiles
	for _, a := range algorithms {
		c := &Conv{H: h, W: w, In: in, Out: out, K: k}
		switch {
		case tiles == nil:
			c.algo = newGenericConv(h, w, in, out, k)
		case k == 3 || a.name == "direct":
			c.algo = a.new(h, w, in, out, k, tiles)
		default:
			return
		}
		t.Run(fmt.Sprintf("%dx%dx%dto%d/k%d/%s", h, w, in, out, k, a.name), func(t *testing.T) { f(t, c) })
		if tiles == nil {
			return
		}
	}
}

func eachConv(t *testing.T, f func(t *testing.T, c *Conv)) {
	implemented(t, func(t *testing.T) {
		for _, s := range convSizes {
			for _, k := range []int{1, 3} {
				eachAlgorithm(t, s[0], s[1], s[2], s[3], k, f)
			}
		}
	})
}

func random(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 7))
	x := make([]float32, n)
	for i := range x {
		x[i] = 2*r.Float32() - 1
	}
	return x
}

// garbage returns n NaNs: what scratch and overwritten outputs may hold.
func garbage(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.NaN())
	}
	return x
}

// eachProduct calls f for every product in the convolution's sum with the indices of dst, src and weight.
func eachProduct(c *Conv, f func(d, s, w int)) {
	for y := range c.H {
		for x := range c.W {
			for t := range c.K * c.K {
				sy, sx := y+t/c.K-c.K/2, x+t%c.K-c.K/2
				if sy < 0 || sy >= c.H || sx < 0 || sx >= c.W {
					continue
				}
				for i := range c.In {
					for o := range c.Out {
						f((y*c.W+x)*c.Out+o, (sy*c.W+sx)*c.In+i, (t*c.In+i)*c.Out+o)
					}
				}
			}
		}
	}
}

// near requires got to equal want up to the rounding of a sum of the given number of products of size one.
func near(t *testing.T, want []float64, got []float32, terms int) {
	t.Helper()
	tol := 4e-6 * math.Sqrt(float64(terms)+1)
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= tol) {
			require.Failf(t, "not near", "element %d of %d: want %v, got %v", i, len(want), w, got[i])
		}
	}
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func TestConvForward(t *testing.T) {
	eachConv(t, func(t *testing.T, c *Conv) {
		src, weight, bias := random(1, c.srcLen()), random(2, c.weightLen()), random(3, c.Out)
		packed, scratch, dst := garbage(c.PackedLen(true)), garbage(c.ScratchLen()), garbage(c.dstLen())
		c.Pack(packed, weight, garbage(c.PackScratchLen()))

		want := make([]float64, c.dstLen())
		eachProduct(c, func(d, s, w int) { want[d] += float64(src[s]) * float64(weight[w]) })
		c.Forward(dst, src, packed, nil, false, scratch)
		near(t, want, dst, c.K*c.K*c.In)

		for i := range want {
			want[i] += float64(bias[i%c.Out])
		}
		c.Forward(dst, src, packed, bias, false, scratch)
		near(t, want, dst, c.K*c.K*c.In)

		for i := range want {
			want[i] = max(want[i], 0)
		}
		c.Forward(dst, src, packed, bias, true, scratch)
		near(t, want, dst, c.K*c.K*c.In)
	})
}

// TestConvForwardPart cuts the work in any way, each part with a scratch of its own and weights packed for it alone.
func TestConvForwardPart(t *testing.T) {
	eachConv(t, func(t *testing.T, c *Conv) {
		src, weight, bias := random(1, c.srcLen()), random(2, c.weightLen()), random(3, c.Out)
		packed, short := garbage(c.PackedLen(true)), garbage(c.PackedLen(false))
		c.Pack(packed, weight, garbage(c.PackScratchLen()))
		c.Pack(short, weight, garbage(c.PackScratchLen()))
		want := garbage(c.dstLen())
		c.Forward(want, src, packed, bias, true, garbage(c.ScratchLen()))
		for _, parts := range []int{2, 3, 70} {
			got := garbage(c.dstLen())
			for part := range parts {
				c.ForwardPart(got, src, short, bias, true, parts-1-part, parts, garbage(c.ScratchLen()))
			}
			require.Equal(t, want, got, "%d parts", parts)
		}
	})
}

func TestConvGradInput(t *testing.T) {
	eachConv(t, func(t *testing.T, c *Conv) {
		ddst, weight, dsrc := random(1, c.dstLen()), random(2, c.weightLen()), random(3, c.srcLen())
		packed, scratch := garbage(c.PackedLen(true)), garbage(c.ScratchLen())
		c.Pack(packed, weight, garbage(c.PackScratchLen()))
		want := widen(dsrc)
		eachProduct(c, func(d, s, w int) { want[s] += float64(ddst[d]) * float64(weight[w]) })
		c.GradInput(dsrc, ddst, packed, scratch)
		near(t, want, dsrc, c.K*c.K*c.Out)
	})
}

func TestConvGradWeight(t *testing.T) {
	eachConv(t, func(t *testing.T, c *Conv) {
		src, ddst, dweight, dbias := random(1, c.srcLen()), random(2, c.dstLen()), random(3, c.weightLen()), random(4, c.Out)
		scratch := garbage(c.ScratchLen())
		want, wantBias := widen(dweight), widen(dbias)
		eachProduct(c, func(d, s, w int) { want[w] += float64(ddst[d]) * float64(src[s]) })
		for i, v := range ddst {
			wantBias[i%c.Out] += float64(v)
		}
		c.GradWeight(dweight, dbias, src, ddst, scratch)
		near(t, want, dweight, c.H*c.W)
		near(t, wantBias, dbias, c.H*c.W)
		c.GradWeight(dweight, nil, src, ddst, scratch)
		near(t, wantBias, dbias, c.H*c.W)
	})
}

// TestConvAdjoint checks <conv(x), y> = <x, convᵀ(y)> = <w, ∂w>, which holds for any x, y and weights w.
func TestConvAdjoint(t *testing.T) {
	eachConv(t, func(t *testing.T, c *Conv) {
		src, ddst, weight := random(1, c.srcLen()), random(2, c.dstLen()+1)[1:], random(3, c.weightLen())
		packed, scratch := garbage(c.PackedLen(true)), garbage(c.ScratchLen())
		dst, dsrc, dweight := garbage(c.dstLen()), make([]float32, c.srcLen()), make([]float32, c.weightLen())
		c.Pack(packed, weight, garbage(c.PackScratchLen()))
		c.Forward(dst, src, packed, nil, false, scratch)
		c.GradInput(dsrc, ddst, packed, scratch)
		c.GradWeight(dweight, nil, src, ddst, scratch)
		want, norm := dot(dst, ddst), math.Sqrt(dot(dst, dst)*dot(ddst, ddst))
		require.InDelta(t, want, dot(src, dsrc), 1e-5*norm)
		require.InDelta(t, want, dot(weight, dweight), 1e-5*norm)
	})
}

func dot(x, y []float32) float64 {
	var sum float64
	for i, v := range x {
		sum += float64(v) * float64(y[i])
	}
	return sum
}

// TestConvNaN requires that a NaN inside the image reaches every output that depends on it, also through the ReLU, and,
// but for Winograd's algorithm, no other. (At the border it also meets the padding, whose product with it an
// implementation may leave out.)
func TestConvNaN(t *testing.T) {
	implemented(t, func(t *testing.T) {
		eachAlgorithm(t, 10, 11, 3, 19, 3, func(t *testing.T, c *Conv) {
			for _, bad := range []float64{math.NaN(), math.Inf(1)} {
				checkNotFinite(t, c, float32(bad))
			}
			r := newConvRun(c)
			r.bias[2] = float32(math.NaN())
			r.all()
			require.Len(t, notFinite(r.dst), c.H*c.W)
		})
	})
}

func checkNotFinite(t *testing.T, c *Conv, bad float32) {
	t.Helper()
	r := newConvRun(c)
	r.src[(2*c.W+1)*c.In+1] = bad
	r.ddst[(3*c.W+4)*c.Out+18] = bad
	dst, dsrc, dweight := map[int]bool{}, map[int]bool{}, map[int]bool{}
	eachProduct(c, func(d, s, w int) {
		if v := r.src[s]; v-v != 0 {
			// A product that is minus infinity becomes zero in the ReLU.
			dst[d], dweight[w] = dst[d] || v != v || r.weight[w] > 0, true
		}
		if v := r.ddst[d]; v-v != 0 {
			dsrc[s], dweight[w] = true, true
		}
	})
	maps.DeleteFunc(dst, func(_ int, is bool) bool { return !is })
	r.all()
	compare := require.Equal
	if _, ok := c.algo.(*winogradConv); ok {
		compare = func(t require.TestingT, want, got any, _ ...any) { require.Subset(t, got, want) }
	}
	compare(t, dst, notFinite(r.dst))
	compare(t, dsrc, notFinite(r.dsrc))
	compare(t, dweight, notFinite(r.dweight))
	require.Equal(t, map[int]bool{18: true}, notFinite(r.dsum))
}

func notFinite(x []float32) map[int]bool {
	at := make(map[int]bool)
	for i, v := range x {
		if v-v != 0 {
			at[i] = true
		}
	}
	return at
}

// TestConvAllocations also covers layers that are large enough for gonum to work in parallel, which allocates.
func TestConvAllocations(t *testing.T) {
	implemented(t, func(t *testing.T) {
		if Name() == "generic" {
			t.Skip("gonum allocates")
		}
		eachAlgorithm(t, 16, 15, 20, 40, 3, func(t *testing.T, c *Conv) {
			require.Zero(t, testing.AllocsPerRun(10, newConvRun(c).all))
		})
	})
}

// convRun holds the arguments and results of the methods of one Conv.
type convRun struct {
	c                                *Conv
	src, ddst, weight, bias          []float32
	packed, dst, dsrc, dweight, dsum []float32
	scratch, tmp                     []float32
}

func newConvRun(c *Conv) *convRun {
	return &convRun{
		c: c, src: random(1, c.srcLen()), ddst: random(2, c.dstLen()), weight: random(3, c.weightLen()), bias: random(4, c.Out),
		packed: garbage(c.PackedLen(true)), dst: garbage(c.dstLen()), scratch: garbage(c.ScratchLen()), tmp: garbage(c.PackScratchLen()),
		dsrc: make([]float32, c.srcLen()), dweight: make([]float32, c.weightLen()), dsum: make([]float32, c.Out),
	}
}

func (r *convRun) all() {
	r.c.Pack(r.packed, r.weight, r.tmp)
	r.c.Forward(r.dst, r.src, r.packed, r.bias, true, r.scratch)
	r.c.GradInput(r.dsrc, r.ddst, r.packed, r.scratch)
	r.c.GradWeight(r.dweight, r.dsum, r.src, r.ddst, r.scratch)
}

// TestConvReproducible requires the same bits for any GOMAXPROCS and from concurrent calls of one plan.
func TestConvReproducible(t *testing.T) {
	implemented(t, func(t *testing.T) {
		eachAlgorithm(t, 24, 20, 33, 70, 3, func(t *testing.T, c *Conv) {
			want := newConvRun(c)
			old := runtime.GOMAXPROCS(1)
			want.all()
			runtime.GOMAXPROCS(4)
			defer runtime.GOMAXPROCS(old)
			runs := make([]*convRun, 4)
			var wg sync.WaitGroup
			for i := range runs {
				runs[i] = newConvRun(c)
				wg.Go(runs[i].all)
			}
			wg.Wait()
			for _, r := range runs {
				require.Equal(t, want.dst, r.dst)
				require.Equal(t, want.dsrc, r.dsrc)
				require.Equal(t, want.dweight, r.dweight)
				require.Equal(t, want.dsum, r.dsum)
			}
		})
	})
}

// TestConvAlgorithm fixes the sizes for which there is Winograd's algorithm, on which the rounding depends.
func TestConvAlgorithm(t *testing.T) {
	old := active.Load()
	t.Cleanup(func() { activate(old) })
	activate(&implementation{name: "portable", tiles: portableTiles})
	for _, s := range []struct {
		h, w, in, out, k int
		winograd         bool
	}{
		{64, 64, 64, 64, 3, true},
		{4, 5, 4, 1, 3, true},
		{64, 64, 64, 64, 1, false},
		{64, 3, 64, 64, 3, false},
		{64, 64, 1, 64, 3, false},
	} {
		_, ok := NewConv(s.h, s.w, s.in, s.out, s.k).algo.(*winogradConv)
		require.Equal(t, s.winograd, ok, s)
	}
	activate(implementations[0])
	require.IsType(t, &genericConv{}, NewConv(64, 64, 64, 64, 3).algo)
}

func TestConvMisuse(t *testing.T) {
	for _, s := range [][5]int{{0, 1, 1, 1, 3}, {1, -1, 1, 1, 3}, {1, 1, 0, 1, 3}, {1, 1, 1, 0, 1}, {1, 1, 1, 1, 5}} {
		require.Panics(t, func() { NewConv(s[0], s[1], s[2], s[3], s[4]) })
	}
	implemented(t, func(t *testing.T) {
		for _, field := range []func(r *convRun) *[]float32{
			func(r *convRun) *[]float32 { return &r.src },
			func(r *convRun) *[]float32 { return &r.ddst },
			func(r *convRun) *[]float32 { return &r.weight },
			func(r *convRun) *[]float32 { return &r.bias },
			func(r *convRun) *[]float32 { return &r.packed },
			func(r *convRun) *[]float32 { return &r.dst },
			func(r *convRun) *[]float32 { return &r.dsrc },
			func(r *convRun) *[]float32 { return &r.dweight },
			func(r *convRun) *[]float32 { return &r.dsum },
			func(r *convRun) *[]float32 { return &r.scratch },
		} {
			r := newConvRun(NewConv(3, 4, 2, 5, 3))
			s := field(r)
			*s = (*s)[:len(*s)-1]
			require.Panics(t, r.all)
		}
	})
}
