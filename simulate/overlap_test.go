package simulate

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
)

func TestDiameter(t *testing.T) {
	const n = 64
	disc, gauss := make([]complex64, n*n), make([]complex64, n*n)
	for i := range disc {
		x, y := offCentre(i, n)
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
	ds := &data.Dataset{N: n, Probe: make([]complex64, n*n), X: []float64{40, 46, 40, 46}, Y: []float64{40, 40, 46, 46}}
	require.Zero(t, Overlap(ds), "no light")
	for i := range ds.Probe {
		if x, y := offCentre(i, n); math.Hypot(x, y) < 12 {
			ds.Probe[i] = 1
		}
	}
	require.InDelta(t, 0.75, Overlap(ds), 0.01)
	ds.X, ds.Y = []float64{0, 100}, []float64{0, 0}
	require.Zero(t, Overlap(ds))
	ds.X, ds.Y = ds.X[:1], ds.Y[:1]
	require.Zero(t, Overlap(ds))
}
