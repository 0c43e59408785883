package doctor

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"ptycho/data"
)

// Fix writes the scan as it should be to a file: with the direct beam at the centre, the frames and the positions turned the right
// way, bad pixels under a mask, and empty frames left out with their positions. It returns what it did, one sentence each. It refuses
// to overwrite the scan, and a file that cannot be loaded or whose positions are in an unknown unit.
func (r *Report) Fix(path string) (done []string, err error) {
	if err := r.fixable(path); err != nil {
		return nil, err
	}
	opt := r.opt.Load
	opt.Stream = false
	if r.positions != data.AsStored {
		// The flags are applied to what the user's own make of the positions.
		opt.FlipX, opt.FlipY, opt.SwapXY = combine(opt, r.positions)
		done = append(done, fmt.Sprintf("positions turned by %s", flagsOf(r.positions)))
	}
	ds, err := data.Load(r.File, opt)
	if err != nil {
		return nil, err
	}
	if r.corner {
		done = append(done, fmt.Sprintf("direct beam moved to [%d, %d]", ds.N/2, ds.N/2))
	}
	if s := opt.CoordScale; s != 0 && s != 1 {
		done = append(done, fmt.Sprintf("positions multiplied by %g", s))
	}
	if bad := r.defects.Mask(); bad != nil {
		done = append(done, fmt.Sprintf("%d bad pixels masked", mask(ds, bad)))
	}
	if n := len(r.defects.Empty); n > 0 {
		ds = ds.Select(lit(ds.Len(), r.defects.Empty))
		ds.Dose *= float64(ds.Len()+n) / float64(ds.Len())
		done = append(done, fmt.Sprintf("%d empty frames left out", n))
	}
	if r.detector != data.AsStored {
		if ds, err = ds.Oriented(r.detector); err != nil {
			return nil, err
		}
		done = append(done, fmt.Sprintf("frames turned by %v", r.detector))
	}
	if done != nil {
		ds.Metadata.Notes = strings.TrimPrefix(ds.Metadata.Notes+"; corrected: "+strings.Join(done, ", "), "; ")
	}
	return done, data.Save(path, ds, data.SaveOptions{})
}

// fixable tells why a corrected scan cannot be written, or nil.
func (r *Report) fixable(path string) error {
	if in, err := os.Stat(r.File); err == nil {
		if out, err := os.Stat(path); err == nil && os.SameFile(in, out) {
			return fmt.Errorf("%s is the scan itself; give another file for the corrected one", path)
		}
	}
	switch {
	case !r.whole:
		return fmt.Errorf("%s cannot be corrected before the problems of the file are; nothing was written", r.File)
	case r.unitUnknown:
		return fmt.Errorf("%s: the positions cannot be converted into object pixels without --coord_scale; nothing was written", r.File)
	}
	return nil
}

// combine returns the flags that turn positions as those of opt do and then as o does.
func combine(opt data.LoadOptions, o data.Orientation) (flipX, flipY, swap bool) {
	flipX, flipY, swap = opt.FlipX, opt.FlipY, opt.SwapXY
	x, y := o&data.FlipX != 0, o&data.FlipY != 0
	if swap { // which comes last: a flip of x after it is one of y before it
		x, y = y, x
	}
	return flipX != x, flipY != y, swap != (o&data.Transpose != 0)
}

// mask adds bad pixels to the mask of ds, clears them and returns their number.
func mask(ds *data.Dataset, bad []bool) (count int) {
	if ds.Mask == nil {
		ds.Mask = make([]bool, len(bad))
	} else {
		ds.Mask = slices.Clone(ds.Mask)
	}
	lost := 0.0
	for p, b := range bad {
		if !b {
			continue
		}
		count++
		ds.Mask[p] = true
		for i := range ds.Len() {
			v := &ds.Frame(i)[p]
			lost += float64(*v)
			*v = 0
		}
	}
	ds.Dose -= lost / float64(max(1, ds.Len()))
	return count
}

// lit returns the frames that are not empty.
func lit(frames int, empty []int) (kept []int) {
	for i := range frames {
		if _, out := slices.BinarySearch(empty, i); !out {
			kept = append(kept, i)
		}
	}
	return kept
}
