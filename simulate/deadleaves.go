package simulate

import (
	"math"
	"math/rand/v2"
	"slices"

	"ptycho/internal/rng"
)

// deadLeaves covers the plane with discs, triangles, rectangles and quadrilaterals of random material, a
// later leaf hiding the earlier ones. Radii follow r⁻³ between 3 % and 20 % of the side; absorption goes
// with U^1.5 and the phase with the absorption times N(1, 0.1) (PtychoPINN, ptycho_torch/datagen/objects.py).
func deadLeaves(n int, seed uint64) (amplitude, phase plane) {
	const leaves = 500
	r := rng.New(seed, "object deadleaves", 0)
	absorption, shift := newPlane(n), newPlane(n)
	for range leaves {
		l := newLeaf(r, float64(n))
		a := math.Pow(r.Float64(), 1.5)
		s := min(a*(1+0.1*r.NormFloat64()), 1)
		l.cover(n, func(i int) { absorption.pix[i], shift.pix[i] = a, s })
	}
	amplitude = absorption.blur(pixelBlur).scale(maxAmplitude, minAmplitude-maxAmplitude)
	phase = shift.blur(pixelBlur).scale(maxPhase, -2*maxPhase)
	return amplitude, phase
}

// leaf is a disc around (x, y), or the polygon inscribed in it whose corners are given, counterclockwise.
type leaf struct {
	x, y, radius float64
	corners      [][2]float64
}

func newLeaf(r *rand.Rand, side float64) leaf {
	l := leaf{x: side * r.Float64(), y: side * r.Float64(), radius: side * inverseCube(r.Float64(), 0.03, 0.2)}
	turn := 2 * math.Pi * r.Float64()
	var angles []float64
	switch r.IntN(4) {
	case 0: // disc
	case 1: // rectangle
		a := math.Pi * (0.15 + 0.2*r.Float64())
		angles = []float64{-a, a, math.Pi - a, math.Pi + a}
	case 2: // triangle
		angles = spread(r, 3)
	case 3: // quadrilateral
		angles = spread(r, 4)
	}
	for _, a := range angles {
		s, c := math.Sincos(a + turn)
		l.corners = append(l.corners, [2]float64{l.x + l.radius*c, l.y + l.radius*s})
	}
	return l
}

// spread returns n ascending angles, each within a third of a step of an even division of the circle.
func spread(r *rand.Rand, n int) []float64 {
	a := make([]float64, n)
	for i := range a {
		a[i] = 2 * math.Pi / float64(n) * (float64(i) + (2*r.Float64()-1)/3)
	}
	slices.Sort(a)
	return a
}

// inverseCube maps u in [0, 1) to a value between lo and hi of density r⁻³.
func inverseCube(u, lo, hi float64) float64 {
	return 1 / math.Sqrt((1-u)/(lo*lo)+u/(hi*hi))
}

// cover calls f with the index of every pixel of an n×n plane under the leaf.
func (l leaf) cover(n int, f func(i int)) {
	r0, r1 := max(0, int(l.y-l.radius)), min(n-1, int(l.y+l.radius))
	c0, c1 := max(0, int(l.x-l.radius)), min(n-1, int(l.x+l.radius))
	for r := r0; r <= r1; r++ {
		for c := c0; c <= c1; c++ {
			if l.has(float64(c), float64(r)) {
				f(r*n + c)
			}
		}
	}
}

func (l leaf) has(x, y float64) bool {
	if math.Hypot(x-l.x, y-l.y) > l.radius {
		return false
	}
	for i, p := range l.corners {
		q := l.corners[(i+1)%len(l.corners)]
		if (q[0]-p[0])*(y-p[1])-(q[1]-p[1])*(x-p[0]) < 0 {
			return false
		}
	}
	return true
}
