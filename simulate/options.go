package simulate

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"

	"ptycho/data"
)

// Options says what to simulate. The zero value is a defocused probe of 64×64 pixels that scans an object
// of lines in 500 frames on a spiral, without noise.
type Options struct {
	// Setup gives what is known of an experiment: its probe, object, positions and N, any of them absent.
	// Nil simulates everything.
	Setup *data.Dataset
	// N is the side of a frame in pixels, an even number from 16 to 1024. Zero stands for the setup's, or 64.
	N int
	// Object is Lines, GRF, DeadLeaves, Siemens, or File for the setup's. Empty stands for the setup's
	// when it has one, else Lines.
	Object string
	// ObjectSize is the side of a synthetic object in pixels. Zero makes it as large as the scan needs.
	ObjectSize int
	// Scan is File for the positions of the setup, used as they are, or Raster, Spiral or Random, centred
	// on the object. Empty stands for the setup's when it has any, else Spiral.
	Scan string
	// Frames is the number of frames: 500 when zero, and with Scan File all. Fewer than the setup has are
	// chosen at random.
	Frames int
	// Step is the pitch of the scan in object pixels: there is one frame per Step² of the scanned area.
	// Zero stands for 0.3 times the diameter of the probe, or less where the object is too small.
	Step float64
	// Jitter moves every coordinate of a synthetic scan by up to ±Jitter·Step. Zero stands for 0.25 on a
	// raster and none on the others; a negative number for none.
	Jitter float64
	// Probe describes the probe when the setup has none.
	Probe ProbeOptions
	// NPhotons is the expected mean number of photons a frame. Zero stands for data.DefaultDose.
	NPhotons float64
	// Noise draws the counts from the Poisson law; without it frames hold its means.
	Noise bool
	// Seed determines object, positions and photons.
	Seed uint64
	// Workers is the number of frames computed at a time, which does not change them. Zero stands for
	// GOMAXPROCS.
	Workers int
}

const (
	defaultN      = 64
	defaultFrames = 500
	defaultStep   = 0.3 // of the diameter of the probe
	minN          = 16
	maxN          = 1024
	objectMargin  = 8     // pixels between the scan and the border of a synthetic object
	maxObject     = 16384 // pixels along a side; more is a mistake in the unit of the positions
	maxPhotons    = 1e15  // float64 holds every count exactly
)

func (opt Options) withDefaults() Options {
	if opt.Setup == nil {
		opt.Setup = &data.Dataset{}
	}
	opt.N = or(opt.N, or(opt.Setup.N, defaultN))
	opt.Object = or(opt.Object, pick(opt.Setup.Object != nil, File, Lines))
	opt.Scan = or(opt.Scan, pick(opt.Setup.Len() > 0, File, Spiral))
	opt.Frames = or(opt.Frames, pick(opt.Scan == File, opt.Setup.Len(), defaultFrames))
	opt.Jitter = or(opt.Jitter, pick(opt.Scan == Raster, rasterJitter, 0))
	opt.Jitter = max(opt.Jitter, 0)
	opt.NPhotons = or(opt.NPhotons, data.DefaultDose)
	opt.Workers = or(opt.Workers, runtime.GOMAXPROCS(0))
	return opt
}

// Validate returns all that is wrong with the options and with what they ask of the setup, or nil. What can
// only be seen when the scan is made, such as that an object is too small for it, is left to Run.
func (opt Options) Validate() error { return opt.withDefaults().check() }

// check reports all that is wrong with options that are complete.
func (opt Options) check() error {
	var ps problems
	opt.checkSetup(&ps)
	opt.checkNames(&ps)
	ps.add(opt.N < minN, "N = %d; pass at least %d", opt.N, minN)
	ps.add(opt.N >= minN && opt.N%2 != 0 || opt.N > maxN, "N = %d; pass an even number up to %d, as scans have", opt.N, maxN)
	ps.add(opt.ObjectSize < 0 || opt.ObjectSize > maxObject, "object size %d; pass at most %d, or 0 for what the scan needs", opt.ObjectSize, maxObject)
	ps.add(opt.Frames < 0, "%d frames; pass at least 1", opt.Frames)
	ps.add(!(opt.Step >= 0) || math.IsInf(opt.Step, 0), "step %g px; pass a positive number", opt.Step)
	ps.add(!(opt.Jitter <= 1), "jitter %g; pass a fraction of the step, at most 1", opt.Jitter)
	ps.add(!(opt.NPhotons > 0 && opt.NPhotons <= maxPhotons), "%g photons a frame; pass a positive number up to %g", opt.NPhotons, float64(maxPhotons))
	ps.add(opt.Workers < 1, "%d workers; pass at least 1, or 0 for all cores", opt.Workers)
	err := errors.Join(ps...)
	if opt.Setup.Probe == nil && opt.N >= minN {
		err = errors.Join(err, opt.Probe.withDefaults(opt.N).check(opt.N))
	}
	return err
}

// checkSetup reports what is wrong with the setup and what contradicts it.
func (opt Options) checkSetup(ps *problems) {
	s := opt.Setup
	name := or(s.Path, "setup")
	ps.add(s.N != 0 && s.N != opt.N, "%s: N = %d, not %d; leave N out or pass %d", name, s.N, opt.N, s.N)
	ps.add(len(s.X) != len(s.Y), "%s: %d x and %d y positions", name, len(s.X), len(s.Y))
	if s.Object != nil {
		ps.add(len(s.Object.Pix) != s.Object.Rows*s.Object.Cols, "%s: the object has %d pixels, want %d×%d", name, len(s.Object.Pix), s.Object.Rows, s.Object.Cols)
	}
	if s.Probe == nil {
		return
	}
	ps.add(opt.Probe != ProbeOptions{}, "%s has a probe; leave the parameters of a synthetic one out", name)
	if len(s.Probe) != s.Modes*s.N*s.N || s.N < 1 {
		ps.add(true, "%s: the probe has %d elements, want %d modes of %d×%d", name, len(s.Probe), s.Modes, s.N, s.N)
		return
	}
	ps.add(!(data.Diameter(s.Probe, s.N) > 0), "%s: the probe is dark or not finite; pass a file with another one", name)
}

// checkNames reports unknown objects and scans, and those for which the setup lacks what they need.
func (opt Options) checkNames(ps *problems) {
	s := opt.Setup
	ps.add(opt.Object != File && !slices.Contains(Objects(), opt.Object), "unknown object %q; pass one of %s, %s",
		opt.Object, File, strings.Join(Objects(), ", "))
	ps.add(opt.Object == File && s.Object == nil, "object %q needs a setup with an object; pass one of %s", File, strings.Join(Objects(), ", "))
	ps.add(opt.Object == File && opt.ObjectSize != 0, "the object of a file has its own size; leave the object size out")
	ps.add(opt.Scan != File && !slices.Contains(Scans(), opt.Scan), "unknown scan %q; pass one of %s, %s",
		opt.Scan, File, strings.Join(Scans(), ", "))
	ps.add(opt.Scan == File && s.Len() == 0, "scan %q needs a setup with positions; pass one of %s", File, strings.Join(Scans(), ", "))
	ps.add(opt.Scan == File && s.Len() > 0 && opt.Frames > s.Len(), "%d frames asked for, but the setup has %d positions; pass fewer or another scan",
		opt.Frames, s.Len())
}

// problems collects what is wrong.
type problems []error

// add adds a problem if there is one.
func (ps *problems) add(bad bool, format string, args ...any) {
	if bad {
		*ps = append(*ps, fmt.Errorf("simulate: "+format, args...))
	}
}

// or returns v, or other when v is zero.
func or[T comparable](v, other T) T {
	var zero T
	return pick(v != zero, v, other)
}

func pick[T any](cond bool, yes, no T) T {
	if cond {
		return yes
	}
	return no
}
