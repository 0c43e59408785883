package data

import (
	"fmt"
	"io"
	"math"
	"slices"
	"sync"

	"ptycho/fft"
)

// frameReader turns the frames of a store into photon counts with the direct beam at [N/2, N/2]. Several goroutines may read.
type frameReader struct {
	store  frameStore
	n      int       // side of a frame
	masked []int     // pixels that were not measured, as they lie in the store
	shift  bool      // the direct beam is at [0, 0] in the store
	scales []float64 // to multiply by, one after another
	square bool      // amplitudes become intensities
	round  bool      // which are whole numbers

	scratch sync.Pool // *[]float32, a frame that is to be shifted
}

// read writes frame i to dst, N×N.
func (r *frameReader) read(dst Intensity, i int) error {
	if err := r.store.read(dst, i); err != nil {
		return err
	}
	for _, p := range r.masked {
		dst[p] = 0
	}
	if r.shift {
		r.shiftInPlace(dst)
	}
	for _, s := range r.scales {
		rescale(dst, s)
	}
	if r.square {
		Amplitude(dst).Intensity(dst)
	}
	if r.round {
		for k, v := range dst {
			dst[k] = float32(math.Round(float64(v)))
		}
	}
	return nil
}

// shiftInPlace moves the direct beam of a frame from [0, 0] to [N/2, N/2].
func (r *frameReader) shiftInPlace(frame []float32) {
	s, ok := r.scratch.Get().(*[]float32)
	if !ok {
		s = new(make([]float32, len(frame)))
	}
	copy(*s, frame)
	fft.Shift(frame, *s, r.n, r.n)
	r.scratch.Put(s)
}

// rescale multiplies v by s in place.
func rescale(v []float32, s float64) {
	for i, x := range v {
		v[i] = float32(float64(x) * s)
	}
}

func square(x float64) float64 { return x * x }

// readFrame reads a frame and reports whether that went well.
func (l *loader) readFrame(r *frameReader, dst []float32, i int) bool {
	err := r.read(dst, i)
	return err == nil || l.failed(l.keys.frames, err)
}

// total returns the sum of f over all values.
func (l *loader) total(r *frameReader, f func(float64) float64) (sum float64) {
	frame := make([]float32, r.n*r.n)
	for i := 0; i < l.n && l.readFrame(r, frame, i); i++ {
		for _, x := range frame {
			sum += f(float64(x))
		}
	}
	return sum
}

// finish reads all frames once as they will be used, and measures dose and peak. Frames in memory are replaced for good. It
// returns which frames are empty.
func (l *loader) finish(s *stored, r *frameReader) (empty defect) {
	d := l.ds
	pix, total := d.N*d.N, 0.0
	kept, inMemory := s.frames.(memoryStore)
	sums, peaks := make([]float64, d.Len()), make([]float32, d.Len())
	err := eachFrame(d.Len(), func() func(int) error {
		frame := make(Intensity, pix)
		return func(i int) error {
			if inMemory {
				frame = Intensity(kept[i*pix:][:pix])
			}
			err := r.read(frame, i)
			sums[i], peaks[i] = frame.Sum(), slices.Max(frame)
			return err
		}
	})
	if err != nil {
		l.failed(l.keys.frames, err)
		return defect{}
	}
	for i, sum := range sums {
		if sum == 0 {
			empty.add(i)
		}
		total += sum
		d.Peak = max(d.Peak, peaks[i])
	}
	d.Dose = total / float64(d.Len())
	if inMemory {
		d.Frames = Intensity(kept)
	} else {
		d.stream = &stream{reader: r}
	}
	return empty
}

// stream is the frames of a Dataset that are read when they are needed.
type stream struct {
	reader *frameReader
	index  []int // number in the file by number in the Dataset, nil if they are the same
	closer io.Closer
}

// InMemory tells whether all frames are in memory, in Frames, if the Dataset has any.
func (d *Dataset) InMemory() bool { return d.stream == nil }

// ReadFrame writes frame i, N×N photon counts, DC at [N/2, N/2], to dst, from memory or from the file. Several
// goroutines may do so. It panics when dst does not have the length of a frame. An error is a Problem.
func (d *Dataset) ReadFrame(dst Intensity, i int) error {
	if len(dst) != d.N*d.N {
		panic(fmt.Sprintf("data: frame of %d values, want %d×%d", len(dst), d.N, d.N))
	}
	if d.stream == nil {
		copy(dst, d.Frame(i))
		return nil
	}
	if err := d.stream.reader.read(dst, d.stream.number(i)); err != nil {
		return at(err, d.Path, fmt.Sprintf("frame %d", i))
	}
	return nil
}

func (s *stream) number(i int) int {
	if s.index == nil {
		return i
	}
	return s.index[i]
}

// Close ends the reading of frames, here and in all that Select has made of d. Frames in memory stay.
func (d *Dataset) Close() error {
	if d.stream == nil {
		return nil
	}
	return d.stream.closer.Close()
}
