package data

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDiameter(t *testing.T) {
	const n = 64
	disc, gauss := make([]complex64, n*n), make([]complex64, n*n)
	for i := range disc {
		x, y := float64(i%n-n/2), float64(i/n-n/2)
		x, y = x-5, y+3 // the probe need not be centred
		if math.Hypot(x, y) < 12 {
			disc[i] = 2i
		}
		gauss[i] = complex64(complex(math.Exp(-(x*x+y*y)/(4*25)), 0)) // intensity of σ = 5
	}
	require.InEpsilon(t, 24, Diameter(disc, n), 0.02)
	require.InEpsilon(t, 20, Diameter(gauss, n), 0.01)
	require.InEpsilon(t, 24, Diameter(append(disc, disc...), n), 0.02)
	require.Zero(t, Diameter(make([]complex64, n*n), n))
}

func TestOverlap(t *testing.T) {
	const n = 64
	ds := &Dataset{N: n, Probe: make([]complex64, n*n), X: []float64{40, 46, 40, 46}, Y: []float64{40, 40, 46, 46}}
	require.Zero(t, ds.Overlap(), "no light")
	for i := range ds.Probe {
		if x, y := float64(i%n-n/2), float64(i/n-n/2); math.Hypot(x, y) < 12 {
			ds.Probe[i] = 1
		}
	}
	require.InDelta(t, 0.75, ds.Overlap(), 0.01)
	ds.X, ds.Y = []float64{0, 100}, []float64{0, 0}
	require.Zero(t, ds.Overlap())
	ds.X, ds.Y = ds.X[:1], ds.Y[:1]
	require.Zero(t, ds.Overlap())
}

func TestMedianStep(t *testing.T) {
	x, y := scanPositions("raster", 100)
	require.Equal(t, 4.0, MedianStep(x, y))
	x, y = scanPositions("pairs", 100)
	require.Zero(t, MedianStep(x, y))
	require.Zero(t, MedianStep([]float64{1}, []float64{1}))
}
