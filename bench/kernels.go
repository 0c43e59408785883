package bench

import (
	"fmt"
	"time"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"ptycho/fft"
	"ptycho/internal/kernel"
)

// Kernel is the speed of one computational kernel on one core.
type Kernel struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`         // median of one call
	GFLOPS  float64 `json:"gflops"`          // counting the operations of the plain algorithm
	Share   float64 `json:"share,omitempty"` // of the peak; 0 where that is unknown
}

// Peak measures the fused multiply-adds that a core can do, in GFLOP/s; 0 where the kernels in use have no way to.
func Peak(d time.Duration) float64 {
	const rounds = 1 << 16
	flops := kernel.PeakFlops(rounds)
	if flops == 0 {
		return 0
	}
	return flops / repeat(d, func() { kernel.PeakFlops(rounds) }) / 1e9
}

// layer is a 3×3 convolution of the network.
type layer struct{ h, w, in, out int }

// layers that occur in networks of double width.
var layers = []layer{{64, 64, 64, 64}, {32, 32, 128, 128}, {16, 16, 256, 256}, {32, 32, 128, 64}, {64, 64, 1, 64}}

// Kernels measures convolutions, matrix products and Fourier transforms, each for about the given time.
func Kernels(d time.Duration, peak float64) ([]Kernel, error) {
	var list []Kernel
	add := func(name string, flops float64, f func()) {
		s := repeat(d, f)
		k := Kernel{Name: name, Seconds: s, GFLOPS: flops / s / 1e9}
		if peak > 0 {
			k.Share = k.GFLOPS / peak
		}
		list = append(list, k)
	}
	for _, l := range layers {
		c := kernel.NewConv(l.h, l.w, l.in, l.out, 3)
		src, dst := ramp(l.h*l.w*l.in), ramp(l.h*l.w*l.out)
		weight, bias := ramp(9*l.in*l.out), ramp(l.out)
		packed, scratch := make([]float32, c.PackedLen(true)), make([]float32, c.ScratchLen())
		c.Pack(packed, weight, make([]float32, c.PackScratchLen()))
		flops := 2 * 9 * float64(l.h*l.w*l.in*l.out)
		name := fmt.Sprintf("conv %d→%d at %d²", l.in, l.out, l.h)
		add(name+" forward", flops, func() { c.Forward(dst, src, packed, bias, true, scratch) })
		gs, gw := make([]float32, len(src)), make([]float32, len(weight))
		if l.in > 1 {
			add(name+" input gradient", flops, func() { c.GradInput(gs, dst, packed, scratch) })
		}
		add(name+" weight gradient", flops, func() { c.GradWeight(gw, bias, src, dst, scratch) })
	}
	for _, n := range []int{256, 1024} {
		a, b, c := matrix(n), matrix(n), matrix(n)
		add(fmt.Sprintf("product of %d² matrices", n), 2*float64(n)*float64(n)*float64(n), func() {
			blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, a, b, 0, c)
		})
	}
	for _, n := range []int{64, 128, 256} {
		p, err := fft.NewPlan(n, n)
		if err != nil {
			return nil, err
		}
		re, im, work := ramp(n*n), ramp(n*n), make([]float32, p.WorkLen())
		log2 := map[int]float64{64: 6, 128: 7, 256: 8}[n]
		add(fmt.Sprintf("Fourier transform %d²", n), 5*float64(n*n)*2*log2, func() { p.Forward(re, im, work) })
	}
	return list, nil
}

// repeat calls f for about the given time and returns the median of its seconds; short calls are timed in blocks.
func repeat(d time.Duration, f func()) float64 {
	f()
	start := time.Now()
	f()
	block := max(1, int(20*time.Microsecond/(time.Since(start)+1)))
	var laps []float64
	for begin := time.Now(); len(laps) < 5 || time.Since(begin) < d; {
		start := time.Now()
		for range block {
			f()
		}
		laps = append(laps, time.Since(start).Seconds()/float64(block))
	}
	return median(laps)
}

// ramp returns n numbers between -1 and 1.
func ramp(n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(i*7919%2001-1000) / 1000
	}
	return s
}

func matrix(n int) blas32.General {
	return blas32.General{Rows: n, Cols: n, Stride: n, Data: ramp(n * n)}
}
