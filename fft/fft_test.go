package fft_test

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/fft"
)

// sides of the square images that every property is tested on; 7, 74 and 127 are beyond the planar engine.
var sides = []int{
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 20, 25, 27, 30, 32, 36, 45, 48, 50, 60, 64,
	74, 80, 96, 100, 127, 128, 160, 192, 256,
}

// eachPlan runs f for square and other images on every engine that covers them.
func eachPlan(t *testing.T, f func(t *testing.T, p *fft.Plan)) {
	t.Helper()
	sizes := [][2]int{{1, 64}, {64, 1}, {2, 3}, {5, 3}, {8, 32}, {32, 16}, {64, 80}, {96, 50}, {127, 64}, {60, 17}}
	for _, n := range sides {
		sizes = append(sizes, [2]int{n, n})
	}
	for _, s := range sizes {
		for _, engine := range []string{fft.Planar, fft.DSP} {
			p, err := fft.NewPlanEngine(s[0], s[1], engine)
			if engine == fft.Planar && (has(s[0], 7, 17, 37, 127) || has(s[1], 7, 17, 37, 127)) {
				require.Error(t, err)
				continue
			}
			require.NoError(t, err)
			t.Run(fmt.Sprintf("%s/%dx%d", engine, s[0], s[1]), func(t *testing.T) { f(t, p) })
		}
	}
}

// has reports whether n has one of the factors.
func has(n int, factors ...int) bool {
	return slices.ContainsFunc(factors, func(f int) bool { return n%f == 0 })
}

func randomPlanes(seed uint64, n int) (re, im []float32) {
	r := rand.New(rand.NewPCG(seed, 1))
	re, im = make([]float32, n), make([]float32, n)
	for i := range re {
		re[i], im[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
	}
	return re, im
}

func toComplex(re, im []float32) []complex128 {
	x := make([]complex128, len(re))
	for i := range x {
		x[i] = complex(float64(re[i]), float64(im[i]))
	}
	return x
}

// naive is the unitary transform straight from its definition.
func naive(x []complex128, h, w int) []complex128 {
	lines := func(x []complex128, h, w int) []complex128 { // transforms the columns and transposes
		y := make([]complex128, len(x))
		root := make([]complex128, h)
		for k := range root {
			root[k] = cmplx.Rect(1/math.Sqrt(float64(h)), -2*math.Pi*float64(k)/float64(h))
		}
		for c := range w {
			for u := range h {
				var sum complex128
				for r := range h {
					sum += x[r*w+c] * root[u*r%h]
				}
				y[c*h+u] = sum
			}
		}
		return y
	}
	return lines(lines(x, h, w), w, h)
}

// distance returns ‖a−b‖/‖b‖.
func distance(a, b []complex128) float64 {
	var d, n float64
	for i := range a {
		d += real((a[i] - b[i]) * cmplx.Conj(a[i]-b[i]))
		n += real(b[i] * cmplx.Conj(b[i]))
	}
	return math.Sqrt(d / n)
}

func dot(a, b []complex128) complex128 {
	var s complex128
	for i := range a {
		s += a[i] * cmplx.Conj(b[i])
	}
	return s
}

func TestForwardMatchesDefinition(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *fft.Plan) {
		h, w := p.Dims()
		re, im := randomPlanes(2, h*w)
		want := naive(toComplex(re, im), h, w)
		p.Forward(re, im, make([]float32, p.WorkLen()))
		require.Less(t, distance(toComplex(re, im), want), 4e-7)
	})
}

// TestEveryLength compares plans of all small sizes, whatever their engine, with the transform in float64.
func TestEveryLength(t *testing.T) {
	for n := 1; n <= 64; n++ {
		p, err := fft.NewPlan(n, n)
		require.NoError(t, err)
		re, im := randomPlanes(12, n*n)
		want := toComplex(re, im)
		fft.NewDouble(n, n).Forward(want)
		p.Forward(re, im, make([]float32, p.WorkLen()))
		require.Less(t, distance(toComplex(re, im), want), 4e-7, n)
	}
}

func TestEnginesAgree(t *testing.T) {
	for _, n := range []int{64, 100, 256} {
		a, err := fft.NewPlanEngine(n, n, fft.Planar)
		require.NoError(t, err)
		b, err := fft.NewPlanEngine(n, n, fft.DSP)
		require.NoError(t, err)
		work := make([]float32, a.WorkLen())
		for _, run := range []func(p *fft.Plan, re, im, work []float32){(*fft.Plan).Forward, (*fft.Plan).Inverse} {
			are, aim := randomPlanes(3, n*n)
			bre, bim := randomPlanes(3, n*n)
			run(a, are, aim, work)
			run(b, bre, bim, nil)
			require.Less(t, distance(toComplex(are, aim), toComplex(bre, bim)), 4e-7, n)
		}
	}
}

func TestParseval(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *fft.Plan) {
		h, w := p.Dims()
		re, im := randomPlanes(4, h*w)
		x := toComplex(re, im)
		p.Forward(re, im, make([]float32, p.WorkLen()))
		X := toComplex(re, im)
		require.InEpsilon(t, real(dot(x, x)), real(dot(X, X)), 1e-6)
	})
}

func TestInverseUndoesForward(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *fft.Plan) {
		h, w := p.Dims()
		re, im := randomPlanes(5, h*w)
		x := toComplex(re, im)
		work := make([]float32, p.WorkLen())
		p.Forward(re, im, work)
		p.Inverse(re, im, work)
		require.Less(t, distance(toComplex(re, im), x), 6e-7)
	})
}

func TestInverseIsAdjoint(t *testing.T) {
	eachPlan(t, func(t *testing.T, p *fft.Plan) {
		h, w := p.Dims()
		work := make([]float32, p.WorkLen())
		re, im := randomPlanes(6, h*w)
		x := toComplex(re, im)
		p.Forward(re, im, work)
		fx := toComplex(re, im)
		re, im = randomPlanes(7, h*w)
		y := toComplex(re, im)
		p.Inverse(re, im, work)
		fy := toComplex(re, im)
		norm := math.Sqrt(real(dot(x, x)) * real(dot(y, y)))
		require.Less(t, cmplx.Abs(dot(fx, y)-dot(x, fy)), 1e-6*norm)
	})
}

func TestLinearity(t *testing.T) {
	p, err := fft.NewPlanEngine(60, 32, fft.Planar)
	require.NoError(t, err)
	work := make([]float32, p.WorkLen())
	transform := func(re, im []float32) []complex128 {
		p.Forward(re, im, work)
		return toComplex(re, im)
	}
	are, aim := randomPlanes(8, 60*32)
	bre, bim := randomPlanes(9, 60*32)
	sre, sim := make([]float32, 60*32), make([]float32, 60*32)
	for i := range sre { // s = a + (2 + 3i)·b
		sre[i] = are[i] + 2*bre[i] - 3*bim[i]
		sim[i] = aim[i] + 2*bim[i] + 3*bre[i]
	}
	a, b, s := transform(are, aim), transform(bre, bim), transform(sre, sim)
	for i := range a {
		a[i] += complex(2, 3) * b[i]
	}
	require.Less(t, distance(s, a), 1e-6)
}

func TestPlaneWave(t *testing.T) {
	const h, w, u, v = 10, 12, 3, 11
	p, err := fft.NewPlan(h, w)
	require.NoError(t, err)
	re, im := make([]float32, h*w), make([]float32, h*w)
	for i := range re {
		s, c := math.Sincos(2 * math.Pi * (float64(u*(i/w))/h + float64(v*(i%w))/w))
		re[i], im[i] = float32(c), float32(s)
	}
	p.Forward(re, im, make([]float32, p.WorkLen()))
	want := make([]complex128, h*w)
	want[u*w+v] = complex(math.Sqrt(h*w), 0)
	require.Less(t, distance(toComplex(re, im), want), 1e-6)
}

func TestConcurrentUse(t *testing.T) {
	for _, size := range [][2]int{{48, 64}, {31, 33}} {
		p, err := fft.NewPlan(size[0], size[1])
		require.NoError(t, err)
		n := size[0] * size[1]
		wantRe, wantIm := randomPlanes(10, n)
		p.Forward(wantRe, wantIm, make([]float32, p.WorkLen()))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				re, im := randomPlanes(10, n)
				p.Forward(re, im, make([]float32, p.WorkLen()))
				for i := range re {
					if re[i] != wantRe[i] || im[i] != wantIm[i] {
						t.Errorf("pixel %d differs between goroutines", i)
						return
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestPlanarAllocatesNothing(t *testing.T) {
	p, err := fft.NewPlanEngine(60, 64, fft.Planar)
	require.NoError(t, err)
	re, im := randomPlanes(11, 60*64)
	work := make([]float32, p.WorkLen())
	require.Zero(t, testing.AllocsPerRun(5, func() {
		p.Forward(re, im, work)
		p.Inverse(re, im, work)
	}))
}

func TestNewPlanChoosesEngine(t *testing.T) {
	tests := []struct {
		env    string
		h, w   int
		engine string
	}{
		{"", 64, 64, fft.Planar},
		{"", 90, 1, fft.Planar},
		{"", 64, 74, fft.DSP},
		{"", 127, 64, fft.DSP},
		{"planar", 64, 64, fft.Planar},
		{"planar", 64, 7, fft.DSP},
		{"dsp", 64, 64, fft.DSP},
	}
	for _, tt := range tests {
		t.Setenv(fft.EngineEnv, tt.env)
		p, err := fft.NewPlan(tt.h, tt.w)
		require.NoError(t, err)
		require.Equal(t, tt.engine, p.Engine(), "%+v", tt)
	}
}

func TestNewPlanErrors(t *testing.T) {
	t.Setenv(fft.EngineEnv, "fftw")
	_, err := fft.NewPlan(64, 64)
	require.ErrorContains(t, err, `PTYCHO_FFT="fftw"`)

	t.Setenv(fft.EngineEnv, "")
	for _, s := range [][2]int{{0, 64}, {64, 0}, {-1, 3}} {
		_, err = fft.NewPlan(s[0], s[1])
		require.ErrorContains(t, err, "positive", s)
	}
	_, err = fft.NewPlanEngine(64, 127, fft.Planar)
	require.ErrorContains(t, err, "64×127")
	_, err = fft.NewPlanEngine(64, 64, "fftw")
	require.ErrorContains(t, err, `"fftw"`)
}

func TestForwardPanicsOnWrongLengths(t *testing.T) {
	p, err := fft.NewPlanEngine(4, 4, fft.Planar)
	require.NoError(t, err)
	good, work := make([]float32, 16), make([]float32, p.WorkLen())
	require.PanicsWithValue(t, "fft: planes of 15 and 16 pixels, the plan is for 4×4",
		func() { p.Forward(good[:15], good, work) })
	require.PanicsWithValue(t, fmt.Sprintf("fft: work space of %d, the plan needs %d", len(work)-1, len(work)),
		func() { p.Inverse(good, good, work[1:]) })
}
