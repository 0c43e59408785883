package kernel

import (
	"fmt"
	"math"
	"math/bits"
)

// FFT is a plan of the unitary Fourier transform of H×W complex images, lengths 2^a·3^b·5^c, held as two row-major
// planes:
//
//	X[u,v] = 1/√(H·W) Σ_{r,c} x[r,c]·exp(−2πi(u·r/H + v·c/W))
//
// An FFT is immutable and safe for concurrent use; it keeps the implementation that was in use when it was made.
type FFT struct {
	H, W int // image size in pixels

	algo transformer
}

// A transformer does the work of an FFT, after the lengths have been checked.
type transformer interface {
	workLen() int
	transform(re, im, work []float32)
}

// NewFFT returns a plan for h×w images. It panics unless FFTCovers both lengths.
func NewFFT(h, w int) *FFT {
	if !FFTCovers(h) || !FFTCovers(w) {
		panic(fmt.Sprintf("kernel: no Fourier transform of %d×%d, lengths must be 2^a·3^b·5^c", h, w))
	}
	f := &FFT{H: h, W: w}
	if set := active.Load().fft; set != nil && min(h, w) >= set.lanes {
		f.algo = newVectorFFT(h, w, set)
	} else {
		f.algo = newGenericFFT(h, w)
	}
	return f
}

// FFTCovers reports whether n is positive and has no prime factor above 5.
func FFTCovers(n int) bool {
	if n <= 0 {
		return false
	}
	for _, f := range []int{2, 3, 5} {
		for n%f == 0 {
			n /= f
		}
	}
	return n == 1
}

// WorkLen returns the length of the work space that Transform needs.
func (f *FFT) WorkLen() int { return f.algo.workLen() }

// Transform replaces the image re + i·im by its Fourier transform. Exchanging re and im makes it the inverse
// transform. The planes and the work space must not overlap; what the work space holds before and after means
// nothing. It panics unless the planes have H·W pixels and work at least WorkLen. Aligning them to 64 bytes makes
// the transform faster.
func (f *FFT) Transform(re, im, work []float32) {
	if n := f.H * f.W; len(re) != n || len(im) != n {
		panic(fmt.Sprintf("kernel: planes of %d and %d pixels, the plan is for %d×%d", len(re), len(im), f.H, f.W))
	}
	need("work", work, f.WorkLen())
	f.algo.transform(re, im, work)
}

// unitary returns the factor that makes the transform of h×w images unitary.
func unitary(h, w int) float32 { return float32(1 / math.Sqrt(float64(h)*float64(w))) }

// fftStage is one stage of a Stockham transform along the columns of an image. At this stage there are groups
// sub-transforms of length radix·groups, interleaved in runs of stride rows. Butterfly p of the stage takes run p of
// each of radix equal parts of the source and leaves its results side by side, which sorts the transform on the way.
// All elements of a run share the twiddle factors, so a butterfly works between rows and needs no shuffles.
type fftStage struct {
	radix, groups, stride int
	twiddles              []float32 // groups × (radix−1) pairs (re, im): exp(−2πi·j·p/(radix·groups)), j = 1…
}

// newStages returns the stages of a transform of length n with butterflies of radix 3, 5 and 2 to 2^maxBits.
func newStages(n, maxBits int) []fftStage {
	var stages []fftStage
	stride := 1
	for _, r := range fftRadices(n, maxBits) {
		stages = append(stages, fftStage{r, n / r, stride, newTwiddles(r, n)})
		n /= r
		stride *= r
	}
	return stages
}

// fftRadices returns the radices of the stages of a transform: as few as possible, the powers of two as nearly equal
// as possible. The greatest comes last, where there are no twiddle factors.
func fftRadices(n, maxBits int) []int {
	var list []int
	for _, r := range []int{5, 3} {
		for ; n%r == 0; n /= r {
			list = append(list, r)
		}
	}
	left := bits.TrailingZeros(uint(n))
	for stages := (left + maxBits - 1) / maxBits; stages > 0; stages-- {
		list = append(list, 1<<(left/stages))
		left -= left / stages
	}
	return list
}

func newTwiddles(radix, n int) []float32 {
	var tw []float32
	for p := range n / radix {
		for j := 1; j < radix; j++ {
			s, c := math.Sincos(-2 * math.Pi * float64(j*p) / float64(n))
			tw = append(tw, float32(c), float32(s))
		}
	}
	return tw
}

// planes are the real and the imaginary part of an image.
type planes struct{ re, im []float32 }
