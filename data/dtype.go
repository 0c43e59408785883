package data

import (
	"fmt"
	"strconv"
)

// dtype is a numpy element type: byte order, kind character and bytes an element.
type dtype struct {
	order byte // '<', '>' or '|'
	kind  byte // one of f c i u b U S O
	size  int
}

// maxStringSize bounds one string element; a metadata string is far below it.
const maxStringSize = 1 << 28

// parseDtype reads a numpy type string such as "<f4" or "|S12".
func parseDtype(s string) (dtype, error) {
	unsupported := Problem{
		Expected: "a dtype of f2 f4 f8 c8 c16 i1…i8 u1…u8 b1 U S",
		Found:    fmt.Sprintf("%q", s),
		Remedy:   "convert the array with numpy's astype before saving",
	}
	d := dtype{order: '|'}
	rest := s
	if rest != "" && (rest[0] == '<' || rest[0] == '>' || rest[0] == '|') {
		d.order, rest = rest[0], rest[1:]
	}
	if rest == "" {
		return dtype{}, unsupported
	}
	d.kind = rest[0]
	if d.kind == 'O' && len(rest) == 1 {
		return d, nil
	}
	size, err := strconv.ParseUint(rest[1:], 10, 31)
	if err != nil {
		return dtype{}, unsupported
	}
	d.size = int(size)
	if d.kind == 'U' {
		if d.size > maxStringSize {
			return dtype{}, unsupported
		}
		d.size *= 4 // UCS-4
	}
	if !d.supported() {
		return dtype{}, unsupported
	}
	return d, nil
}

func (d dtype) supported() bool {
	switch d.kind {
	case 'f':
		return d.size == 2 || d.size == 4 || d.size == 8
	case 'c':
		return d.size == 8 || d.size == 16
	case 'i', 'u':
		return d.size == 1 || d.size == 2 || d.size == 4 || d.size == 8
	case 'b':
		return d.size == 1
	case 'U', 'S':
		return d.size <= maxStringSize
	}
	return false
}

// String returns numpy's spelling.
func (d dtype) String() string {
	switch d.kind {
	case 'O':
		return "|O"
	case 'U':
		return fmt.Sprintf("%c%c%d", d.order, d.kind, d.size/4)
	}
	return fmt.Sprintf("%c%c%d", d.order, d.kind, d.size)
}
