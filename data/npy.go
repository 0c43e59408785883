package data

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/sbinet/npyio/npy"
)

// maxStrings bounds the elements of a string array, whose Go form is larger than its file form.
const maxStrings = 1 << 20

// readNPY reads one NPY stream of exactly size bytes. It allocates no more than the array that size can
// hold, whatever the header says.
func readNPY(r io.Reader, size int64) (Array, error) {
	br := bufio.NewReaderSize(r, 1<<16)
	h, err := readHeader(br)
	if err != nil {
		return Array{}, err
	}
	data, err := readPayload(br, h, size-h.size)
	if err != nil {
		return Array{}, err
	}
	if err := expectEnd(br); err != nil {
		return Array{}, err
	}
	return Array{Shape: h.Shape, Data: data}, nil
}

func readPayload(r *bufio.Reader, h Header, size int64) (any, error) {
	if h.dtype.kind == 'O' {
		return readObject(r, h, size)
	}
	count, err := h.count()
	if err != nil {
		return nil, err
	}
	if err := checkSize(h, count, size); err != nil {
		return nil, err
	}
	data, err := decode(r, h.dtype, int(count))
	if err != nil {
		return nil, truncated(err)
	}
	if h.Fortran && len(h.Shape) > 1 {
		data = transpose(data, h.Shape)
	}
	return data, nil
}

func checkSize(h Header, count, size int64) error {
	item := int64(h.dtype.size)
	if item == 0 && count > 1 || (h.dtype.kind == 'U' || h.dtype.kind == 'S') && count > maxStrings {
		return broken("%d strings of type %s", count, h.dtype)
	}
	if item != 0 && count > math.MaxInt64/item || count*item != size {
		return Problem{
			Expected: fmt.Sprintf("the data of shape %v, dtype %s", h.Shape, h.dtype),
			Found:    fmt.Sprintf("%d bytes, which is another size", size),
			Remedy:   "the file is truncated or damaged: copy or write it again",
		}
	}
	return nil
}

func decode(r *bufio.Reader, d dtype, n int) (any, error) {
	switch fmt.Sprintf("%c%d", d.kind, d.size) {
	case "f4":
		return bulk[float32](r, d, n)
	case "f8":
		return bulk[float64](r, d, n)
	case "c8":
		return bulk[complex64](r, d, n)
	case "c16":
		return bulk[complex128](r, d, n)
	case "i1":
		return bulk[int8](r, d, n)
	case "i2":
		return bulk[int16](r, d, n)
	case "i4":
		return bulk[int32](r, d, n)
	case "i8":
		return bulk[int64](r, d, n)
	case "u1":
		return bulk[uint8](r, d, n)
	case "u2":
		return bulk[uint16](r, d, n)
	case "u4":
		return bulk[uint32](r, d, n)
	case "u8":
		return bulk[uint64](r, d, n)
	case "b1":
		return bulk[bool](r, d, n)
	case "f2":
		return readHalves(r, d, n)
	}
	return readStrings(r, d, n)
}

// bulk decodes n elements with npyio, which is given a plain one-dimensional header in its own spelling:
// the real one has been checked already, more strictly than npyio does.
func bulk[T any](r *bufio.Reader, d dtype, n int) ([]T, error) {
	dst := make([]T, n)
	if n == 0 {
		return dst, nil
	}
	if d.size == 1 {
		d.order = '|'
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d,), }\n", d, n)
	head := npyMagic + "\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(text)))) + text
	nr, err := npy.NewReader(&prefixed{head: head, Reader: r})
	if err != nil {
		return nil, err
	}
	return dst, nr.Read(&dst)
}

// prefixed reads head and then goes on with Reader.
type prefixed struct {
	head string
	*bufio.Reader
}

func (p *prefixed) Read(b []byte) (int, error) {
	if p.head == "" {
		return p.Reader.Read(b)
	}
	n := copy(b, p.head)
	p.head = p.head[n:]
	return n, nil
}

func byteOrder(d dtype) binary.ByteOrder {
	if d.order == '>' {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func readHalves(r *bufio.Reader, d dtype, n int) ([]float32, error) {
	bits := make([]uint16, n)
	if err := binary.Read(r, byteOrder(d), bits); err != nil {
		return nil, err
	}
	return apply(bits, half), nil
}

// half returns the value of an IEEE 754 binary16 number.
func half(b uint16) float32 {
	sign, exp, frac := float64(1), int(b>>10&0x1f), float64(b&0x3ff)
	if b>>15 == 1 {
		sign = -1
	}
	switch {
	case exp == 0:
		return float32(sign * math.Ldexp(frac, -24))
	case exp == 31 && frac == 0:
		return float32(math.Inf(int(sign)))
	case exp == 31:
		return float32(math.NaN())
	}
	return float32(sign * math.Ldexp(1024+frac, exp-25))
}

func readStrings(r *bufio.Reader, d dtype, n int) ([]string, error) {
	dst := make([]string, n)
	raw := make([]byte, d.size)
	for i := range dst {
		if _, err := io.ReadFull(r, raw); err != nil {
			return nil, err
		}
		s := string(raw)
		if d.kind == 'U' {
			s = decodeUCS4(raw, byteOrder(d))
		}
		dst[i] = strings.TrimRight(s, "\x00")
	}
	return dst, nil
}

func decodeUCS4(raw []byte, order binary.ByteOrder) string {
	var b strings.Builder
	for ; len(raw) >= 4; raw = raw[4:] {
		// A value beyond Unicode becomes U+FFFD.
		b.WriteRune(rune(min(order.Uint32(raw), 0x110000)))
	}
	return b.String()
}

// readObject reads a pickled array, of which only one string in a 0-d array is accepted.
func readObject(r *bufio.Reader, h Header, size int64) (any, error) {
	const maxPickle = 1 << 26
	if len(h.Shape) != 0 || size > maxPickle {
		return nil, errPickle(fmt.Sprintf("a pickled object array of shape %v", h.Shape))
	}
	raw := make([]byte, max(size, 0))
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, truncated(err)
	}
	s, err := unpickleString(raw)
	if err != nil {
		return nil, err
	}
	return []string{s}, nil
}
