package data

import (
	"fmt"
	"os"
	"slices"

	"ptycho/fft"
)

// The keys under which files mark pixels, N×N as the frames are stored: those that were not measured, and those that
// were.
var (
	badKeys  = []string{"mask", "bad_pixels", "bad_pixel_mask"}
	goodKeys = []string{"good_pixels", "valid_pixels"}
)

// skipMasks leaves masks out where there are no frames to mask.
func (l *loader) skipMasks() {
	for _, key := range slices.Concat(badKeys, goodKeys) {
		l.used[key] = true
	}
}

// readMasks returns the pixels that the file's masks and the option's one mark as not measured, nil when there are no masks.
func (l *loader) readMasks(side int) []bool {
	var mask []bool
	add := func(a Array, good bool) {
		if m, ok := l.maskOf(a, side, good); ok {
			mask = union(mask, m)
		}
	}
	for _, key := range badKeys {
		if a, ok := l.read(key, false); ok {
			add(a, false)
		}
	}
	for _, key := range goodKeys {
		if a, ok := l.read(key, false); ok {
			add(a, true)
		}
	}
	if l.opt.Mask != "" {
		if a, err := readNPYFile(l.opt.Mask); err != nil {
			l.problems = append(l.problems, at(err, l.opt.Mask, ""))
		} else {
			add(a, false)
		}
	}
	if n := marked(mask); n > 0 {
		l.note("%d of %d pixels of a frame are masked", n, len(mask))
	}
	return mask
}

// maskOf returns where a is nonzero, or zero if it marks the good pixels, and whether it is a mask at all.
func (l *loader) maskOf(a Array, side int, good bool) ([]bool, bool) {
	file, key := l.ds.Path, a.Name
	if key == "" {
		file = l.opt.Mask
	}
	if s := dropUnitAxes(a.Shape, 2); !slices.Equal(s, []int{side, side}) {
		found, remedy := fmt.Sprintf("shape %v", a.Shape), "store one mask of the frames' size, or remove it"
		if len(s) == 3 && (s[1] == side || s[2] == l.n) {
			found, remedy = found+", a mask for each frame", "store one mask for all frames"
		}
		l.problems = append(l.problems, Problem{file, key, fmt.Sprintf("a mask of shape (%d, %d)", side, side), found, remedy})
		return nil, false
	}
	v, err := a.Float32s()
	if err != nil {
		l.problems = append(l.problems, at(err, file, key))
		return nil, false
	}
	return apply(v, func(x float32) bool { return (x != 0) != good }), true
}

// union marks in dst, which may be nil, what m marks.
func union(dst, m []bool) []bool {
	if dst == nil {
		return m
	}
	for i, bad := range m {
		dst[i] = dst[i] || bad
	}
	return dst
}

func marked(mask []bool) (n int) {
	for _, bad := range mask {
		if bad {
			n++
		}
	}
	return n
}

// checkMask reports a mask that leaves nothing, and whether it does not.
func (l *loader) checkMask(mask []bool) bool {
	if mask == nil || marked(mask) < len(mask) {
		return true
	}
	l.problem(l.keys.frames, "pixels that were measured", "that all of them are masked", "exchange zero and nonzero in the mask")
	return false
}

// applyMask keeps the mask, which is as the frames are stored, in the Dataset and lets r clear what it marks.
func (l *loader) applyMask(mask []bool, r *frameReader) {
	if marked(mask) == 0 {
		return
	}
	for p, bad := range mask {
		if bad {
			r.masked = append(r.masked, p)
		}
	}
	l.ds.Mask = mask
	if r.shift {
		l.ds.Mask = make([]bool, len(mask))
		fft.Shift(l.ds.Mask, mask, r.n, r.n)
	}
}

// readNPYFile reads a file of one array.
func readNPYFile(path string) (Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return Array{}, Problem{Expected: "a readable file", Found: err.Error(), Remedy: "check the path"}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Array{}, err
	}
	return readNPY(f, info.Size())
}
