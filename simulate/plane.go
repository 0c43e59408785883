package simulate

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// plane is a real square image of side n, row-major.
type plane struct {
	n   int
	pix []float64
}

func newPlane(n int) plane { return plane{n, make([]float64, n*n)} }

// noise returns a plane of independent standard normal numbers.
func noise(r *rand.Rand, n int) plane {
	p := newPlane(n)
	for i := range p.pix {
		p.pix[i] = r.NormFloat64()
	}
	return p
}

// crop returns the central window of side n.
func (p plane) crop(n int) plane {
	q, m := newPlane(n), (p.n-n)/2
	for r := range n {
		copy(q.pix[r*n:(r+1)*n], p.pix[(r+m)*p.n+m:])
	}
	return q
}

// scale maps values v to a + b·v in place.
func (p plane) scale(a, b float64) plane {
	floats.Scale(b, p.pix)
	floats.AddConst(a, p.pix)
	return p
}

// squash maps values to (0, 1) in place, the mean to 1/2, such that the bulk fills the interval and
// outliers saturate.
func (p plane) squash() plane {
	mean, std := stat.MeanStdDev(p.pix, nil)
	for i, v := range p.pix {
		p.pix[i] = (1 + math.Tanh((v-mean)/(1.5*std))) / 2
	}
	return p
}

// blur returns p convolved with a Gaussian of standard deviation sigma pixels, cut at 4 sigma, the plane
// continued by reflection at its borders.
func (p plane) blur(sigma float64) plane {
	half := int(4*sigma + 0.5)
	k := make([]float64, 2*half+1)
	for i := range k {
		k[i] = math.Exp(-0.5 * math.Pow(float64(i-half)/sigma, 2))
	}
	floats.Scale(1/floats.Sum(k), k)
	return p.convolveRows(k).transpose().convolveRows(k).transpose()
}

func (p plane) convolveRows(k []float64) plane {
	q, half := newPlane(p.n), len(k)/2
	line := make([]float64, p.n+2*half)
	for r := range p.n {
		row := p.pix[r*p.n : (r+1)*p.n]
		for i := range line {
			line[i] = row[reflect(i-half, p.n)]
		}
		for c := range row {
			q.pix[r*p.n+c] = floats.Dot(k, line[c:c+len(k)])
		}
	}
	return q
}

func (p plane) transpose() plane {
	q := newPlane(p.n)
	for r := range p.n {
		for c := range p.n {
			q.pix[c*p.n+r] = p.pix[r*p.n+c]
		}
	}
	return q
}

// reflect folds index i into [0, n) by reflection at the outer edges of the border samples.
func reflect(i, n int) int {
	i %= 2 * n
	if i < 0 {
		i += 2 * n
	}
	return min(i, 2*n-1-i)
}

// add adds b times q to p in place.
func (p plane) add(b float64, q plane) plane {
	floats.AddScaled(p.pix, b, q.pix)
	return p
}

func (p plane) clone() plane { return plane{p.n, slices.Clone(p.pix)} }
