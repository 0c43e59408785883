package data

import "math"

// Defects is what one look at all frames of a scan tells of the detector and the beam. Pixels are numbers in
// the frame, row·N + column, DC at [N/2, N/2], in ascending order. Pixels of the Dataset's Mask are left out.
type Defects struct {
	N int // side of a frame, pixels

	Dead      []int   // nothing counted in any frame, where that cannot be chance
	Gaps      []Gap   // whole rows and columns, and rectangles of dead pixels, which Dead holds too
	Hot       []int   // far more than around them, and the same in all frames
	Saturated []int   // at the detector's ceiling in some frame
	Ceiling   float32 // counts at which the detector saturates, 0 when it does not

	Mean       []float64 // mean frame, N×N counts
	Dose       float64   // mean counts of a frame
	DoseSpread float64   // standard deviation over mean of the counts of a frame
	Empty      []int     // frames without a count
}

// Mask returns the defective pixels, N×N, DC at [N/2, N/2], true = dead, hot or saturated; nil when there are none. Pixels that are
// saturated in a few frames only can be kept for the others by CompactOptions.Ceiling.
func (d *Defects) Mask() []bool {
	if len(d.Dead)+len(d.Hot)+len(d.Saturated) == 0 {
		return nil
	}
	mask := make([]bool, d.N*d.N)
	for _, list := range [][]int{d.Dead, d.Hot, d.Saturated} {
		for _, p := range list {
			mask[p] = true
		}
	}
	return mask
}

// Defects looks at all frames once. What it calls a defect could not come from photons and optics; a defect that could is not found. An error is that of ReadFrame.
func (d *Dataset) Defects() (*Defects, error) {
	t := newTally(d.N, d.Mask)
	frame := make(Intensity, d.N*d.N)
	for i := range d.Len() {
		if err := d.ReadFrame(frame, i); err != nil {
			return nil, err
		}
		t.add(frame)
	}
	found := &Defects{N: d.N, Mean: make([]float64, len(t.sum))}
	for p := range found.Mean {
		found.Mean[p] = t.mean(p)
	}
	found.beam(t.doses)
	dead := t.dead()
	found.Gaps = gaps(dead, t.excluded, d.N)
	found.Dead = indices(dead)
	t.exclude(dead)
	hot := t.hot()
	found.Hot = indices(hot)
	t.exclude(hot)
	found.Saturated, found.Ceiling = t.saturated()
	return found, nil
}

// beam takes the counts of the frames.
func (d *Defects) beam(doses []float64) {
	var sum, squares float64
	for i, v := range doses {
		sum += v
		if v == 0 {
			d.Empty = append(d.Empty, i)
		}
	}
	d.Dose = sum / float64(max(1, len(doses)))
	for _, v := range doses {
		squares += square(v - d.Dose)
	}
	if d.Dose > 0 {
		d.DoseSpread = math.Sqrt(squares/float64(len(doses))) / d.Dose
	}
}

// indices returns where v is true.
func indices(v []bool) (at []int) {
	for i, x := range v {
		if x {
			at = append(at, i)
		}
	}
	return at
}
