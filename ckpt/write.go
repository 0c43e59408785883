package ckpt

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"ptycho/internal/atomicfile"
)

const (
	metaKey = "__metadata__" // the member of the header that holds the metadata
	align   = 64             // the tensors begin at a multiple of this many bytes

	dataSum   = "sha256"        // SHA-256 of all bytes after the header
	headerSum = "header_sha256" // SHA-256 of the header while this value is sixty-four zeros
)

var noSum = strings.Repeat("0", 2*sha256.Size)

// entry is what the header says of one tensor.
type entry struct {
	DType   DType `json:"dtype"`
	Shape   []int `json:"shape"`
	Offsets []int `json:"data_offsets"`
}

// Write stores f at path, whole or not at all. Equal content gives equal bytes: tensors keep their order
// and metadata is sorted. The metadata keys sha256 and header_sha256 are added and may not be in f.Meta.
func Write(path string, f *File) error {
	if err := check(path, f); err != nil {
		return err
	}
	sum := sha256.New()
	_ = writeTensors(sum, f) // a hash takes everything
	head, err := header(f, sum.Sum(nil))
	if err != nil {
		return fmt.Errorf("ckpt: %s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		if _, err := w.Write(head); err != nil {
			return err
		}
		return writeTensors(w, f)
	})
}

// writeTensors writes the elements of all tensors.
func writeTensors(w io.Writer, f *File) error {
	for i := range f.Tensors {
		if _, err := w.Write(f.Tensors[i].bytes()); err != nil {
			return err
		}
	}
	return nil
}

// check refuses what a file cannot hold or Read would not accept.
func check(path string, f *File) error {
	bad := func(tensor, want, found, remedy string) error {
		return &FormatError{Path: path, Tensor: tensor, Want: want, Found: found, Remedy: remedy}
	}
	for k, v := range f.Meta {
		if k == dataSum || k == headerSum {
			return bad("", "metadata without checksums", fmt.Sprintf("the key %q", k), "choose another key")
		}
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return bad("", "metadata in UTF-8", fmt.Sprintf("%q: %.40q", k, v), "encode bytes as text first")
		}
	}
	seen := make(map[string]bool, len(f.Tensors))
	for i := range f.Tensors {
		t := &f.Tensors[i]
		if t.Name == "" || t.Name == metaKey || !utf8.ValidString(t.Name) || seen[t.Name] {
			return bad(t.Name, "a name of its own in UTF-8", fmt.Sprintf("%q", t.Name), "rename the tensor")
		}
		seen[t.Name] = true
		kinds := 0
		for _, set := range []bool{t.Data != nil, t.F64 != nil, t.I64 != nil} {
			if set {
				kinds++
			}
		}
		if kinds > 1 {
			return bad(t.Name, "one of Data, F64 and I64", fmt.Sprintf("%d of them", kinds), "clear the others")
		}
		if n, ok := size(t.Shape); !ok || n != t.Len() {
			return bad(t.Name, fmt.Sprintf("the elements of shape %v", t.Shape), fmt.Sprintf("%d", t.Len()),
				"give the shape of the data")
		}
	}
	return nil
}

// header returns the length and the JSON header of f, padded so that the tensors, of which data is the SHA-256, start
// aligned.
func header(f *File, data []byte) ([]byte, error) {
	meta := make(map[string]string, len(f.Meta)+2)
	for k, v := range f.Meta {
		meta[k] = v
	}
	meta[dataSum] = hex.EncodeToString(data)
	meta[headerSum] = noSum

	b := bytes.NewBuffer(make([]byte, 8))
	b.WriteByte('{')
	member(b, metaKey, meta)
	at := 0
	for i := range f.Tensors {
		t := &f.Tensors[i]
		end := at + t.Len()*t.DType().Size()
		b.WriteByte(',')
		member(b, t.Name, entry{t.DType(), append([]int{}, t.Shape...), []int{at, end}})
		at = end
	}
	b.WriteByte('}')
	b.WriteString(strings.Repeat(" ", (align-b.Len()%align)%align))

	head := b.Bytes()
	if len(head)-8 > maxHeader {
		return nil, fmt.Errorf("header of %d bytes, expected at most %d; store less metadata", len(head)-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(head, uint64(len(head)-8))
	i, _ := findHeaderSum(head)
	sum := sha256.Sum256(head)
	hex.Encode(head[i:], sum[:])
	return head, nil
}

// member appends "key":value to b. The encoder cannot fail: the values are strings and integers.
func member(b *bytes.Buffer, key string, value any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(key)
	b.Truncate(b.Len() - 1)
	b.WriteByte(':')
	_ = e.Encode(value)
	b.Truncate(b.Len() - 1)
}

// findHeaderSum returns where in head the hexadecimal checksum of the header stands. A quotation mark in
// metadata is escaped, so that what is found is the key itself.
func findHeaderSum(head []byte) (int, bool) {
	key := []byte(`"` + headerSum + `":"`)
	i := bytes.Index(head, key)
	if i < 0 || len(head) < i+len(key)+len(noSum) {
		return 0, false
	}
	return i + len(key), true
}
