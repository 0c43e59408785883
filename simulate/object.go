package simulate

import (
	"fmt"
	"math"
	"math/cmplx"
	"strings"

	"ptycho/data"
	"ptycho/internal/rng"
)

// The synthetic objects. Their amplitude lies in [0.6, 1.05], their phase in [-π/2, π/2].
const (
	Lines      = "lines"      // crossing wires of one material, sharp and blurred: amplitude follows phase
	GRF        = "grf"        // Gaussian random fields, one for the amplitude and one for the phase
	DeadLeaves = "deadleaves" // opaque discs and polygons of random material over each other
	Siemens    = "siemens"    // a Siemens star, nearly a pure phase object of step -1 rad
)

const (
	minAmplitude, maxAmplitude = 0.6, 1.05
	maxPhase                   = math.Pi / 2
	pixelBlur                  = 0.7 // σ in pixels that makes hard edges representable
	minObject                  = 32  // smallest side of a synthetic object
)

// generate returns amplitude and phase of a square object of side n.
func generate(kind string, n int, seed uint64) (amplitude, phase plane, err error) {
	switch kind {
	case Lines:
		amplitude, phase = lines(n, seed)
	case GRF:
		amplitude, phase = grf(n, seed)
	case DeadLeaves:
		amplitude, phase = deadLeaves(n, seed)
	case Siemens:
		amplitude, phase = siemens(n, seed)
	default:
		err = fmt.Errorf("simulate: unknown object %q; pass one of %s", kind, strings.Join(Objects(), ", "))
	}
	return amplitude, phase, err
}

// Objects returns the names of the synthetic objects.
func Objects() []string { return []string{Lines, GRF, DeadLeaves, Siemens} }

// Object returns a synthetic object of rows × cols pixels, each at least 32.
func Object(kind string, rows, cols int, seed uint64) (*data.Image, error) {
	if rows < minObject || cols < minObject {
		return nil, fmt.Errorf("simulate: object of %d × %d pixels, want at least %d × %d", rows, cols, minObject, minObject)
	}
	amplitude, phase, err := generate(kind, max(rows, cols), seed)
	if err != nil {
		return nil, err
	}
	return combine(rows, cols, amplitude, phase), nil
}

func combine(rows, cols int, amplitude, phase plane) *data.Image {
	o := &data.Image{Rows: rows, Cols: cols, Pix: make([]complex64, rows*cols)}
	for r := range rows {
		for c := range cols {
			i := r*amplitude.n + c
			o.Pix[r*cols+c] = complex64(cmplx.Rect(amplitude.pix[i], phase.pix[i]))
		}
	}
	return o
}

// lines draws straight one-pixel lines between random points of a canvas twice as large as the object and
// adds their images blurred by 1, 5 and 10 pixels with weights 1, 2 and 5 (PtychoPINN, ptycho/diffsim.py:
// 400 lines for a side of 392, here in proportion to the side).
func lines(n int, seed uint64) (amplitude, phase plane) {
	const margin = 40 // reach of the widest blur
	r := rng.New(seed, "object lines", 0)
	wires := newPlane(n + 2*margin)
	shift := n/2 - margin
	for range max(20, 400*n/392) {
		wires.line(r.IntN(2*n)-shift, r.IntN(2*n)-shift, r.IntN(2*n)-shift, r.IntN(2*n)-shift)
	}
	t := wires.blur(1).add(2, wires.blur(5)).add(5, wires.blur(10)).crop(n).squash()
	return t.clone().scale(maxAmplitude, minAmplitude-maxAmplitude), t.scale(-maxPhase, 2*maxPhase)
}

// line sets the pixels of p on the straight line between two points to 1.
func (p plane) line(x0, y0, x1, y1 int) {
	steps := max(x1-x0, x0-x1, y1-y0, y0-y1, 1)
	for i := range steps + 1 {
		t := float64(i) / float64(steps)
		x := int(math.Round(float64(x0) + t*float64(x1-x0)))
		y := int(math.Round(float64(y0) + t*float64(y1-y0)))
		if x >= 0 && x < p.n && y >= 0 && y < p.n {
			p.pix[y*p.n+x] = 1
		}
	}
}

// siemens draws spokes on a clear ground, cut by narrow rings at radii that double, around a point near
// the centre.
func siemens(n int, seed uint64) (amplitude, phase plane) {
	const (
		spokes = 36
		inner  = 1.5 * spokes / math.Pi // radius at which a spoke is 1.5 pixels wide
		gap    = 3                      // width of a ring
	)
	r := rng.New(seed, "object siemens", 0)
	turn := 2 * math.Pi * r.Float64()
	cx := float64(n) * (0.5 + 0.1*(r.Float64()-0.5))
	cy := float64(n) * (0.5 + 0.1*(r.Float64()-0.5))
	star := newPlane(n)
	for i := range star.pix {
		dx, dy := float64(i%n)-cx, float64(i/n)-cy
		rho := math.Hypot(dx, dy)
		ring := inner * math.Exp2(math.Floor(math.Log2(rho/inner)))
		if rho >= inner && rho-ring >= gap && math.Sin(spokes*math.Atan2(dy, dx)+turn) > 0 {
			star.pix[i] = 1
		}
	}
	star = star.blur(pixelBlur)
	return star.clone().scale(1, -0.15), star.scale(0, -1)
}
