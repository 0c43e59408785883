package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"ptycho/data"
)

// salvage loads what can be used of a file that has problems: as many frames as there are positions, and no object, whose place
// may be the problem. The Dataset is for looking at, not for a reconstruction: if frames were lost in the middle, the positions
// of later ones are wrong.
func salvage(path string, opt data.LoadOptions) (*data.Dataset, error) {
	arrays, err := data.ReadNPZ(path)
	if err != nil {
		return nil, err
	}
	frames, x := "diffraction", "xcoords"
	if _, ok := arrays[frames]; !ok {
		frames = "diff3d"
	}
	if _, ok := arrays[x]; !ok {
		frames, x = "data", "scan"
	}
	f, ok := arrays[frames]
	if !ok {
		return nil, errors.New("there are no frames")
	}
	axis := frameAxis(f.Shape, opt.Layout)
	if _, ok := arrays[x]; !ok || axis < 0 {
		return nil, errors.New("there are no frames with positions")
	}
	count := f.Shape[axis]
	lists := []string{"xcoords", "ycoords", "xcoords_start", "ycoords_start", "scan_index", "scan"}
	for _, name := range lists {
		if a, ok := arrays[name]; ok {
			count = min(count, positions(a))
		}
	}
	var keep []data.Array
	for _, name := range lists {
		if a, ok := arrays[name]; ok {
			keep = append(keep, first(a, positionAxis(a), count))
		}
	}
	keep = append(keep, first(f, axis, count))
	for _, name := range []string{"probeGuess", "probe", "mask", "bad_pixels", "bad_pixel_mask", "good_pixels", "valid_pixels", "_metadata"} {
		if a, ok := arrays[name]; ok {
			keep = append(keep, a)
		}
	}
	return reload(keep, opt)
}

// reload writes arrays to a temporary file and loads it into memory.
func reload(arrays []data.Array, opt data.LoadOptions) (*data.Dataset, error) {
	dir, err := os.MkdirTemp("", "ptycho-doctor")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "salvaged.npz")
	if err := data.WriteNPZ(path, arrays...); err != nil {
		return nil, err
	}
	opt.Stream = false
	return data.Load(path, opt)
}

// frameAxis returns the axis of a stack of square frames that numbers them, or −1.
func frameAxis(shape []int, layout string) int {
	n := len(shape)
	switch {
	case n >= 3 && shape[n-2] == shape[n-1] && layout != data.LayoutHWN:
		return n - 3
	case n >= 3 && shape[n-3] == shape[n-2]:
		return n - 1
	}
	return -1
}

// positionAxis returns the axis of an array of positions that numbers them.
func positionAxis(a data.Array) int {
	if a.Name == "scan" {
		return max(0, len(a.Shape)-2)
	}
	return 0
}

func positions(a data.Array) int {
	if len(a.Shape) == 0 {
		return 0
	}
	return a.Shape[positionAxis(a)]
}

// first returns a cut down to count elements along an axis, as float64 where it was that, else as float32.
func first(a data.Array, axis, count int) data.Array {
	if len(a.Shape) == 0 || a.Shape[axis] == count {
		return a
	}
	shape := slices.Clone(a.Shape)
	shape[axis] = count
	inner := 1
	for _, s := range a.Shape[axis+1:] {
		inner *= s
	}
	if v, ok := a.Data.([]float64); ok {
		return data.Array{Name: a.Name, Shape: shape, Data: cut(v, a.Shape[axis]*inner, count*inner)}
	}
	v, err := a.Float32s()
	if err != nil {
		return a
	}
	return data.Array{Name: a.Name, Shape: shape, Data: cut(v, a.Shape[axis]*inner, count*inner)}
}

// cut returns the first keep elements of each stretch of the given length.
func cut[T any](v []T, length, keep int) []T {
	var out []T
	for from := 0; from < len(v); from += length {
		out = append(out, v[from:from+keep]...)
	}
	return out
}
