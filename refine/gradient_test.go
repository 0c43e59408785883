package refine

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/fft"
	"ptycho/internal/testutil"
	"ptycho/simulate"
)

// reference is the loss of a scan in float64, written anew: an object on a canvas, interpolated bilinearly, a probe of
// several modes, a gain and a position a frame, and a background.
type reference struct {
	n, cols    int
	loss       string
	epsilon    float64
	object     []complex128
	probe      [][]complex128
	background []float64
	gain       []float64
	y, x       []float64
	frames     [][]float32
	far        *fft.Double
}

// newReference copies the state of an engine.
func newReference(e *Engine, s *stack) *reference {
	r := &reference{n: e.n, cols: e.cols, loss: e.opt.Loss, epsilon: e.epsilon, frames: s.frames, far: fft.NewDouble(e.n, e.n)}
	for i, v := range e.object[0] {
		r.object = append(r.object, complex(float64(v), float64(e.object[1][i])))
	}
	pix, p := e.n*e.n, e.params.View(e.probe)
	for m := range e.modes {
		mode := make([]complex128, pix)
		for i := range mode {
			mode[i] = complex(float64(p[2*m*pix+i]), float64(p[(2*m+1)*pix+i]))
		}
		r.probe = append(r.probe, mode)
	}
	for _, v := range e.params.View(e.background) {
		r.background = append(r.background, float64(v))
	}
	r.gain, r.y, r.x = append(r.gain, e.gain...), append(r.y, e.y...), append(r.x, e.x...)
	return r
}

// frame returns the loss of frame j.
func (r *reference) frame(j int) float64 {
	pix := r.n * r.n
	lambda := make([]float64, pix)
	iy, ix := int(math.Floor(r.y[j])), int(math.Floor(r.x[j]))
	fy, fx := complex(r.y[j]-float64(iy), 0), complex(r.x[j]-float64(ix), 0)
	for _, p := range r.probe {
		wave := make([]complex128, pix)
		for i := range wave {
			o := r.object[(iy+i/r.n)*r.cols+ix+i%r.n:]
			wave[i] = p[i] * ((1-fy)*((1-fx)*o[0]+fx*o[1]) + fy*((1-fx)*o[r.cols]+fx*o[r.cols+1]))
		}
		r.far.Forward(wave)
		for i, w := range wave {
			lambda[i] += r.gain[j] * (real(w)*real(w) + imag(w)*imag(w))
		}
	}
	sum := 0.0
	for i, k := range r.frames[j] {
		l, k := lambda[i]+r.background[i]+r.epsilon, float64(k)
		switch {
		case k < 0:
		case r.loss == Amplitude:
			sum += math.Pow(math.Sqrt(l)-math.Sqrt(k), 2)
		case k == 0:
			sum += l
		default:
			sum += l - k - k*math.Log(l/k)
		}
	}
	return sum
}

// total returns the loss of all frames.
func (r *reference) total() float64 {
	sum := 0.0
	for j := range r.frames {
		sum += r.frame(j)
	}
	return sum
}

// difference returns the derivative of loss when set moves an unknown by −h and by h.
func difference(loss func() float64, h float64, set func(by float64)) float64 {
	set(h)
	up := loss()
	set(-h)
	down := loss()
	set(0)
	return (up - down) / (2 * h)
}

// crowded prepares a refinement of everything, in a state far from any minimum, and masks pixels of its frames.
func crowded(t *testing.T, loss string, photons float64) (*Engine, *scan) {
	s := simulated(t, simulate.Options{N: 32, Frames: 7, Step: 3, NPhotons: photons, Noise: true, Seed: 3, Probe: simulate.ProbeOptions{Modes: 2}})
	r := rand.New(rand.NewPCG(1, 2))
	for j, f := range s.frames {
		for range 30 {
			f[r.IntN(len(f))] = -1
		}
		s.X[j] += 0.3 * r.NormFloat64()
		s.Y[j] += 0.3 * r.NormFloat64()
	}
	opt := Defaults()
	opt.Loss, opt.FitProbe, opt.FitPositions, opt.FitGain, opt.FitBackground = loss, true, true, true, true
	e := s.engine(t, s.truth(), opt)
	for k := range e.object {
		for i := range e.object[k] {
			e.object[k][i] += 0.3 * float32(r.NormFloat64())
		}
	}
	for j := range e.gain {
		e.gain[j] = 0.8 + 0.4*r.Float64()
	}
	level := e.dose / float64(e.n*e.n)
	for i := range e.params.View(e.background) {
		e.params.View(e.background)[i] = float32(level * (0.1 + 0.2*r.Float64()))
	}
	return e, s
}

func TestGradients(t *testing.T) {
	for _, c := range []struct {
		loss    string
		photons float64
	}{{Amplitude, 1e5}, {Poisson, 3e3}} {
		t.Run(c.loss, func(t *testing.T) {
			e, s := crowded(t, c.loss, c.photons)
			ref := newReference(e, &s.stack)
			e.lightUp()
			tally, err := e.gradient(e.batches.curve, func([]slot) {})
			require.NoError(t, err)
			require.InEpsilon(t, ref.total(), tally.loss, 1e-5)

			t.Run("object", func(t *testing.T) { objectGradient(t, e, ref) })
			t.Run("probe", func(t *testing.T) { probeGradient(t, e, ref) })
			t.Run("background", func(t *testing.T) { backgroundGradient(t, e, ref) })
			t.Run("frames", func(t *testing.T) { frameGradients(t, e, ref) })
		})
	}
}

// A selection of pixels is enough: everything is the same for all.
const picked = 12

func objectGradient(t *testing.T, e *Engine, ref *reference) {
	var got, want []float64
	r := rand.New(rand.NewPCG(3, 4))
	for range picked {
		at := (e.rows/2+r.IntN(20)-10)*e.cols + e.cols/2 + r.IntN(20) - 10
		s := e.strips[at/(stripRows*e.cols)]
		old := ref.object[at]
		for k, unit := range []complex128{1, 1i} {
			got = append(got, float64(s.grad[k][at-s.r0*e.cols]))
			want = append(want, e.unit()*difference(ref.total, 1e-4, func(by float64) { ref.object[at] = old + complex(by, 0)*unit }))
		}
	}
	testutil.CloseNorm(t, got, want, 1e-4)
}

func probeGradient(t *testing.T, e *Engine, ref *reference) {
	var got, want []float64
	r := rand.New(rand.NewPCG(5, 6))
	pix := e.n * e.n
	for m, mode := range ref.probe {
		for range picked {
			at := (e.n/2+r.IntN(12)-6)*e.n + e.n/2 + r.IntN(12) - 6
			old := mode[at]
			for k, unit := range []complex128{1, 1i} {
				got = append(got, float64(e.grad[(2*m+k)*pix+at]))
				want = append(want, e.unit()*difference(ref.total, 1e-4*math.Sqrt(e.dose)/float64(e.n), func(by float64) { mode[at] = old + complex(by, 0)*unit }))
			}
		}
	}
	testutil.CloseNorm(t, got, want, 1e-4)
}

func backgroundGradient(t *testing.T, e *Engine, ref *reference) {
	var got, want []float64
	r := rand.New(rand.NewPCG(7, 8))
	for range picked {
		at := r.IntN(e.n * e.n)
		old := ref.background[at]
		got = append(got, float64(e.grad[e.probe.Shape.Size()+at]))
		want = append(want, e.unit()*difference(ref.total, 1e-3*old, func(by float64) { ref.background[at] = old + by }))
	}
	testutil.CloseNorm(t, got, want, 1e-4)
}

// frameGradients compares what frames are moved by: the gradient in the normal equations of a position, and the step of a
// gain, which Newton's method takes for a frame without background.
func frameGradients(t *testing.T, e *Engine, ref *reference) {
	var got, want, gain, wantGain []float64
	v, s := e.pool.Workers()[0], &e.slots[0]
	for j := range ref.frames {
		loss := func() float64 { return ref.frame(j) }
		require.NoError(t, e.frames.Read(v.tape.Data(v.counts), j))
		s.frame = j
		_, m := e.lookAt(v, s, e.y[j], e.x[j])
		got = append(got, m.gy, m.gx)
		want = append(want,
			e.unit()*difference(loss, 1e-5, func(by float64) { ref.y[j] = e.y[j] + by }),
			e.unit()*difference(loss, 1e-5, func(by float64) { ref.x[j] = e.x[j] + by }))

		intensity := 0.0
		for _, i := range v.tape.Data(v.coherent) {
			intensity += float64(i)
		}
		slope := difference(loss, 1e-4, func(by float64) { ref.gain[j] = e.gain[j] + by })
		if e.opt.Loss == Amplitude {
			slope *= 2
		}
		gain = append(gain, e.brightness(v)-1)
		wantGain = append(wantGain, min(max(-slope/intensity, -0.5), 1))
	}
	testutil.CloseNorm(t, got, want, 1e-4, "positions")
	testutil.CloseNorm(t, gain, wantGain, 1e-3, "gains")
}
