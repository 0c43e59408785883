package recon

import (
	"context"
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/internal/rng"
	"ptycho/model"
	"ptycho/physics"
	"ptycho/simulate"
)

const side = 64

// scene is an object without any symmetry, and a scan of it that is wider than high.
type scene struct {
	object *data.Image
	dots   [3][2]float64 // row, column
	x, y   []float64
}

// newScene returns 90×140 pixels of smooth texture with three dots, different ones unless the brightness is
// zero, and 60 positions in multiples of 1/16 pixel.
func newScene(brightness float64) *scene {
	s := &scene{
		object: &data.Image{Rows: 90, Cols: 140, Pix: make([]complex64, 90*140)},
		dots:   [3][2]float64{{24.3, 31.6}, {61.7, 52.2}, {38.4, 109.8}},
	}
	r := rng.New(7, "scene", 0)
	type wave struct{ ky, kx, phase, amp, arg float64 }
	waves := make([]wave, 24)
	for i := range waves {
		k := cmplx.Rect(0.3+0.2*r.Float64(), 2*math.Pi*r.Float64())
		waves[i] = wave{real(k), imag(k), 2 * math.Pi * r.Float64(), 0.04 * r.Float64(), 0.15 * r.Float64()}
	}
	for i := range s.object.Pix {
		row, col := float64(i/s.object.Cols), float64(i%s.object.Cols)
		amp, arg := 0.6, 0.0
		for _, w := range waves {
			v := math.Sin(w.ky*row + w.kx*col + w.phase)
			amp, arg = amp+w.amp*v, arg+w.arg*v
		}
		for k, d := range s.dots {
			d2 := (row-d[0])*(row-d[0]) + (col-d[1])*(col-d[1])
			amp += brightness * (0.6 + 0.4*float64(k)) * math.Exp(-d2/(2*2*2))
		}
		s.object.Pix[i] = complex64(cmplx.Rect(amp, arg))
	}
	for range 60 {
		s.x = append(s.x, side/2+math.Floor(16*(140-side)*r.Float64())/16)
		s.y = append(s.y, side/2+math.Floor(16*(90-side)*r.Float64())/16)
	}
	return s
}

// patches returns the true object under every position.
func (s *scene) patches() (re, im [][]float32) {
	for i := range s.x {
		r, c := make([]float32, side*side), make([]float32, side*side)
		physics.GatherComplex(r, c, side, s.object.Pix, s.object.Rows, s.object.Cols, s.y[i]-side/2, s.x[i]-side/2)
		re, im = append(re, r), append(im, c)
	}
	return re, im
}

// stitch puts the true patches at the given positions.
func (s *scene) stitch(t testing.TB, x, y []float64, weights []float32) *Canvas {
	c, err := NewCanvas(x, y, side, weights)
	require.NoError(t, err)
	re, im := s.patches()
	for i := range x {
		c.Add(re[i], im[i], x[i], y[i])
	}
	return c
}

// flat returns the weights of a patch all of whose pixels count the same.
func flat() []float32 {
	w := make([]float32, side*side)
	for i := range w {
		w[i] = 1
	}
	return w
}

// correlation returns the Pearson correlation of the amplitudes of two images, the second of which has its
// element [0,0] at (row, col) of the first, over the pixels that count.
func correlation(truth, img *data.Image, coverage []float32, row, col int) float64 {
	var n, a, b, aa, bb, ab float64
	for i, v := range img.Pix {
		r, c := row+i/img.Cols, col+i%img.Cols
		if coverage[i] == 0 || r < 0 || c < 0 || r >= truth.Rows || c >= truth.Cols {
			continue
		}
		p, q := cmplx.Abs(complex128(truth.Pix[r*truth.Cols+c])), cmplx.Abs(complex128(v))
		n, a, b, aa, bb, ab = n+1, a+p, b+q, aa+p*p, bb+q*q, ab+p*q
	}
	return (ab - a*b/n) / math.Sqrt((aa-a*a/n)*(bb-b*b/n))
}

// centroid returns where in the frame of the scan a dot near (row, col) lies, given the same object once with
// and once without it.
func centroid(with, without *data.Image, origin [2]int64, row, col float64) (float64, float64) {
	const reach = 9
	r0, c0 := int(math.Round(row)), int(math.Round(col))
	var sum, sr, sc float64
	for r := r0 - reach; r <= r0+reach; r++ {
		for c := c0 - reach; c <= c0+reach; c++ {
			i := (r-int(origin[0]))*with.Cols + c - int(origin[1])
			v := cmplx.Abs(complex128(with.Pix[i] - without.Pix[i]))
			sum, sr, sc = sum+v, sr+v*float64(r), sc+v*float64(c)
		}
	}
	return sr / sum, sc / sum
}

// scan simulates a small scan.
func scan(t testing.TB, frames int) *data.Dataset {
	ds, err := simulate.Run(context.Background(), simulate.Options{N: side, Frames: frames, Step: 5, NPhotons: 1e5, Noise: true, Seed: 3})
	require.NoError(t, err)
	return ds
}

// network returns a network with random weights for ds.
func network(t testing.TB, ds *data.Dataset, change func(*model.Config)) *model.Network {
	probe, err := physics.NewProbe(ds.Probe, ds.N, ds.Modes, 0, false)
	require.NoError(t, err)
	cfg := model.Config{
		N: ds.N, Gridsize: 1, Filters: 1, ModelType: "pinn", AmpActivation: "sigmoid", ProbeBig: true, PadObject: true,
		ProbeModes: ds.Modes, ProbeScale: probe.Scale, ProbeDivisor: probe.Divisor,
		IntensityScale: model.IntensityScale(ds.Dose, ds.N), MeanCount: ds.Dose / float64(ds.N*ds.N),
		Loss: model.LossConfig{NLL: 1}, Seed: 1,
	}
	if change != nil {
		change(&cfg)
	}
	net, err := model.New(cfg, probe.Planes)
	require.NoError(t, err)
	return net
}

// brighter returns ds with k times the photons.
func brighter(ds *data.Dataset, k float32) *data.Dataset {
	b := *ds
	b.Frames = make(data.Intensity, len(ds.Frames))
	for i, v := range ds.Frames {
		b.Frames[i] = k * v
	}
	b.Dose = float64(k) * ds.Dose
	return &b
}
