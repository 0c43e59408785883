package simulate

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"

	"ptycho/internal/rng"
)

func TestBlur(t *testing.T) {
	const n, sigma = 41, 2.5
	p := newPlane(n)
	p.pix[20*n+20] = 1
	p = p.blur(sigma)
	require.InDelta(t, 1, floats.Sum(p.pix), 1e-12)
	var xx, yy float64
	for i, v := range p.pix {
		x, y := offCentre(i, n)
		xx += v * x * x
		yy += v * y * y
	}
	require.InDelta(t, sigma*sigma, xx, 0.02)
	require.InDelta(t, sigma*sigma, yy, 0.02)

	flat := newPlane(5).scale(3, 1).blur(4) // wider than the plane
	for _, v := range flat.pix {
		require.InDelta(t, 3, v, 1e-12)
	}
}

func TestReflect(t *testing.T) {
	var got []int
	for i := -5; i < 8; i++ {
		got = append(got, reflect(i, 3))
	}
	require.Equal(t, []int{1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1}, got)
}

func TestCrop(t *testing.T) {
	p := newPlane(6)
	for i := range p.pix {
		p.pix[i] = float64(i)
	}
	require.Equal(t, []float64{14, 15, 20, 21}, p.crop(2).pix)
}

func TestDouble(t *testing.T) {
	p := newPlane(4)
	for i := range p.pix {
		p.pix[i] = float64(10*(i/4) + i%4)
	}
	q := p.double(5)
	for i, v := range q.pix {
		require.InDelta(t, 5*float64(i/5)+0.5*float64(i%5), v, 1e-12)
	}
}

func TestSquash(t *testing.T) {
	p := noise(rng.New(1, "test", 0), 64).scale(7, 3).squash()
	require.InDelta(t, 0.5, floats.Sum(p.pix)/64/64, 0.02)
	require.Greater(t, floats.Min(p.pix), 0.0)
	require.Less(t, floats.Max(p.pix), 1.0)
	require.Less(t, math.Abs(floats.Max(p.pix)-1), 0.02)
}
