package recon

import (
	"fmt"
	"math"

	"ptycho/data"
	"ptycho/metrics"
)

// Box is a rectangle of object pixels in the frame of the scan: rows R0 … R1-1 and columns C0 … C1-1.
type Box struct {
	R0 int `json:"row0"`
	R1 int `json:"row1"`
	C0 int `json:"col0"`
	C1 int `json:"col1"`
}

// Centre returns the central part of the box whose sides have no prime factors above 5, for fast Fourier transforms, and
// at most limit pixels.
func (b Box) Centre(limit int) Box {
	shrink := func(from, to int) (int, int) {
		side := min(to-from, limit)
		for side > 0 && !smooth(side) {
			side--
		}
		from += (to - from - side) / 2
		return from, from + side
	}
	b.R0, b.R1 = shrink(b.R0, b.R1)
	b.C0, b.C1 = shrink(b.C0, b.C1)
	return b
}

// smooth tells whether n has no prime factors above 5.
func smooth(n int) bool {
	for _, p := range []int{2, 3, 5} {
		for n%p == 0 {
			n /= p
		}
	}
	return n == 1
}

// ScanBox returns the rectangle that the probe positions span, less edges that were not measured all along
// (a round scan does not fill its rectangle), and the object in it. There frames overlap from all sides.
func (r *Reconstruction) ScanBox() (Box, metrics.Image) {
	b := Box{R0: math.MaxInt, R1: math.MinInt, C0: math.MaxInt, C1: math.MinInt}
	for i, x := range r.X {
		b.R0, b.R1 = min(b.R0, int(math.Ceil(r.Y[i]))), max(b.R1, int(math.Floor(r.Y[i]))+1)
		b.C0, b.C1 = min(b.C0, int(math.Ceil(x))), max(b.C1, int(math.Floor(x))+1)
	}
	b.R1, b.C1 = max(b.R1, b.R0+1), max(b.C1, b.C0+1)
	if m := r.measured(b); m.R1-m.R0 >= metrics.MinSide && m.C1-m.C0 >= metrics.MinSide {
		b = m
	}
	return b, r.Crop(b)
}

// measured takes the edge with the largest part that was not measured off the box, until there is none.
func (r *Reconstruction) measured(b Box) Box {
	mask := r.Measured()
	missing := func(r0, r1, c0, c1 int) float64 {
		n := 0
		r0, r1, c0, c1 = r.inside(Box{r0, r1, c0, c1})
		for y := r0; y < r1; y++ {
			for x := c0; x < c1; x++ {
				if !mask[y*r.Object.Cols+x] {
					n++
				}
			}
		}
		return float64(n) / float64(max(1, (r1-r0)*(c1-c0)))
	}
	for b.R1-b.R0 > 1 && b.C1-b.C0 > 1 {
		edges := [4]float64{
			missing(b.R0, b.R0+1, b.C0, b.C1), missing(b.R1-1, b.R1, b.C0, b.C1),
			missing(b.R0, b.R1, b.C0, b.C0+1), missing(b.R0, b.R1, b.C1-1, b.C1),
		}
		worst := 0
		for i, v := range edges {
			if v > edges[worst] {
				worst = i
			}
		}
		if edges[worst] == 0 {
			break
		}
		switch worst {
		case 0:
			b.R0++
		case 1:
			b.R1--
		case 2:
			b.C0++
		case 3:
			b.C1--
		}
	}
	return b
}

func (r *Reconstruction) image() metrics.Image {
	return metrics.FromComplex64(r.Object.Rows, r.Object.Cols, r.Object.Pix)
}

// Crop returns the part of the object in a box, which is cut to it.
func (r *Reconstruction) Crop(b Box) metrics.Image { return r.image().Crop(r.inside(b)) }

// inside translates a box into rows and columns of the object array, cut to it.
func (r *Reconstruction) inside(b Box) (r0, r1, c0, c1 int) {
	row, col := int(r.Origin[0]), int(r.Origin[1])
	return max(b.R0-row, 0), min(b.R1-row, r.Object.Rows), max(b.C0-col, 0), min(b.C1-col, r.Object.Cols)
}

// Overlay returns the reconstruction and the true object on the part of the box that lies in both, and that
// part. It fails when there is hardly any.
func (r *Reconstruction) Overlay(truth *data.Image, b Box) (rec, want metrics.Image, common Box, err error) {
	b = Box{max(b.R0, 0), min(b.R1, truth.Rows), max(b.C0, 0), min(b.C1, truth.Cols)}
	if b.R1-b.R0 < metrics.MinSide || b.C1-b.C0 < metrics.MinSide {
		return rec, want, b, fmt.Errorf("only %d×%d pixels of it lie in the scan", max(0, b.R1-b.R0), max(0, b.C1-b.C0))
	}
	rec = r.Crop(b)
	want = metrics.FromComplex64(truth.Rows, truth.Cols, truth.Pix).Crop(b.R0, b.R1, b.C0, b.C1)
	return rec, want, b, nil
}
