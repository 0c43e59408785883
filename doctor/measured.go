package doctor

import (
	"math"
	"slices"

	"ptycho/data"
)

// unmeasured is the mean of a pixel that is masked or defective.
const unmeasured = -1

// look reads the frames for defects. The figures of r.defects, and r.peak, become those of the pixels that are neither masked nor
// defective; the means of the others become unmeasured.
func (r *Report) look(ds *data.Dataset) error {
	d, err := ds.Defects()
	if err != nil {
		return err
	}
	r.defects, r.peak, r.pixels = d, float64(ds.Peak), d.N*d.N
	out := excluded(ds.Mask, d)
	for p := range out {
		if out[p] {
			d.Mean[p] = unmeasured
			r.pixels--
		}
	}
	if len(d.Hot)+len(d.Saturated) == 0 {
		return nil // others count nothing
	}
	return r.recount(ds, out)
}

// excluded returns the pixels that are masked or defective.
func excluded(mask []bool, d *data.Defects) []bool {
	out := make([]bool, d.N*d.N)
	copy(out, mask)
	for p, bad := range d.Mask() {
		out[p] = out[p] || bad
	}
	return out
}

// recount reads the frames again for their counts without the pixels to leave out.
func (r *Report) recount(ds *data.Dataset, out []bool) error {
	d, frame := r.defects, make(data.Intensity, ds.N*ds.N)
	var sum, squares float64
	d.Empty, r.peak = nil, 0
	for i := range ds.Len() {
		if err := ds.ReadFrame(frame, i); err != nil {
			return err
		}
		dose := 0.0
		for p, v := range frame {
			if !out[p] && v > 0 {
				dose += float64(v)
				r.peak = max(r.peak, float64(v))
			}
		}
		if dose == 0 {
			d.Empty = append(d.Empty, i)
		}
		sum, squares = sum+dose, squares+dose*dose
	}
	count := float64(ds.Len())
	d.Dose, d.DoseSpread = sum/count, 0
	if sum > 0 {
		d.DoseSpread = math.Sqrt(max(0, squares*count/(sum*sum)-1))
	}
	return nil
}

// filled returns an n×n image in which every pixel that is unmeasured in mean has the average of the nearest measured ones
// above, below, left and right, weighted by the inverse of their distances.
func filled(image, mean []float64, n int) []float64 {
	out := slices.Clone(image)
	for p, m := range mean {
		if m >= 0 {
			continue
		}
		var sum, weights float64
		for _, step := range [][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
			y, x := p/n+step[0], p%n+step[1]
			for far := 1.0; y >= 0 && y < n && x >= 0 && x < n; far++ {
				if q := y*n + x; mean[q] >= 0 {
					sum, weights = sum+image[q]/far, weights+1/far
					break
				}
				y, x = y+step[0], x+step[1]
			}
		}
		out[p] = 0
		if weights > 0 {
			out[p] = sum / weights
		}
	}
	return out
}
