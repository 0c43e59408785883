package kernel

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// portableFFT lets the transform by strips be tested where there is no assembly.
var portableFFT = &fftSet{
	lanes: 4, maxBits: 3,
	pass:      [9]fftPass{2: portablePass(2), 3: portablePass(3), 4: portablePass(4), 5: portablePass(5), 8: portablePass(8)},
	transpose: portableTranspose,
}

// portablePass returns the definition of an fftPass, with four lanes.
func portablePass(radix int) fftPass {
	return func(dstRe, dstIm *float32, dstRow int, srcRe, srcIm *float32, srcRow int, groups, stride int, twiddles *float32) {
		passDefinition(4, radix, fftRows{dstRe, dstIm, dstRow}, fftRows{srcRe, srcIm, srcRow}, groups, stride, twiddles)
	}
}

func passDefinition(lanes, radix int, dst, src fftRows, groups, stride int, twiddles *float32) {
	w := unsafe.Slice(twiddles, 2*groups*(radix-1))
	for p := range groups {
		for q := range stride {
			for lane := range lanes {
				butterflyDefinition(radix, dst.add((q+stride*radix*p)*dst.row+floatBytes*lane), stride*dst.row,
					src.add((q+stride*p)*src.row+floatBytes*lane), stride*groups*src.row, w[2*p*(radix-1):])
			}
		}
	}
}

func butterflyDefinition(radix int, dst fftRows, dstStep int, src fftRows, srcStep int, w []float32) {
	var all [8]complex128
	sums := all[:radix]
	for j := range sums {
		for k := range radix {
			a := src.add(k * srcStep)
			sums[j] += complex(float64(*a.re), float64(*a.im)) * cmplx.Rect(1, -2*math.Pi*float64(j*k)/float64(radix))
		}
		if j > 0 {
			sums[j] *= complex(float64(w[2*j-2]), float64(w[2*j-1]))
		}
	}
	for j, sum := range sums {
		b := dst.add(j * dstStep)
		*b.re, *b.im = float32(real(sum)), float32(imag(sum))
	}
}

func portableTranspose(dstRe, dstIm *float32, dstRow, dstStep int, srcRe, srcIm *float32, srcRow, srcStep, blocks int, scale float32) {
	transposeDefinition(4, fftRows{dstRe, dstIm, dstRow}, dstStep, fftRows{srcRe, srcIm, srcRow}, srcStep, blocks, scale)
}

func transposeDefinition(lanes int, dst fftRows, dstStep int, src fftRows, srcStep, blocks int, scale float32) {
	for b := range blocks {
		for i := range lanes {
			for j := range lanes {
				x := src.add(b*srcStep + i*src.row + j*floatBytes)
				y := dst.add(b*dstStep + j*dst.row + i*floatBytes)
				*y.re, *y.im = scale**x.re, scale**x.im
			}
		}
	}
}

// fftSizes are the lengths with strips of all kinds of tails.
func fftSizes() [][2]int {
	s := [][2]int{{16, 81}, {81, 16}, {15, 60}, {60, 15}, {125, 18}, {24, 1}, {1, 24}, {64, 80}, {96, 50}}
	for n := 1; n <= 64; n++ {
		if FFTCovers(n) {
			s = append(s, [2]int{n, n})
		}
	}
	for _, n := range []int{80, 96, 100, 128, 160, 192, 243, 320} {
		s = append(s, [2]int{n, n})
	}
	return s
}

// eachFFT runs f for all implementations and sizes, where time is short the small ones.
func eachFFT(t *testing.T, f func(t *testing.T, p *FFT)) {
	implemented(t, func(t *testing.T) {
		for _, s := range fftSizes() {
			if s[0]*s[1] > 2500 && (testing.Short() || active.Load().fft == portableFFT) {
				continue
			}
			p := NewFFT(s[0], s[1])
			t.Run(fmt.Sprintf("%dx%d", s[0], s[1]), func(t *testing.T) { f(t, p) })
		}
	})
}

func gaussian(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 11))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// dft is the unitary transform straight from its definition.
func dft(x []complex128, h, w int) []complex128 {
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

func join(re, im []float32) []complex128 {
	z := make([]complex128, len(re))
	for i := range z {
		z[i] = complex(float64(re[i]), float64(im[i]))
	}
	return z
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

func TestFFTMatchesDefinition(t *testing.T) {
	want := map[[2]int][]complex128{}
	eachFFT(t, func(t *testing.T, p *FFT) {
		n := p.H * p.W
		re, im := gaussian(1, n), gaussian(2, n)
		size := [2]int{p.H, p.W}
		if want[size] == nil {
			want[size] = dft(join(re, im), p.H, p.W)
		}
		p.Transform(re, im, garbage(p.WorkLen()))
		require.Less(t, distance(join(re, im), want[size]), 1e-7*math.Log2(float64(n+1)))
	})
}

func TestFFTInverse(t *testing.T) {
	eachFFT(t, func(t *testing.T, p *FFT) {
		n := p.H * p.W
		re, im, work := gaussian(3, n), gaussian(4, n), garbage(p.WorkLen())
		want := join(re, im)
		p.Transform(re, im, work)
		p.Transform(im, re, work)
		require.Less(t, distance(join(re, im), want), 1e-7*math.Log2(float64(n+1)))
	})
}

func TestFFTParseval(t *testing.T) {
	eachFFT(t, func(t *testing.T, p *FFT) {
		n := p.H * p.W
		re, im := gaussian(5, n), gaussian(6, n)
		energy := func() (e float64) {
			for _, z := range join(re, im) {
				e += real(z * cmplx.Conj(z))
			}
			return e
		}
		want := energy()
		p.Transform(re, im, garbage(p.WorkLen()))
		require.InEpsilon(t, want, energy(), 1e-6)
	})
}

func TestFFTLinearity(t *testing.T) {
	eachFFT(t, func(t *testing.T, p *FFT) {
		n, work := p.H*p.W, garbage(p.WorkLen())
		ar, ai, br, bi := gaussian(7, n), gaussian(8, n), gaussian(9, n), gaussian(10, n)
		sr, si := make([]float32, n), make([]float32, n)
		for i := range sr { // s = a + (2 + 3i)·b
			sr[i] = ar[i] + 2*br[i] - 3*bi[i]
			si[i] = ai[i] + 2*bi[i] + 3*br[i]
		}
		p.Transform(ar, ai, work)
		p.Transform(br, bi, work)
		p.Transform(sr, si, work)
		want := join(ar, ai)
		for i, b := range join(br, bi) {
			want[i] += complex(2, 3) * b
		}
		require.Less(t, distance(join(sr, si), want), 2e-7*math.Log2(float64(n+1)))
	})
}

func TestFFTImpulse(t *testing.T) {
	eachFFT(t, func(t *testing.T, p *FFT) {
		n, work := p.H*p.W, garbage(p.WorkLen())
		for _, at := range []int{0, n / 3, n - 1} {
			re, im := make([]float32, n), make([]float32, n)
			im[at] = 1
			p.Transform(re, im, work)
			want := make([]complex128, n)
			for i := range want {
				turns := float64(i/p.W*(at/p.W))/float64(p.H) + float64(i%p.W*(at%p.W))/float64(p.W)
				want[i] = 1i * cmplx.Rect(1/math.Sqrt(float64(n)), -2*math.Pi*turns)
			}
			require.Less(t, distance(join(re, im), want), 1e-7*math.Log2(float64(n+1)))
		}
	})
}

// TestFFTAlignment requires the same bits wherever the slices begin.
func TestFFTAlignment(t *testing.T) {
	eachFFT(t, func(t *testing.T, p *FFT) {
		n := p.H * p.W
		want := planes{gaussian(11, n), gaussian(12, n)}
		p.Transform(want.re, want.im, garbage(p.WorkLen()))
		for _, at := range [][3]int{{1, 0, 0}, {3, 7, 5}, {0, 9, 15}} {
			re, im := garbage(n + at[0])[at[0]:], garbage(n + at[1])[at[1]:]
			copy(re, gaussian(11, n))
			copy(im, gaussian(12, n))
			p.Transform(re, im, garbage(p.WorkLen() + at[2])[at[2]:])
			require.Equal(t, want, planes{re, im})
		}
	})
}

// TestFFTNotFinite requires that what is not finite spreads to every pixel.
func TestFFTNotFinite(t *testing.T) {
	eachFFT(t, func(t *testing.T, p *FFT) {
		n := p.H * p.W
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			re, im := gaussian(13, n), gaussian(14, n)
			re[n/2] = float32(bad)
			p.Transform(re, im, make([]float32, p.WorkLen()))
			for i, z := range join(re, im) {
				if !math.IsNaN(real(z)-real(z)) && !math.IsNaN(imag(z)-imag(z)) {
					require.Failf(t, "finite", "%v, pixel %d: %v", bad, i, z)
				}
			}
		}
	})
}

// TestFFTDenormal requires that numbers below the least normal one are not flushed to zero.
func TestFFTDenormal(t *testing.T) {
	const unit = 0x1p-149
	implemented(t, func(t *testing.T) {
		for _, n := range []int{16, 20, 48} {
			f := NewFFT(n, n)
			re, im := gaussian(15, n*n), gaussian(16, n*n)
			for i := range re {
				re[i], im[i] = re[i]*0x1p-135, im[i]*0x1p-135
			}
			want := dft(join(re, im), n, n)
			f.Transform(re, im, garbage(f.WorkLen()))
			for i, z := range join(re, im) {
				if d := cmplx.Abs(z - want[i]); !(d <= float64(8*n)*unit) {
					require.Failf(t, "not near", "%d: pixel %d: %v, want %v", n, i, z, want[i])
				}
			}
		}
	})
}

func TestFFTAllocatesNothing(t *testing.T) {
	implemented(t, func(t *testing.T) {
		p := NewFFT(60, 64)
		re, im, work := gaussian(17, 60*64), gaussian(18, 60*64), make([]float32, p.WorkLen())
		require.Zero(t, testing.AllocsPerRun(5, func() { p.Transform(re, im, work) }))
	})
}

func TestFFTKeepsImplementation(t *testing.T) {
	implemented(t, func(t *testing.T) {
		p, set := NewFFT(64, 64), active.Load().fft
		activate(implementations[0])
		if set == nil {
			require.IsType(t, &genericFFT{}, p.algo)
		} else {
			require.Same(t, set, p.algo.(*vectorFFT).fftSet)
		}
		require.IsType(t, &genericFFT{}, NewFFT(64, 64).algo)
	})
}

func TestFFTCovers(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 5, 6, 60, 320, 3 * 3 * 3, 1 << 20} {
		require.True(t, FFTCovers(n), n)
	}
	for _, n := range []int{-4, 0, 7, 11, 14, 127, 1 << 10 * 13} {
		require.False(t, FFTCovers(n), n)
	}
}

func TestFFTRadices(t *testing.T) {
	tests := []struct {
		n, maxBits int
		want       []int
	}{
		{1, 3, nil},
		{2, 2, []int{2}},
		{8, 2, []int{2, 4}},
		{8, 3, []int{8}},
		{16, 3, []int{4, 4}},
		{64, 2, []int{4, 4, 4}},
		{64, 3, []int{8, 8}},
		{128, 3, []int{4, 4, 8}},
		{180, 3, []int{5, 3, 3, 4}},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, fftRadices(tt.n, tt.maxBits), "%+v", tt)
	}
}

func TestFFTPanics(t *testing.T) {
	for _, s := range [][2]int{{0, 4}, {4, 7}, {-1, 1}} {
		require.PanicsWithValue(t, fmt.Sprintf("kernel: no Fourier transform of %d×%d, lengths must be 2^a·3^b·5^c", s[0], s[1]),
			func() { NewFFT(s[0], s[1]) })
	}
	implemented(t, func(t *testing.T) {
		p := NewFFT(16, 18)
		good, work := make([]float32, 16*18), make([]float32, p.WorkLen())
		require.PanicsWithValue(t, "kernel: planes of 287 and 288 pixels, the plan is for 16×18",
			func() { p.Transform(good[1:], good, work) })
		require.Panics(t, func() { p.Transform(good, good, work[1:]) })
	})
}
