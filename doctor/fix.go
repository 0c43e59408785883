package doctor

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"ptycho/data"
)

// Fix writes the scan as it should be to a file: with the direct beam at the centre, the frames and the positions turned the right
// way, bad pixels under a mask, and frames left out, with their positions, that are empty or whose position is far from all others. It returns what it did, one sentence each. It refuses
// to overwrite the scan, and a file that cannot be loaded or whose positions are in an unknown unit.
func (r *Report) Fix(path string) (done []string, err error) {
	if err := r.fixable(path); err != nil {
		return nil, err
	}
	opt := r.opt.Load
	opt.Stream = false
	opt.FlipX, opt.FlipY, opt.SwapXY = combine(opt, r.positions)
	switch flags := flagsOf(given(opt)); {
	case flags != "":
		done = append(done, fmt.Sprintf("positions are stored as %s turned them: load the file without these flags", flags))
	case r.positions != data.AsStored:
		done = append(done, fmt.Sprintf("positions are not turned: load the file without %s", flagsOf(given(r.opt.Load))))
	}
	ds, err := data.Load(r.File, opt)
	if err != nil {
		return nil, err
	}
	if r.corner {
		done = append(done, fmt.Sprintf("direct beam moved to [%d, %d]", ds.N/2, ds.N/2))
	}
	if s := opt.CoordScale; s != 0 && s != 1 {
		done = append(done, fmt.Sprintf("positions are stored multiplied by %g: load the file without --coord_scale", s))
	}
	if bad := r.defects.Mask(); bad != nil {
		done = append(done, fmt.Sprintf("%d bad pixels masked", mask(ds, bad)))
	}
	if n := len(r.defects.Empty); n > 0 && n < ds.Len() {
		ds.Dose *= float64(ds.Len()) / float64(ds.Len()-n)
		done = append(done, fmt.Sprintf("%d empty frames left out", n))
	}
	if n := len(r.far); n > 0 {
		done = append(done, fmt.Sprintf("%d frame(s) with positions far from all others left out", n))
	}
	if out := r.useless(); len(out) > 0 {
		ds = ds.Select(rest(ds.Len(), out))
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

// rest returns the frames besides those left out, which are in ascending order.
func rest(frames int, leave []int) (kept []int) {
	for i := range frames {
		if _, out := slices.BinarySearch(leave, i); !out {
			kept = append(kept, i)
		}
	}
	return kept
}
