package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

func errPickle(found string) Problem {
	return Problem{
		Expected: "an array without Python objects (or one string)",
		Found:    found,
		Remedy:   "save it with a plain dtype, for instance numpy.asarray(value, dtype=float) or numpy.array(text)",
	}
}

// unpickleString returns the one string of a pickled str, bytes, or 0-d numpy object array of either. It
// runs no code and builds no object: what a pickle would construct is an opaque value here, and only
// numpy's own array constructors may be named at all.
func unpickleString(raw []byte) (string, error) {
	m := unpickler{raw: raw, memo: map[uint32]any{}}
	for {
		op, ok := m.next(1)
		if !ok {
			return "", errPickle("a truncated pickle")
		}
		if op[0] == '.' {
			return m.result()
		}
		if err := m.step(op[0]); err != nil {
			return "", err
		}
	}
}

// The values on an unpickler's stack: string, tuple, *list, mark, *object or nil for anything else.
type (
	mark   struct{}
	tuple  []any
	list   struct{ items []any }
	object struct{ state any }
)

type unpickler struct {
	raw   []byte
	stack []any
	memo  map[uint32]any
}

func (m *unpickler) next(n uint64) ([]byte, bool) {
	if n > uint64(len(m.raw)) {
		return nil, false
	}
	b := m.raw[:n]
	m.raw = m.raw[n:]
	return b, true
}

func (m *unpickler) line() (string, bool) {
	i := bytes.IndexByte(m.raw, '\n')
	if i < 0 {
		return "", false
	}
	s := string(m.raw[:i])
	m.raw = m.raw[i+1:]
	return s, true
}

// uint reads a little-endian unsigned integer of n bytes.
func (m *unpickler) uint(n uint64) (uint64, bool) {
	b, ok := m.next(n)
	if !ok {
		return 0, false
	}
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), true
}

func (m *unpickler) push(v any) { m.stack = append(m.stack, v) }

func (m *unpickler) pop() (any, bool) {
	if len(m.stack) == 0 {
		return nil, false
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, true
}

// popN removes the top n values.
func (m *unpickler) popN(n int) ([]any, bool) {
	if len(m.stack) < n {
		return nil, false
	}
	vs := append([]any(nil), m.stack[len(m.stack)-n:]...)
	m.stack = m.stack[:len(m.stack)-n]
	return vs, true
}

// popMark removes the values down to the last mark, and the mark.
func (m *unpickler) popMark() ([]any, bool) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			vs, _ := m.popN(len(m.stack) - i - 1)
			m.pop()
			return vs, true
		}
	}
	return nil, false
}

func (m *unpickler) step(op byte) error {
	ok := false
	switch op {
	case 0x80: // PROTO
		_, ok = m.next(1)
	case 0x95: // FRAME
		_, ok = m.next(8)
	case '(':
		m.push(mark{})
		ok = true
	case 'N', 0x88, 0x89: // None, True, False
		m.push(nil)
		ok = true
	case 'I', 'L': // integers as text
		_, ok = m.line()
		m.push(nil)
	case 'K', 'M', 'J': // BININT1, BININT2, BININT
		_, ok = m.next(map[byte]uint64{'K': 1, 'M': 2, 'J': 4}[op])
		m.push(nil)
	case 0x8a: // LONG1
		var n uint64
		if n, ok = m.uint(1); ok {
			_, ok = m.next(n)
		}
		m.push(nil)
	case 'V', 'S', 'X', 'T', 'U', 'B', 'C', 0x8c, 0x8d, 0x8e:
		ok = m.text(op)
	case 'p', 'q', 'r', 0x94, 'g', 'h', 'j':
		ok = m.memory(op)
	case 'c', 0x93:
		return m.global(op)
	case ')', 't', 0x85, 0x86, 0x87, ']', 'l', 'a', 'e':
		ok = m.sequence(op)
	case 'R', 'b':
		ok = m.build(op)
	default:
		return errPickle(fmt.Sprintf("a pickled Python object (opcode %#02x)", op))
	}
	if !ok {
		return errPickle("a damaged pickle")
	}
	return nil
}

// text pushes a str or bytes.
func (m *unpickler) text(op byte) bool {
	if op == 'V' || op == 'S' {
		s, ok := m.line()
		if !ok {
			return false
		}
		if op == 'S' {
			s, ok = unquote(s)
		} else {
			s, ok = unescape(s)
		}
		m.push(s)
		return ok
	}
	width := map[byte]uint64{'X': 4, 'T': 4, 'U': 1, 'B': 4, 'C': 1, 0x8c: 1, 0x8d: 8, 0x8e: 8}[op]
	n, ok := m.uint(width)
	if !ok {
		return false
	}
	b, ok := m.next(n)
	m.push(string(b))
	return ok
}

// unquote reads the quoted string of protocol 0, of Python 2.
func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
		return "", false
	}
	quote, rest := s[0], s[1:len(s)-1]
	var b strings.Builder
	for rest != "" {
		if strings.HasPrefix(rest, `\'`) || strings.HasPrefix(rest, `\"`) {
			b.WriteByte(rest[1])
			rest = rest[2:]
			continue
		}
		r, multibyte, tail, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			return "", false
		}
		if multibyte {
			b.WriteRune(r)
		} else {
			b.WriteByte(byte(r))
		}
		rest = tail
	}
	return b.String(), true
}

// unescape reads the raw-unicode-escape text of protocol 0: Latin-1 with \uXXXX and \UXXXXXXXX.
func unescape(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); {
		width := 0
		if s[i] == '\\' && i+1 < len(s) {
			width = map[byte]int{'u': 4, 'U': 8}[s[i+1]]
		}
		if width == 0 {
			b.WriteRune(rune(s[i]))
			i++
			continue
		}
		end := i + 2 + width
		if end > len(s) {
			return "", false
		}
		r, err := strconv.ParseUint(s[i+2:end], 16, 32)
		if err != nil {
			return "", false
		}
		b.WriteRune(rune(min(r, 0x110000)))
		i = end
	}
	return b.String(), true
}

// memory stores the top of the stack, or fetches what was stored.
func (m *unpickler) memory(op byte) bool {
	var key uint64
	ok := true
	switch op {
	case 'p', 'g':
		var s string
		if s, ok = m.line(); ok {
			var err error
			key, err = strconv.ParseUint(s, 10, 32)
			ok = err == nil
		}
	case 'q', 'h':
		key, ok = m.uint(1)
	case 'r', 'j':
		key, ok = m.uint(4)
	case 0x94: // MEMOIZE
		key = uint64(len(m.memo))
	}
	if !ok {
		return false
	}
	if op == 'g' || op == 'h' || op == 'j' {
		v, ok := m.memo[uint32(key)]
		m.push(v)
		return ok
	}
	if len(m.stack) == 0 {
		return false
	}
	m.memo[uint32(key)] = m.stack[len(m.stack)-1]
	return true
}

// global accepts the names that numpy's own array pickles use, as opaque values.
func (m *unpickler) global(op byte) error {
	var module, name string
	ok := false
	if op == 'c' {
		if module, ok = m.line(); ok {
			name, ok = m.line()
		}
	} else if vs, enough := m.popN(2); enough {
		module, ok = vs[0].(string)
		if ok {
			name, ok = vs[1].(string)
		}
	}
	if !ok {
		return errPickle("a damaged pickle")
	}
	switch module + "." + name {
	case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
		"numpy.ndarray", "numpy.dtype", "_codecs.encode":
		m.push(nil)
		return nil
	}
	return errPickle(fmt.Sprintf("a pickle that names %q", clip(module+"."+name)))
}

func (m *unpickler) sequence(op byte) bool {
	var vs []any
	ok := true
	switch op {
	case 't', 'l', 'e':
		vs, ok = m.popMark()
	case 0x85, 0x86, 0x87:
		vs, ok = m.popN(int(op - 0x84))
	case 'a':
		vs, ok = m.popN(1)
	}
	if !ok {
		return false
	}
	switch op {
	case ']', 'l':
		m.push(&list{items: vs})
	case 'a', 'e':
		if len(m.stack) == 0 {
			return false
		}
		l, isList := m.stack[len(m.stack)-1].(*list)
		if !isList {
			return false
		}
		l.items = append(l.items, vs...)
	default:
		m.push(tuple(vs))
	}
	return true
}

// build replaces a call by an opaque object, and gives an object its state.
func (m *unpickler) build(op byte) bool {
	vs, ok := m.popN(2)
	if !ok {
		return false
	}
	if op == 'R' {
		m.push(&object{})
		return true
	}
	o, ok := vs[0].(*object)
	if !ok {
		return false
	}
	o.state = vs[1]
	m.push(o)
	return true
}

// result returns the string on top of the stack, or in the object array on top of it, whose state is
// (version, shape, dtype, fortran, [elements]).
func (m *unpickler) result() (string, error) {
	v, _ := m.pop()
	if o, ok := v.(*object); ok {
		if state, ok := o.state.(tuple); ok && len(state) == 5 {
			if l, ok := state[4].(*list); ok && len(l.items) == 1 {
				v = l.items[0]
			}
		}
	}
	if s, ok := v.(string); ok {
		return s, nil
	}
	return "", errPickle("a pickled Python object that is not one string")
}
