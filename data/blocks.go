package data

import "io"

// block is some successive elements of an array, in stored order.
type block struct {
	from   int    // index of the first in stored order
	raw    []byte // as in the file
	values any    // decoded, as in Array.Data
}

// scan hands the elements of a numeric array to f in stored order, a block at a time, which f must not keep.
// It ends with the first error. An error is a Problem.
func (z *NPZ) scan(name string, f func(block) error) error {
	m, err := z.member(name)
	if err != nil {
		return err
	}
	if err := m.scan(f); err != nil {
		return at(err, z.path, name)
	}
	return nil
}

func (m *member) scan(f func(block) error) error {
	count, err := m.count()
	if err != nil {
		return err
	}
	r, err := m.file.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, m.head.size); err != nil {
		return truncated(err)
	}
	size := m.head.dtype.size
	raw := make([]byte, min(chunk, count)*size)
	dec := newDecoder(m.head.dtype, min(chunk, count))
	for from := 0; from < count; from += chunk {
		raw = raw[:min(chunk, count-from)*size]
		if _, err := io.ReadFull(r, raw); err != nil {
			return truncated(err)
		}
		if err := f(block{from, raw, dec.decode(raw)}); err != nil {
			return err
		}
	}
	return expectEnd(r)
}

// count returns the number of elements, which the member holds exactly.
func (m *member) count() (int, error) {
	count, err := m.head.count()
	if err != nil {
		return 0, err
	}
	return int(count), checkSize(m.head, count, int64(m.file.UncompressedSize64)-m.head.size)
}

// expectEnd reads on to the end of the member, which makes archive/zip compare its checksum.
func expectEnd(r io.Reader) error {
	n, err := io.Copy(io.Discard, io.LimitReader(r, 1))
	if err == nil && n > 0 {
		return broken("bytes after the array's data")
	}
	return err
}
