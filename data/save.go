package data

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// SaveOptions says in which form Save writes a Dataset. The zero value stands for counts, frame index
// first.
type SaveOptions struct {
	Domain string // DomainCounts or DomainAmplitude; "" = counts
	Layout string // LayoutNHW or LayoutHWN; "" = nhw
}

// Save writes ds to an NPZ file with PtychoPINN's keys, its metadata as a plain string of JSON under
// _metadata. Frames are uint32 where that holds the counts exactly, else float32. The layout hwn is that of its
// older files: frames (N, N, n) float64, probe and object complex128. Equal datasets give equal bytes. Load gives back what Save wrote, but for the rounding of
// amplitudes and for the frames under the mask, which it reads as zeros. A Dataset without frames is written without them, for LoadSetup.
func Save(path string, ds *Dataset, opt SaveOptions) error {
	opt, err := opt.withDefaults()
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	arrays, err := saveArrays(ds, opt)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return WriteNPZ(path, arrays...)
}

func (opt SaveOptions) withDefaults() (SaveOptions, error) {
	if opt.Domain == "" {
		opt.Domain = DomainCounts
	}
	if opt.Layout == "" {
		opt.Layout = LayoutNHW
	}
	switch {
	case opt.Domain != DomainCounts && opt.Domain != DomainAmplitude:
		return opt, fmt.Errorf("domain %q is neither counts nor amplitude", opt.Domain)
	case opt.Layout != LayoutNHW && opt.Layout != LayoutHWN:
		return opt, fmt.Errorf("layout %q is neither nhw nor hwn", opt.Layout)
	}
	return opt, nil
}

func saveArrays(ds *Dataset, opt SaveOptions) ([]Array, error) {
	if err := ds.consistent(); err != nil {
		return nil, err
	}
	var arrays []Array
	n := ds.Len()
	if ds.Frames != nil {
		arrays = append(arrays, saveFrames(ds, opt))
	}
	arrays = append(arrays, saveProbe(ds, opt))
	if ds.Mask != nil {
		arrays = append(arrays, Array{"mask", []int{ds.N, ds.N}, ds.Mask})
	}
	if o := ds.Object; o != nil {
		arrays = append(arrays, complexArray("objectGuess", []int{o.Rows, o.Cols}, o.Pix, opt))
	}
	for _, v := range []struct {
		name string
		data []float64
	}{{"xcoords", ds.X}, {"ycoords", ds.Y}, {"xcoords_start", ds.XStart}, {"ycoords_start", ds.YStart}} {
		if v.data != nil {
			arrays = append(arrays, Array{v.name, []int{n}, v.data})
		}
	}
	if ds.ScanIndex != nil {
		arrays = append(arrays, Array{"scan_index", []int{n}, ds.ScanIndex})
	}
	if ds.Patches != nil {
		arrays = append(arrays, savePatches(ds, opt))
	}
	meta, err := json.Marshal(saveMetadata(ds, opt))
	if err != nil {
		return nil, err
	}
	return append(arrays, Array{Name: metadataKey, Data: []string{string(meta)}}), nil
}

// consistent reports lengths that do not go together.
func (d *Dataset) consistent() error {
	n, px := d.Len(), d.N*d.N
	if !d.InMemory() {
		return fmt.Errorf("dataset of frames that are not in memory: load it without Stream")
	}
	check := func(name string, got, want int, optional bool) error {
		if got == want || optional && got == 0 {
			return nil
		}
		return fmt.Errorf("dataset of %d frames, N = %d: %s has %d elements instead of %d", n, d.N, name, got, want)
	}
	for _, err := range []error{
		check("Y", len(d.Y), n, false),
		check("Frames", len(d.Frames), n*px, true),
		check("Probe", len(d.Probe), d.Modes*px, false),
		check("XStart", len(d.XStart), n, true),
		check("YStart", len(d.YStart), n, true),
		check("ScanIndex", len(d.ScanIndex), n, true),
		check("Patches", len(d.Patches), n*px, true),
		check("Mask", len(d.Mask), px, true),
	} {
		if err != nil {
			return err
		}
	}
	if o := d.Object; o != nil && len(o.Pix) != o.Rows*o.Cols {
		return fmt.Errorf("object of %d×%d pixels has %d elements", o.Rows, o.Cols, len(o.Pix))
	}
	if len(d.Probe) == 0 {
		return fmt.Errorf("dataset without a probe")
	}
	return nil
}

func saveMetadata(ds *Dataset, opt SaveOptions) Metadata {
	m := ds.Metadata
	m.Format, m.DC = "ptycho-dataset", DCCentre
	m.Domain, m.Layout, m.Dose, m.DoseFrom, m.AmplitudeScale = "", "", 0, "", 0
	if ds.Frames == nil {
		return m
	}
	m.Domain, m.Layout, m.Dose, m.DoseFrom = opt.Domain, opt.Layout, ds.Dose, ds.DoseFrom
	if opt.Domain == DomainAmplitude {
		m.AmplitudeScale = 1
	}
	return m
}

func saveFrames(ds *Dataset, opt SaveOptions) Array {
	value := func(v float32) float64 { return float64(v) }
	if opt.Domain == DomainAmplitude {
		value = func(v float32) float64 { return math.Sqrt(float64(v)) }
	}
	inexact := func(v float32) bool { return v < 0 || v > math.MaxUint32 || float64(v) != math.Trunc(float64(v)) }
	switch {
	case opt.Layout == LayoutHWN:
		return framesArray(ds, opt, value)
	case opt.Domain == DomainAmplitude || slices.ContainsFunc(ds.Frames, inexact):
		return framesArray(ds, opt, func(v float32) float32 { return float32(value(v)) })
	}
	return framesArray(ds, opt, func(v float32) uint32 { return uint32(v) })
}

func framesArray[T any](ds *Dataset, opt SaveOptions, value func(float32) T) Array {
	n := ds.Len()
	v := apply(ds.Frames, value)
	if opt.Layout == LayoutHWN {
		return Array{"diffraction", []int{ds.N, ds.N, n}, framesLast(v, n, ds.N)}
	}
	return Array{"diffraction", []int{n, ds.N, ds.N}, v}
}

func saveProbe(ds *Dataset, opt SaveOptions) Array {
	shape := []int{ds.N, ds.N}
	if ds.Modes > 1 {
		shape = []int{ds.Modes, ds.N, ds.N}
	}
	return complexArray("probeGuess", shape, ds.Probe, opt)
}

func savePatches(ds *Dataset, opt SaveOptions) Array {
	n := ds.Len()
	if opt.Layout == LayoutHWN {
		return complexArray("Y", []int{ds.N, ds.N, n}, framesLast(ds.Patches, n, ds.N), opt)
	}
	return complexArray("Y", []int{n, ds.N, ds.N}, ds.Patches, opt)
}

// complexArray widens v where the older layout has it so.
func complexArray(name string, shape []int, v []complex64, opt SaveOptions) Array {
	if opt.Layout == LayoutHWN {
		return Array{name, shape, apply(v, func(z complex64) complex128 { return complex128(z) })}
	}
	return Array{name, shape, v}
}
