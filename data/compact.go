package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"ptycho/internal/kernel"
)

// CompactOptions says how frames are kept. The zero value keeps all of them, as they are.
type CompactOptions struct {
	Limit int64 // bytes that the frames may take; 0 = no limit

	// Mask marks pixels that are to be taken as not measured, besides those of the Dataset: N×N, DC at [N/2, N/2],
	// true = not measured. It is turned with the frames. Nil = none.
	Mask []bool

	// Ceiling is the count from which on a pixel is saturated and taken as not measured in that frame; 0 = none.
	Ceiling float32

	Orientation Orientation // what to do to each frame
}

// notMeasured is the count of a pixel that was not measured.
const notMeasured = -1

// absent stands for notMeasured among uint16 counts.
const absent = math.MaxUint16

// packed is one frame, in the smallest type that holds it exactly.
type packed struct {
	small []uint16 // whole numbers below absent, or absent
	large []float32
}

// Compact is the frames of a scan for iterative use: in any order, many times, by several goroutines. They have
// the direct beam at [0, 0] and −1 where a pixel was not measured.
type Compact struct {
	ds      *Dataset
	n       int
	ceiling float32  // infinite when there is none
	source  []int32  // which pixel of a frame of ds comes to a pixel
	bad     []int32  // pixels that were not measured, after turning
	frames  []packed // nil when they are read from ds each time
	bytes   int64
	scratch sync.Pool // *Intensity, N×N
}

// Compact reads all frames once and keeps them in memory, each in the smallest type that holds it exactly, uint16 or
// float32. Where they would take more than the limit they are not kept, and d must stay open: Read then reads them from d,
// with the same result. An error is that of ReadFrame, or a mask of another size.
func (d *Dataset) Compact(opt CompactOptions) (*Compact, error) {
	n := d.N
	if opt.Mask != nil && len(opt.Mask) != n*n {
		return nil, fmt.Errorf("%s: expected a mask of %d×%d pixels, found %d elements; give one element a pixel of a frame", d.Path, n, n, len(opt.Mask))
	}
	if d.stream == nil && len(d.Frames) != d.Len()*n*n {
		return nil, fmt.Errorf("%s: expected %d frames, found none; load the scan with its frames", d.Path, d.Len())
	}
	c := &Compact{ds: d, n: n, ceiling: opt.Ceiling}
	if c.ceiling == 0 {
		c.ceiling = float32(math.Inf(1))
	}
	c.scratch.New = func() any { f := make(Intensity, n*n); return &f }
	c.place(opt)
	// Two bytes a pixel is the least.
	if least := 2 * int64(d.Len()) * int64(n*n); opt.Limit > 0 && least > opt.Limit {
		return c, nil
	}
	if err := c.keep(opt.Limit); err != nil {
		return nil, err
	}
	return c, nil
}

// place finds out where the pixels of a frame go, and which of them are not measured.
func (c *Compact) place(opt CompactOptions) {
	n := c.n
	c.source = make([]int32, n*n)
	for p := range c.source {
		// From [0, 0] to [N/2, N/2], where turning leaves it.
		q := opt.Orientation.source((p/n+n/2)%n, (p%n+n/2)%n, n)
		c.source[p] = int32(q)
		if opt.Mask != nil && opt.Mask[q] || c.ds.Mask != nil && c.ds.Mask[q] {
			c.bad = append(c.bad, int32(p))
		}
	}
}

// keep packs all frames, unless they take more than limit.
func (c *Compact) keep(limit int64) error {
	frames := make([]packed, c.Len())
	var bytes atomic.Int64
	err := eachFrame(c.Len(), func() func(int) error {
		frame, room := make([]float32, c.n*c.n), make(Intensity, c.n*c.n)
		return func(i int) error {
			if err := c.read(frame, i, room); err != nil {
				return err
			}
			frames[i] = pack(frame)
			if b := bytes.Add(frames[i].bytes()); limit > 0 && b > limit {
				return errFull
			}
			return nil
		}
	})
	switch {
	case errors.Is(err, errFull):
		return nil
	case err != nil:
		return err
	}
	c.frames, c.bytes = frames, bytes.Load()
	return nil
}

// errFull ends the keeping of frames.
var errFull = errors.New("the limit is reached")

// pack copies a frame of counts and notMeasured.
func pack(frame []float32) packed {
	small := make([]uint16, len(frame))
	for i, v := range frame {
		u := uint16(int32(v)) // absent, for notMeasured
		if float32(u) != v && v != notMeasured || v == absent {
			return packed{large: slices.Clone(frame)}
		}
		small[i] = u
	}
	return packed{small: small}
}

func (p packed) bytes() int64 { return 2*int64(len(p.small)) + 4*int64(len(p.large)) }

// read gets a frame from the Dataset, by way of room for another one.
func (c *Compact) read(dst []float32, i int, frame Intensity) error {
	if err := c.ds.ReadFrame(frame, i); err != nil {
		return err
	}
	for p, q := range c.source {
		v := frame[q]
		if !(v >= 0 && v < c.ceiling) {
			v = notMeasured
		}
		dst[p] = v
	}
	for _, p := range c.bad {
		dst[p] = notMeasured
	}
	return nil
}

// Read writes the counts of frame i to dst, N×N, DC at [0, 0], −1 where a pixel was not measured. Several goroutines may
// do so. Of frames in memory it allocates nothing and gives no error; else an error is that of ReadFrame. It panics when dst
// does not have the length of a frame.
func (c *Compact) Read(dst []float32, i int) error {
	if len(dst) != c.n*c.n {
		panic(fmt.Sprintf("data: frame of %d values, want %d×%d", len(dst), c.n, c.n))
	}
	if c.frames == nil {
		s := c.scratch.Get().(*Intensity)
		defer c.scratch.Put(s)
		return c.read(dst, i, *s)
	}
	if f := c.frames[i]; f.small != nil {
		kernel.FromUint16(dst, f.small)
	} else {
		copy(dst, f.large)
	}
	return nil
}

// Len returns the number of frames.
func (c *Compact) Len() int { return c.ds.Len() }

// N returns the side of a frame in pixels.
func (c *Compact) N() int { return c.n }

// Kept tells whether the frames are in memory.
func (c *Compact) Kept() bool { return c.frames != nil }

// Bytes returns how many bytes the frames take in memory, 0 when they are not kept.
func (c *Compact) Bytes() int64 { return c.bytes }

// Type returns the type of the frames in memory: "uint16", "float32", "uint16 and float32", or "" when they are not kept.
func (c *Compact) Type() string {
	var name string
	if slices.ContainsFunc(c.frames, func(p packed) bool { return p.small != nil }) {
		name = "uint16"
	}
	if slices.ContainsFunc(c.frames, func(p packed) bool { return p.large != nil }) {
		if name != "" {
			name += " and "
		}
		name += "float32"
	}
	return name
}
