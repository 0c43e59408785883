package data

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"ptycho/internal/atomicfile"
)

// WriteNPZ writes arrays to an NPZ file that numpy reads without pickle. The file appears whole or not at
// all. Equal arrays give equal bytes: nothing of the clock or the machine is recorded. Members that deflate
// shrinks are deflated, others stored, and all have 64-byte aligned version 1 headers.
func WriteNPZ(path string, arrays ...Array) error {
	return atomicfile.Write(path, func(w io.Writer) error { return writeNPZ(w, arrays) })
}

func writeNPZ(w io.Writer, arrays []Array) error {
	zw := zip.NewWriter(w)
	zw.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestSpeed)
	})
	seen := map[string]bool{}
	for _, a := range arrays {
		if a.Name == "" || seen[a.Name] {
			return fmt.Errorf("data: array name %q empty or used twice", a.Name)
		}
		seen[a.Name] = true
		if err := writeMember(zw, a); err != nil {
			return fmt.Errorf("array %s: %w", a.Name, err)
		}
	}
	return zw.Close()
}

func writeMember(zw *zip.Writer, a Array) error {
	e, err := newEncoder(a)
	if err != nil {
		return err
	}
	// The earliest date that zip knows, as numpy writes it.
	epoch := time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)
	h := &zip.FileHeader{Name: a.Name + npySuffix, Method: zip.Store, Modified: epoch}
	if e.compressible() {
		h.Method = zip.Deflate
	}
	w, err := zw.CreateHeader(h)
	if err != nil {
		return err
	}
	return e.writeTo(w)
}

// encoder turns an array into NPY bytes, a chunk at a time.
type encoder struct {
	head   []byte
	count  int
	append func(b []byte, from, to int) []byte // appends elements [from, to)
}

// chunk is the number of elements encoded at once.
const chunk = 1 << 14

func newEncoder(a Array) (encoder, error) {
	var e encoder
	var descr string
	n := 0
	switch v := a.Data.(type) {
	case []float32:
		descr, n, e.append = "<f4", len(v), plain(v)
	case []float64:
		descr, n, e.append = "<f8", len(v), plain(v)
	case []complex64:
		descr, n, e.append = "<c8", len(v), func(b []byte, from, to int) []byte {
			for _, z := range v[from:to] {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(real(z)))
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(imag(z)))
			}
			return b
		}
	case []complex128:
		descr, n, e.append = "<c16", len(v), func(b []byte, from, to int) []byte {
			for _, z := range v[from:to] {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(real(z)))
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(imag(z)))
			}
			return b
		}
	case []int8:
		descr, n, e.append = "|i1", len(v), plain(v)
	case []int16:
		descr, n, e.append = "<i2", len(v), plain(v)
	case []int32:
		descr, n, e.append = "<i4", len(v), plain(v)
	case []int64:
		descr, n, e.append = "<i8", len(v), plain(v)
	case []uint8:
		descr, n, e.append = "|u1", len(v), plain(v)
	case []uint16:
		descr, n, e.append = "<u2", len(v), plain(v)
	case []uint32:
		descr, n, e.append = "<u4", len(v), plain(v)
	case []uint64:
		descr, n, e.append = "<u8", len(v), plain(v)
	case []bool:
		descr, n, e.append = "|b1", len(v), plain(v)
	case []string:
		width := longest(v)
		descr, n, e.append = fmt.Sprintf("<U%d", width), len(v), ucs4(v, width)
	default:
		return e, fmt.Errorf("data: cannot write elements of type %T", a.Data)
	}
	for _, d := range a.Shape {
		if d < 0 {
			return e, fmt.Errorf("data: negative shape %v", a.Shape)
		}
	}
	if n != a.Len() {
		return e, fmt.Errorf("data: %d elements with the shape %v", n, a.Shape)
	}
	e.count = n
	e.head = npyHead(descr, a.Shape)
	return e, nil
}

func plain[T any](v []T) func([]byte, int, int) []byte {
	return func(b []byte, from, to int) []byte {
		b, err := binary.Append(b, binary.LittleEndian, v[from:to])
		if err != nil {
			panic("data: " + err.Error())
		}
		return b
	}
}

func longest(v []string) int {
	width := 1
	for _, s := range v {
		width = max(width, utf8.RuneCountInString(s))
	}
	return width
}

func ucs4(v []string, width int) func([]byte, int, int) []byte {
	return func(b []byte, from, to int) []byte {
		for _, s := range v[from:to] {
			pad := width
			for _, r := range s {
				b = binary.LittleEndian.AppendUint32(b, uint32(r))
				pad--
			}
			b = append(b, make([]byte, 4*pad)...)
		}
		return b
	}
}

// npyHead returns magic, version and header text, padded so that the data starts at a multiple of 64.
func npyHead(descr string, shape []int) []byte {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = fmt.Sprint(d)
	}
	tuple := strings.Join(dims, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, tuple)
	const fixed = len(npyMagic) + 4
	total := (fixed + len(text) + 1 + 63) / 64 * 64
	text += strings.Repeat(" ", total-fixed-len(text)-1) + "\n"
	head := binary.LittleEndian.AppendUint16([]byte(npyMagic+"\x01\x00"), uint16(len(text)))
	return append(head, text...)
}

func (e encoder) writeTo(w io.Writer) error {
	if _, err := w.Write(e.head); err != nil {
		return err
	}
	var b []byte
	for from := 0; from < e.count; from += chunk {
		b = e.append(b[:0], from, min(from+chunk, e.count))
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// compressible tells whether deflate takes at least a tenth off a piece from the middle of the data.
func (e encoder) compressible() bool {
	from := max(e.count/2-chunk/2, 0)
	raw := e.append(nil, from, min(from+chunk, e.count))
	var packed bytes.Buffer
	// The level is valid and a buffer takes everything: no errors to meet here.
	w, _ := flate.NewWriter(&packed, flate.BestSpeed)
	w.Write(raw)
	w.Close()
	return packed.Len() < len(raw)*9/10
}
