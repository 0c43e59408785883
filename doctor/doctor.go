package doctor

import (
	"context"
	"errors"
	"slices"

	"ptycho/data"
)

// Options says how to examine a scan.
type Options struct {
	Load    data.LoadOptions // what is known of the file; Stream is set
	Seed    uint64           // of the trials
	Workers int              // of the trials, which do not depend on it; 0 = one a core
}

// Report is what is known of a scan.
type Report struct {
	File     string    `json:"file"`
	Findings []Finding `json:"findings"`

	// Orientation is nil where trials cannot tell, or were not made.
	Orientation *Orientation `json:"orientation,omitempty"`

	opt   Options
	whole bool // the file could be loaded as it is

	// What Fix is to do.
	corner      bool             // the direct beam is at [0, 0]
	defects     *data.Defects    // nil unless the frames were read
	far         []int            // frames whose positions are far from all others
	detector    data.Orientation // to be done to the frames
	positions   data.Orientation // to be done to the positions
	unitUnknown bool             // positions are in a unit that cannot be converted

	peak   float64 // largest count in a pixel that is neither masked nor defective
	pixels int     // number of such pixels
}

// Fatal tells whether training would be pointless.
func (r *Report) Fatal() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity == Fatal })
}

// Examine reads a scan once, twice where pixels are hot or saturated, and some of its frames again for trials. What is
// wrong with its contents becomes findings; an error is that of ctx, or of a file that is missing or no archive.
func Examine(ctx context.Context, path string, opt Options) (*Report, error) {
	opt.Load.Stream = true
	r := &Report{File: path, opt: opt}
	ds, err := data.Load(path, opt.Load)
	var problems data.Problems
	switch {
	case err == nil:
		r.whole = true
		r.say("file", OK, "", "%d frames of %d×%d pixels, a position for each, and a probe of %d mode(s)", ds.Len(), ds.N, ds.N, ds.Modes)
	case errors.As(err, &problems) && readable(path):
		for _, p := range problems {
			r.say("file", Fatal, p.Remedy, "%s", problemText(p))
		}
		if ds, err = salvage(path, opt.Load); err != nil {
			return r, r.examineSetup()
		}
		r.say("file", Note, "", "what follows is said of what can be used: %d frames of %d×%d pixels", ds.Len(), ds.N, ds.N)
	default:
		return nil, err
	}
	err = r.examine(ctx, ds)
	return r, errors.Join(err, ds.Close())
}

// readable tells whether a file is an archive.
func readable(path string) bool {
	z, err := data.OpenNPZ(path)
	return err == nil && z.Close() == nil
}

// problemText returns a problem without its file and remedy.
func problemText(p data.Problem) string {
	text := "expected " + p.Expected + ", found " + p.Found
	if p.Key != "" {
		text = p.Key + ": " + text
	}
	return text
}

// examineSetup says what can be said without frames.
func (r *Report) examineSetup() error {
	ds, err := data.LoadSetup(r.File, r.opt.Load)
	if err != nil {
		return nil // which has been reported
	}
	r.checkFar(ds)
	r.checkUnit(ds)
	r.checkOverlap(ds)
	r.checkWindow(ds)
	r.checkTwin(ds)
	return ds.Close()
}

// examine makes all checks. The trials come last, but the beam's are made in the orientation that they find.
func (r *Report) examine(ctx context.Context, ds *data.Dataset) error {
	if err := r.look(ds); err != nil {
		return err
	}
	r.checkOrigin(ds)
	r.checkDomain(ds)
	r.checkDose(ds)
	r.checkDefects(ds)
	r.checkFar(ds)
	unit := r.checkUnit(ds)
	r.checkOverlap(ds)
	r.checkWindow(ds)
	r.checkTwin(ds)
	if unit && r.whole {
		if err := r.checkOrientation(ctx, ds); err != nil {
			return err
		}
	}
	mean := turned(r.defects.Mean, ds.N, r.detector)
	r.checkProbe(ds, mean)
	r.checkCentre(ds, mean)
	r.checkAperture(ds, mean)
	r.advise(ds)
	return nil
}
