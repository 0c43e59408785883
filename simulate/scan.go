package simulate

import (
	"fmt"
	"math"

	"ptycho/internal/rng"
)

// The scans. All synthetic ones have one frame per Step² of the scanned area.
const (
	File   = "file"   // object or positions of the setup
	Raster = "raster" // rows of equidistant positions on a square
	Spiral = "spiral" // Fermat's spiral
	Random = "random" // independent uniform positions on a square
)

// Scans returns the names of the synthetic scans.
func Scans() []string { return []string{Raster, Spiral, Random} }

// goldenAngle is the turn between successive points of Fermat's spiral.
const goldenAngle = math.Pi * (3 - sqrt5)

// rasterJitter is the jitter of a raster by default: a perfect grid leaves a periodic error in the object
// undetermined ("raster pathology", Thibault et al., Ultramicroscopy 109, 338 (2009)).
const rasterJitter = 0.25

const sqrt5 = 2.23606797749978969640917366873127623544

// unitScan returns n positions of one frame per unit area. Every coordinate is moved by up to ±jitter.
func unitScan(kind string, n int, jitter float64, seed uint64) (x, y []float64) {
	r := rng.New(seed, "scan", 0)
	side := math.Sqrt(float64(n))
	cols := int(math.Ceil(side))
	x, y = make([]float64, n), make([]float64, n)
	for j := range n {
		switch kind {
		case Raster:
			x[j], y[j] = float64(j%cols), float64(j/cols)
		case Spiral:
			rho := math.Sqrt((float64(j) + 0.5) / math.Pi)
			s, c := math.Sincos(float64(j) * goldenAngle)
			x[j], y[j] = rho*c, rho*s
		case Random:
			x[j], y[j] = side*r.Float64(), side*r.Float64()
		default:
			panic("simulate: unknown scan " + kind)
		}
	}
	for j := range n {
		x[j] += jitter * (2*r.Float64() - 1)
		y[j] += jitter * (2*r.Float64() - 1)
	}
	return x, y
}

// window is the range of positions whose n×n frame lies wholly on an object of rows×cols pixels.
type window struct{ lo, hiX, hiY float64 }

func newWindow(rows, cols, n int) window {
	return window{float64(n / 2), float64(cols - n + n/2), float64(rows - n + n/2)}
}

// check returns an error that names the positions outside w.
func (w window) check(x, y []float64) error {
	bad, first := 0, 0
	for j := range x {
		if !(x[j] >= w.lo && x[j] <= w.hiX && y[j] >= w.lo && y[j] <= w.hiY) {
			if bad == 0 {
				first = j
			}
			bad++
		}
	}
	if bad == 0 {
		return nil
	}
	return fmt.Errorf("simulate: %d of %d frames leave the object, the first is frame %d at (x %.2f, y %.2f), "+
		"but x must lie in [%g, %g] and y in [%g, %g]; use a larger object, fewer frames or a smaller step",
		bad, len(x), first, x[first], y[first], w.lo, w.hiX, w.lo, w.hiY)
}

// bounds returns the least and the greatest element of v.
func bounds(v []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, t := range v {
		lo, hi = min(lo, t), max(hi, t)
	}
	return lo, hi
}
