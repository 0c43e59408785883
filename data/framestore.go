package data

import (
	"errors"
	"io"
	"sync"
)

// frameStore gives the frames of a scan one at a time, in the unit and with the origin of their file.
type frameStore interface {
	// read writes frame i, N×N row-major values, to dst. Several goroutines may do so.
	read(dst []float32, i int) error
	io.Closer
}

// memoryStore holds frames in memory.
type memoryStore []float32

func (s memoryStore) read(dst []float32, i int) error {
	copy(dst, s[i*len(dst):][:len(dst)])
	return nil
}

func (s memoryStore) Close() error { return nil }

// fileStore reads frames that lie one after another.
type fileStore struct {
	io.Closer
	src     io.ReaderAt
	start   int64 // of the first frame
	columns bool  // pixels column by column
	side    int
	dtype   dtype
	scratch sync.Pool // *frameDecoder
}

// frameDecoder is the room that reading a frame takes.
type frameDecoder struct {
	raw []byte
	dec *decoder
}

func newFileStore(src io.ReaderAt, start int64, d dtype, axes frameAxes, c io.Closer) *fileStore {
	return &fileStore{Closer: c, src: src, start: start, columns: axes.fortran, side: axes.side, dtype: d}
}

func (s *fileStore) read(dst []float32, i int) error {
	f, ok := s.scratch.Get().(*frameDecoder)
	if !ok {
		f = &frameDecoder{make([]byte, len(dst)*s.dtype.size), newDecoder(s.dtype, len(dst))}
	}
	defer s.scratch.Put(f)
	if _, err := s.src.ReadAt(f.raw, s.start+int64(i)*int64(len(f.raw))); err != nil {
		return truncated(err)
	}
	// The values are real numbers: newSink has seen to it.
	appendReals(dst[:0], f.dec.decode(f.raw))
	if s.columns {
		for r := range s.side {
			for c := range r {
				p, q := r*s.side+c, c*s.side+r
				dst[p], dst[q] = dst[q], dst[p]
			}
		}
	}
	return nil
}

// nothing is a Closer of nothing.
type nothing struct{}

func (nothing) Close() error { return nil }

// frameSink takes the frames of an array in stored order and becomes a store of them.
type frameSink interface {
	take(b block, values []float32) error
	store() (frameStore, error)
	io.Closer
}

// keeper keeps all frames in memory.
type keeper struct {
	nothing
	axes   frameAxes
	frames memoryStore
}

func (k *keeper) take(b block, values []float32) error {
	scatter(k.frames, values, b.from, k.axes)
	return nil
}

func (k *keeper) store() (frameStore, error) { return k.frames, nil }

// streamer leaves frames in the file where they can be read one by one, and else makes a copy of which that is true.
type streamer struct {
	axes  frameAxes
	dtype dtype
	src   io.ReaderAt // where the elements are as stored
	start int64       // of the first element
	copy  *spool      // src, for an array that is deflated
}

func (z *NPZ) newStreamer(m *member, axes frameAxes) (*streamer, error) {
	s := &streamer{axes: axes, dtype: m.head.dtype}
	if m.deflated() {
		s.copy = newSpool()
		s.src = s.copy
		return s, nil
	}
	offset, err := m.file.DataOffset()
	s.src, s.start = z.source, offset+m.head.size
	return s, err
}

func (s *streamer) take(b block, _ []float32) error {
	if s.copy == nil {
		return nil
	}
	_, err := s.copy.Write(b.raw)
	return err
}

func (s *streamer) Close() error {
	if s.copy == nil {
		return nil
	}
	return s.copy.Close()
}

func (s *streamer) store() (frameStore, error) {
	if !s.axes.interleaved() {
		return newFileStore(s.src, s.start, s.dtype, s.axes, s), nil
	}
	t := newSpool()
	if err := errors.Join(s.untangle(t), s.Close()); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return newFileStore(t, 0, s.dtype, s.axes, t), nil
}

// untangle writes interleaved frames one after another to w. It gathers as many at a time as fit in memory, pixel by
// pixel.
func (s *streamer) untangle(w io.Writer) error {
	const room = 8 << 20
	n, size, pix := s.axes.n, s.dtype.size, s.axes.side*s.axes.side
	atOnce := min(max(1, room/(pix*size)), n)
	frames, pixel := make([]byte, atOnce*pix*size), make([]byte, atOnce*size)
	for from := 0; from < n; from += atOnce {
		count := min(atOnce, n-from)
		for p := range pix {
			if _, err := s.src.ReadAt(pixel[:count*size], s.start+int64(p*n+from)*int64(size)); err != nil {
				return truncated(err)
			}
			for k := range count {
				copy(frames[(k*pix+p)*size:], pixel[k*size:][:size])
			}
		}
		if _, err := w.Write(frames[:count*pix*size]); err != nil {
			return err
		}
	}
	return nil
}
