package metrics

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSlid moves objects that reach beyond the field of view: nothing but what came in at a border is wrong.
func TestSlid(t *testing.T) {
	for i, tc := range []struct {
		rows, cols int
		dy, dx     float64
	}{{64, 50, 0.48, -0.77}, {45, 61, -2.5, 3.3}, {40, 40, 1, 0}} {
		w := newWaves(60, 0.15, rand.New(rand.NewPCG(29, uint64(i))))
		object := func(dy, dx float64) Image { return phaseObject(w.at(tc.rows, tc.cols, dy, dx), 0.5) }
		inner := func(m Image) Image { return m.Crop(6, m.Rows-6, 6, m.Cols-6) }
		requireImage(t, inner(object(tc.dy, tc.dx)), inner(object(0, 0).slid(tc.dy, tc.dx)), 5e-3)
	}
	m := constant(3, 3, 1)
	still := m.slid(0, 0)
	still.Pix[0] = 5
	require.Equal(t, complex(1, 0), m.Pix[0])
}

func TestMirrored(t *testing.T) {
	m := NewImage(2, 3, []complex128{0, 1, 2, 3, 4, 5})
	require.Equal(t, NewImage(6, 7, []complex128{
		4, 3, 3, 4, 5, 5, 4,
		1, 0, 0, 1, 2, 2, 1,
		1, 0, 0, 1, 2, 2, 1,
		4, 3, 3, 4, 5, 5, 4,
		4, 3, 3, 4, 5, 5, 4,
		1, 0, 0, 1, 2, 2, 1,
	}), m.mirrored(2))
}
