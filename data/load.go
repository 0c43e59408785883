package data

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The domains, origins and layouts that options and metadata name.
const (
	DomainCounts    = "counts"    // photons, an intensity
	DomainAmplitude = "amplitude" // √photons, possibly in an unknown unit

	DCCentre = "centre" // direct beam at [N/2, N/2]
	DCCorner = "corner" // direct beam at [0, 0]

	LayoutNHW = "nhw" // frames (n, N, N)
	LayoutHWN = "hwn" // frames (N, N, n)
)

// LoadOptions says what is known of a file beforehand. The zero value leaves everything to the file.
type LoadOptions struct {
	Domain string // what the frames are, DomainCounts or DomainAmplitude; "" = metadata, else detected
	DC     string // where the direct beam is, DCCentre or DCCorner; "" = metadata, else detected
	Layout string // axes of the frames, LayoutNHW or LayoutHWN; "" = metadata, else detected

	// NPhotons is the mean number of photons in a frame where the data do not tell; 0 = metadata, else
	// DefaultDose.
	NPhotons float64

	// FlipX and FlipY negate a coordinate, then SwapXY exchanges both, then CoordScale multiplies them
	// (0 = 1). The object of the file is left out when its own positions are not those of the frames: after a
	// flip or an exchange, and when scaled positions leave it. Mirroring it would not help: its patches would
	// be mirrored where frames and probe are not.
	FlipX, FlipY, SwapXY bool
	CoordScale           float64

	N int // expected side of a frame, 0 = any

	// Mask is the path of an NPY file, N×N, bool or numbers, true or nonzero = not measured. It has the direct beam where the
	// frames of the file have it, and adds to the mask that the file may hold. "" = none.
	Mask string

	// Stream leaves the frames in the file: Frames and Patches stay nil, ReadFrame gives the frames, and Close must be
	// called in the end. Memory then does not grow with their number. Frames that cannot be read one by one (deflated,
	// or of layout hwn) are copied into a temporary file beforehand if they are more than a few megabytes.
	Stream bool
}

// Load reads a scan: frames, positions and probe, and whatever else the file holds. Two key sets are
// known, that of PtychoPINN (diffraction or diff3d, xcoords, ycoords, probeGuess, …) and that of tike
// (data, scan, probe, psi). The error is Problems and lists all that is wrong.
func Load(path string, opt LoadOptions) (*Dataset, error) { return load(path, opt, true) }

// LoadSetup reads probe, object and positions, the input of a simulation, from the same files as Load.
// Only the probe has to be there. Frames stay nil and Dose zero even where the file holds frames.
func LoadSetup(path string, opt LoadOptions) (*Dataset, error) { return load(path, opt, false) }

func load(path string, opt LoadOptions, frames bool) (*Dataset, error) {
	if ps := opt.check(path); ps != nil {
		return nil, ps
	}
	z, err := OpenNPZ(path)
	if err != nil {
		return nil, Problems{at(err, path, "")}
	}
	l := &loader{npz: z, opt: opt, ds: &Dataset{Path: path}, used: map[string]bool{}, wantFrames: frames, closers: closers{z}}
	l.run()
	if l.ds.stream != nil && l.problems == nil {
		l.ds.stream.closer = l.closers
		return l.ds, nil
	}
	if err := l.closers.Close(); err != nil {
		l.failed("", err)
	}
	if l.problems != nil {
		return nil, l.problems
	}
	return l.ds, nil
}

// closers closes all of them, the last first.
type closers []io.Closer

func (cs closers) Close() error {
	var errs []error
	for _, c := range slices.Backward(cs) {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func (opt LoadOptions) check(path string) (ps Problems) {
	choice := func(name, v string, allowed ...string) {
		for _, a := range append(allowed, "") {
			if v == a {
				return
			}
		}
		ps = append(ps, Problem{path, "option " + name, strings.Join(allowed, " or "), fmt.Sprintf("%q", v), "choose one of them"})
	}
	choice("domain", opt.Domain, DomainCounts, DomainAmplitude)
	choice("dc", opt.DC, DCCentre, DCCorner)
	choice("layout", opt.Layout, LayoutNHW, LayoutHWN)
	positive := func(name string, v float64) {
		if !finite(v) || v < 0 {
			ps = append(ps, Problem{path, "option " + name, "a positive number", fmt.Sprint(v), "leave it at 0 for the default"})
		}
	}
	positive("nphotons", opt.NPhotons)
	positive("coord_scale", opt.CoordScale)
	positive("N", float64(opt.N))
	return ps
}

// keys are the names under which a file holds what a Dataset needs.
type keys struct {
	frames, x, y, probe, object string
}

// meaning describes the arrays that a file must have.
var meaning = map[string]string{
	"diffraction": "the frames, (n, N, N), under this name or diff3d",
	"xcoords":     "the columns of the probe centre, (n,), in object pixels",
	"ycoords":     "the rows of the probe centre, (n,), in object pixels",
	"probeGuess":  "the probe, (N, N) or (modes, N, N)",
	"data":        "the frames, (n, N, N)",
	"scan":        "the positions, (n, 2)",
	"probe":       "the probe, (…, modes, N, N)",
}

// loader fills a Dataset from a file and collects what is wrong with it.
type loader struct {
	npz        *NPZ
	opt        LoadOptions
	ds         *Dataset
	keys       keys
	tike       bool
	wantFrames bool
	n          int // frames, the number of x positions; -1 when unknown
	used       map[string]bool
	problems   Problems
	closers    closers
}

func (l *loader) run() {
	l.chooseKeys()
	l.readMetadata()
	l.readPositions()
	stored := l.readFrames()
	l.readProbe()
	l.centrePositions()
	l.transformPositions()
	if l.mirrored() {
		l.leaveObjectOut("it belongs to the positions before they were flipped or exchanged")
	} else {
		l.readObject()
	}
	l.readPatches()
	l.noteUnused()
	l.checkPositions()
	// Other lengths have been reported.
	if stored != nil && len(l.ds.X) == l.n && len(l.ds.Y) == l.n {
		l.intensities(stored)
	}
}

func (l *loader) chooseKeys() {
	l.n = -1
	if l.npz.Has("scan") && !l.npz.Has("xcoords") {
		l.tike = true
		l.keys = keys{frames: "data", x: "scan", y: "scan", probe: "probe", object: "psi"}
		l.note("the file has tike's keys: scan is the (row, column) of a patch's top left corner")
		return
	}
	l.keys = keys{frames: "diffraction", x: "xcoords", y: "ycoords", probe: "probeGuess", object: "objectGuess"}
	if !l.npz.Has("diffraction") && l.npz.Has("diff3d") {
		l.keys.frames = "diff3d"
	}
}

func (l *loader) problem(key, expected, found, remedy string) {
	l.problems = append(l.problems, Problem{l.ds.Path, key, expected, found, remedy})
}

func (l *loader) note(format string, args ...any) {
	l.ds.Notes = append(l.ds.Notes, fmt.Sprintf(format, args...))
}

// failed notes an error of a key as a problem and returns false.
func (l *loader) failed(key string, err error) bool {
	l.problems = append(l.problems, at(err, l.ds.Path, key))
	return false
}

// header returns the header of a required array and whether it could be read; a missing array is a problem.
func (l *loader) header(key string) (Header, bool) {
	l.used[key] = true
	if !l.npz.Has(key) {
		l.problem(key, meaning[key], "only "+clipList(l.npz.Names()), "add it to the file under this name")
		return Header{}, false
	}
	h, err := l.npz.Header(key)
	return h, err == nil || l.failed(key, err)
}

// read returns an array and whether it could be read; a missing required array is a problem.
func (l *loader) read(key string, required bool) (Array, bool) {
	l.used[key] = true
	if !required && !l.npz.Has(key) {
		return Array{}, false
	}
	if _, ok := l.header(key); !ok {
		return Array{}, false
	}
	a, err := l.npz.Read(key)
	return a, err == nil || l.failed(key, err)
}

// layout returns what the option, or else the file's metadata, say of the frames' axes.
func (l *loader) layout() string {
	if l.opt.Layout != "" {
		return l.opt.Layout
	}
	return l.ds.Metadata.Layout
}

// convert applies one of Array's conversions.
func convert[T any](l *loader, a Array, conversion func(Array) ([]T, error)) ([]T, bool) {
	v, err := conversion(a)
	return v, err == nil || l.failed(a.Name, err)
}

func (l *loader) noteUnused() {
	var names []string
	for _, name := range l.npz.Names() {
		if !l.used[name] {
			names = append(names, name)
		}
	}
	if names != nil {
		l.note("not used: %s", clipList(names))
	}
}
