package ckpt

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// maxHeader bounds the JSON header, bytes.
const maxHeader = 16 << 20

const (
	foreign = "give a .safetensors checkpoint that ptycho wrote"
	damaged = "the file is damaged: copy it again or use another checkpoint"
)

// magics are the first bytes of files that get mistaken for checkpoints.
var magics = []struct{ prefix, what string }{
	{"PK\x03\x04", "a ZIP archive (NPZ, Keras or PyTorch)"},
	{"\x89PNG", "a PNG image"},
	{"\x93NUMPY", "a NumPy array"},
	{"\x89HDF", "an HDF5 file"},
	{"\x1f\x8b", "a gzip archive"},
	{"\x80\x02", "a Python pickle"},
	{"{", "a JSON text"},
}

// Read loads the checkpoint at path and verifies all of it: lengths, types, shapes, the order of the
// tensors and both checksums. Trouble with the content is a *FormatError. Memory is bounded by twice the
// size of the file.
func Read(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("ckpt: cannot read checkpoint: %w; %s", err, foreign)
	}
	if !info.Mode().IsRegular() {
		found := "a special file"
		if info.IsDir() {
			found = "a directory"
		}
		return nil, &FormatError{Path: path, Want: "a checkpoint file", Found: found, Remedy: foreign}
	}
	blob, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ckpt: cannot read checkpoint: %w; check its permissions", err)
	}
	return parse(path, blob)
}

// parse is Read on the bytes of a file.
func parse(path string, blob []byte) (*File, error) {
	bad := func(want, found, remedy string) error {
		return &FormatError{Path: path, Want: want, Found: found, Remedy: remedy}
	}
	for _, m := range magics {
		// Any two bytes may be a header length, but then a brace follows it.
		if bytes.HasPrefix(blob, []byte(m.prefix)) && (len(blob) < 9 || blob[8] != '{') {
			return nil, bad("a checkpoint", m.what, foreign)
		}
	}
	if len(blob) < 8 {
		return nil, bad("at least 8 bytes", fmt.Sprintf("%d", len(blob)), foreign)
	}
	n := binary.LittleEndian.Uint64(blob)
	if room := min(maxHeader, len(blob)-8); n > uint64(room) {
		return nil, bad(fmt.Sprintf("a header of at most %d bytes", room), fmt.Sprintf("a length of %d", n),
			"the file is truncated or no checkpoint: "+foreign)
	}
	head, payload := blob[:8+n], blob[8+n:]
	f := &File{Path: path}
	if err := f.parseHeader(head[8:], len(payload)); err != nil {
		return nil, err
	}
	if err := f.verify(head, payload); err != nil {
		return nil, err
	}
	f.decode(payload)
	return f, nil
}

// parseHeader fills f with the metadata and with tensors that have all but their data, room being the
// bytes of data in the file. It goes member by member because a JSON object would hide a name given twice.
func (f *File) parseHeader(head []byte, room int) error {
	bad := func(format string, a ...any) error {
		return &FormatError{
			Path: f.Path, Want: "a safetensors header", Found: fmt.Sprintf(format, a...), Remedy: damaged,
		}
	}
	dec := json.NewDecoder(bytes.NewReader(head))
	dec.DisallowUnknownFields()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return bad("no JSON object")
	}
	seen := map[string]bool{"": true}
	end := 0
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return bad("%v", err)
		}
		name, _ := t.(string)
		if seen[name] {
			return bad("the name %q empty or given twice", name)
		}
		seen[name] = true
		if name == metaKey {
			if err := dec.Decode(&f.Meta); err != nil {
				return bad("metadata with %v", err)
			}
			continue
		}
		var e entry
		if err := dec.Decode(&e); err != nil {
			return bad("tensor %q with %v", name, err)
		}
		if end, err = f.add(name, e, end, room); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return bad("no closing brace: %v", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return bad("more than blanks after the closing brace")
	}
	if end != room {
		return &FormatError{
			Path: f.Path, Want: fmt.Sprintf("%d bytes of tensors", end), Found: fmt.Sprint(room), Remedy: damaged,
		}
	}
	return nil
}

// add appends the tensor that e describes to f, its data allocated. It has to begin at byte begin of the
// data, be as large as its shape says and end before byte limit; its end is returned.
func (f *File) add(name string, e entry, begin, limit int) (end int, err error) {
	bad := func(want, found string) error {
		return &FormatError{Path: f.Path, Tensor: name, Want: want, Found: found, Remedy: damaged}
	}
	if e.DType.Size() == 0 {
		return 0, bad("dtype F32, F64 or I64", fmt.Sprintf("%q", string(e.DType)))
	}
	n, ok := size(e.Shape)
	if !ok || e.Shape == nil {
		return 0, bad("a shape of non-negative dimensions", fmt.Sprint(e.Shape))
	}
	end = begin + n*e.DType.Size()
	if want := []int{begin, end}; !slices.Equal(e.Offsets, want) {
		return 0, bad(fmt.Sprintf("data_offsets %v for %s %v", want, e.DType, e.Shape), fmt.Sprint(e.Offsets))
	}
	if end > limit {
		return 0, bad(fmt.Sprintf("data up to byte %d", end), fmt.Sprintf("%d bytes of data in the file", limit))
	}
	t := Tensor{Name: name, Shape: e.Shape}
	switch e.DType {
	case F64:
		t.F64 = make([]float64, n)
	case I64:
		t.I64 = make([]int64, n)
	default:
		t.Data = make([]float32, n)
	}
	f.Tensors = append(f.Tensors, t)
	return end, nil
}

// verify compares both checksums with the bytes and takes them out of f.Meta.
func (f *File) verify(head, payload []byte) error {
	bad := func(want, found, remedy string) error {
		return &FormatError{Path: f.Path, Want: want, Found: found, Remedy: remedy}
	}
	at, ok := findHeaderSum(head)
	if !ok || f.Meta[dataSum] == "" {
		return bad("metadata "+dataSum+" and "+headerSum, "none", foreign)
	}
	zeroed := slices.Clone(head)
	copy(zeroed[at:], noSum)
	for _, s := range []struct {
		what, stored string
		content      []byte
	}{
		{"header", f.Meta[headerSum], zeroed},
		{"data", f.Meta[dataSum], payload},
	} {
		sum := sha256.Sum256(s.content)
		if found := hex.EncodeToString(sum[:]); found != s.stored {
			return bad(fmt.Sprintf("SHA-256 %s of the %s", strings.ToValidUTF8(s.stored, "?"), s.what), found, damaged)
		}
	}
	delete(f.Meta, dataSum)
	delete(f.Meta, headerSum)
	return nil
}

// decode fills the tensors of f from payload, which is as long as all of them.
func (f *File) decode(payload []byte) {
	for i := range f.Tensors {
		t := &f.Tensors[i]
		n := t.Len() * t.DType().Size()
		t.decode(payload[:n])
		payload = payload[n:]
	}
}
