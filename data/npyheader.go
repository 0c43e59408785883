package data

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"
)

// Header is what an NPY member says of its array before the data.
type Header struct {
	Name    string
	Shape   []int
	Dtype   string // numpy's spelling, such as "<f4"
	Fortran bool   // stored first axis fastest; Read returns C order all the same

	dtype dtype
	size  int64 // bytes of magic, version, length and text
}

const (
	npyMagic     = "\x93NUMPY"
	maxHeader    = 1 << 16 // bytes; numpy refuses above 10⁴ by default
	maxDims      = 32      // numpy's own limit
	brokenRemedy = "write the file again with numpy.save or numpy.savez"
)

func broken(format string, args ...any) Problem {
	return Problem{Expected: "a well-formed NPY header", Found: fmt.Sprintf(format, args...), Remedy: brokenRemedy}
}

// count returns the number of elements; an overflow is an error.
func (h Header) count() (int64, error) {
	n := uint64(1)
	for _, d := range h.Shape {
		if d == 0 {
			return 0, nil
		}
	}
	for _, d := range h.Shape {
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > 1<<62 {
			return 0, broken("shape %v, more elements than memory can hold", h.Shape)
		}
		n = lo
	}
	return int64(n), nil
}

// readHeader reads the NPY header at the start of r, versions 1 to 3.
func readHeader(r io.Reader) (Header, error) {
	var fixed [8]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return Header{}, truncated(err)
	}
	if string(fixed[:6]) != npyMagic {
		return Header{}, broken("the bytes %q instead of the NPY magic", fixed[:6])
	}
	length := make([]byte, 2)
	switch fixed[6] {
	case 1:
	case 2, 3:
		length = make([]byte, 4)
	default:
		return Header{}, broken("NPY version %d", fixed[6])
	}
	if _, err := io.ReadFull(r, length); err != nil {
		return Header{}, truncated(err)
	}
	var full [4]byte
	copy(full[:], length)
	n := binary.LittleEndian.Uint32(full[:])
	if n > maxHeader {
		return Header{}, broken("a header of %d bytes", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return Header{}, truncated(err)
	}
	h, err := parseHeader(string(text))
	h.size = int64(len(fixed) + len(length) + len(text))
	return h, err
}

func truncated(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return Problem{Expected: "a whole array", Found: "the end of the data (truncated)", Remedy: "copy or write the file again"}
	}
	return err
}

// parseHeader reads the text of a header, a Python dict literal with the keys descr, fortran_order and
// shape in any order.
func parseHeader(text string) (Header, error) {
	p := literal{rest: text}
	var h Header
	seen := map[string]bool{}
	if err := p.expect('{'); err != nil {
		return h, err
	}
	for !p.accept('}') {
		key, err := p.quoted()
		if err != nil {
			return h, err
		}
		if seen[key] {
			return h, broken("the header key %q twice", key)
		}
		seen[key] = true
		if err := p.expect(':'); err != nil {
			return h, err
		}
		if err := p.field(key, &h); err != nil {
			return h, err
		}
		if !p.accept(',') {
			if err := p.expect('}'); err != nil {
				return h, err
			}
			break
		}
	}
	if p.peek() != 0 {
		return h, broken("%q after the header's closing brace", clip(p.rest))
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return h, broken("no %q in the header", key)
		}
	}
	return h, nil
}

// literal is the unread rest of a Python literal.
type literal struct{ rest string }

func (p *literal) peek() byte {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

func (p *literal) accept(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *literal) expect(c byte) error {
	if !p.accept(c) {
		return broken("%q where %q should be", clip(p.rest), string(c))
	}
	return nil
}

func (p *literal) quoted() (string, error) {
	q := p.peek()
	if q != '\'' && q != '"' {
		return "", broken("%q where a quoted string should be", clip(p.rest))
	}
	end := strings.IndexByte(p.rest[1:], q)
	if end < 0 {
		return "", broken("an unclosed string")
	}
	s := p.rest[1 : 1+end]
	p.rest = p.rest[end+2:]
	return s, nil
}

func (p *literal) field(key string, h *Header) (err error) {
	switch key {
	case "descr":
		if c := p.peek(); c == '[' || c == '(' {
			return Problem{
				Expected: "a plain dtype", Found: "a structured dtype",
				Remedy: "save each field of the record as an array of its own",
			}
		}
		var s string
		if s, err = p.quoted(); err != nil {
			return err
		}
		h.dtype, err = parseDtype(s)
		h.Dtype = s
	case "fortran_order":
		h.Fortran, err = p.boolean()
	case "shape":
		h.Shape, err = p.tuple()
	default:
		err = broken("an unknown header key %q", clip(key))
	}
	return err
}

func (p *literal) boolean() (bool, error) {
	p.peek()
	for _, word := range []string{"True", "False"} {
		if rest, ok := strings.CutPrefix(p.rest, word); ok {
			p.rest = rest
			return word == "True", nil
		}
	}
	return false, broken("fortran_order %q", clip(p.rest))
}

func (p *literal) tuple() ([]int, error) {
	if err := p.expect('('); err != nil {
		return nil, err
	}
	var shape []int
	for !p.accept(')') {
		d, err := p.dimension()
		if err != nil {
			return nil, err
		}
		if shape = append(shape, d); len(shape) > maxDims {
			return nil, broken("more than %d dimensions", maxDims)
		}
		if !p.accept(',') {
			if len(shape) == 1 {
				return nil, broken("a shape that is not a tuple")
			}
			if err := p.expect(')'); err != nil {
				return nil, err
			}
			break
		}
	}
	return shape, nil
}

func (p *literal) dimension() (int, error) {
	p.peek()
	end := 0
	for end < len(p.rest) && '0' <= p.rest[end] && p.rest[end] <= '9' {
		end++
	}
	d, err := strconv.ParseInt(p.rest[:end], 10, 64)
	if err != nil || int64(int(d)) != d {
		return 0, broken("a shape with %q as a dimension", clip(p.rest))
	}
	// Python 2 wrote long integers with a suffix.
	p.rest = strings.TrimPrefix(p.rest[end:], "L")
	return int(d), nil
}

// clip shortens s for a message.
func clip(s string) string {
	const limit = 24
	if len(s) > limit {
		return s[:limit] + "…"
	}
	return s
}
