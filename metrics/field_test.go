package metrics

import (
	"encoding/json"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/fft"
)

type frcGolden struct {
	Rows, Cols           int
	Fixed, Moving, Other struct{ Re, Im []float64 }
	Register             []struct {
		Precision float64
		Shift     [2]float64
	}
	FRC []struct {
		Taper    int
		Corr, N  []float64
		Crossing map[string]*float64
	}
	Fit struct {
		K, Lam                            []float32
		Epsilon, Counts, Error, R, Excess float64
		Pixels                            int
	}
}

func loadFRC(t *testing.T) (g frcGolden, fixed, moving, other Image) {
	t.Helper()
	b, err := os.ReadFile("../testdata/metrics/frc.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &g))
	image := func(re, im []float64) Image {
		pix := make([]complex128, len(re))
		for i := range pix {
			pix[i] = complex(re[i], im[i])
		}
		return NewImage(g.Rows, g.Cols, pix)
	}
	return g, image(g.Fixed.Re, g.Fixed.Im), image(g.Moving.Re, g.Moving.Im), image(g.Other.Re, g.Other.Im)
}

// waves is a random field that is known between the pixels: plane waves of random frequencies.
type waves struct {
	amp    []complex128
	fy, fx []float64
}

func newWaves(n int, cutoff float64, rng *rand.Rand) waves {
	var w waves
	for range n {
		f, a := cutoff*math.Sqrt(rng.Float64()), 2*math.Pi*rng.Float64()
		w.amp = append(w.amp, normal(rng)/complex(math.Sqrt(float64(n)), 0))
		w.fy, w.fx = append(w.fy, f*math.Sin(a)), append(w.fx, f*math.Cos(a))
	}
	return w
}

// onGrid rounds the frequencies so that the field is periodic.
func (w waves) onGrid(rows, cols int) waves {
	for i := range w.amp {
		w.fy[i] = math.Round(w.fy[i]*float64(rows)) / float64(rows)
		w.fx[i] = math.Round(w.fx[i]*float64(cols)) / float64(cols)
	}
	return w
}

// at returns the field moved by dy pixels down and dx to the right.
func (w waves) at(rows, cols int, dy, dx float64) Image {
	m := constant(rows, cols, 0)
	for i := range m.Pix {
		y, x := float64(i/cols)-dy, float64(i%cols)-dx
		for k, a := range w.amp {
			m.Pix[i] += a * cmplx.Rect(1, 2*math.Pi*(w.fy[k]*y+w.fx[k]*x))
		}
	}
	return m
}

// phaseObject returns an object that shifts the phase of light by strength times the real part of m.
func phaseObject(m Image, strength float64) Image {
	out := m.scaled(1)
	for i, v := range m.Pix {
		out.Pix[i] = cmplx.Rect(1, strength*real(v))
	}
	return out
}

// noisy returns m with white complex noise of the given standard deviation.
func noisy(m Image, sigma float64, rng *rand.Rand) Image {
	out := m.scaled(1)
	for i := range out.Pix {
		out.Pix[i] += complex(sigma, 0) * normal(rng)
	}
	return out
}

// coloured returns a random image whose Fourier coefficients have the variance power(ring).
func coloured(rows, cols int, power func(ring int) float64, rng *rand.Rand) Image {
	m := constant(rows, cols, 0)
	for i := range m.Pix {
		m.Pix[i] = normal(rng) * complex(math.Sqrt(power(ringOf(i, rows, cols))), 0)
	}
	fft.NewDouble(rows, cols).Inverse(m.Pix)
	return m
}

// normal returns a complex number of variance one.
func normal(rng *rand.Rand) complex128 {
	return complex(rng.NormFloat64(), rng.NormFloat64()) / math.Sqrt2
}

func requireImage(t *testing.T, want, got Image, tol float64) {
	t.Helper()
	require.Equal(t, [2]int{want.Rows, want.Cols}, [2]int{got.Rows, got.Cols})
	for i, v := range got.Pix {
		require.InDelta(t, 0, cmplx.Abs(v-want.Pix[i]), tol, "pixel %d", i)
	}
}
