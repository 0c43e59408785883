package data

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

const (
	// maxInflated bounds what a .bz2 file may unpack to, since all of it is unpacked beforehand.
	maxInflated = 1 << 30
	// maxDeflateRatio is the best that deflate can do: 258 bytes in 2 bits.
	maxDeflateRatio = 1032
	npySuffix       = ".npy"
)

// NPZ is an open NPZ file: a zip archive of arrays, each named after its member without ".npy". Other
// members are ignored.
type NPZ struct {
	path    string
	source  io.ReaderAt // the archive
	closers []io.Closer
	members map[string]member
	names   []string // in file order
}

type member struct {
	file *zip.File
	head Header
	err  error // why head is not usable
}

// OpenNPZ opens an NPZ file, plain or packed with bzip2, and reads the headers of its arrays. An error is a
// Problem. A damaged array is reported when it is read.
func OpenNPZ(path string) (*NPZ, error) {
	f, err := os.Open(path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, Problem{File: path, Expected: "a readable file", Found: err.Error(), Remedy: "check the path"}
	}
	z, err := openNPZ(f)
	if err != nil {
		f.Close()
		return nil, at(err, path, "")
	}
	z.path, z.closers = path, append(z.closers, f)
	return z, nil
}

func openNPZ(f *os.File) (*NPZ, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, notNPZ("a directory")
	}
	magic := make([]byte, 8)
	n, _ := f.ReadAt(magic, 0)
	if !bytes.HasPrefix(magic[:n], []byte("BZh")) {
		return newNPZ(f, info.Size())
	}
	s := newSpool()
	size, err := inflate(s, bufio.NewReader(f), maxInflated)
	var z *NPZ
	if err == nil {
		z, err = newNPZ(s, size)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	z.closers = append(z.closers, s)
	return z, nil
}

// inflate unpacks a bzip2 stream of at most limit bytes and returns how many there are.
func inflate(w io.Writer, r io.Reader, limit int64) (int64, error) {
	n, err := io.Copy(w, io.LimitReader(bzip2.NewReader(r), limit+1))
	if p := (Problem{}); err != nil && !errors.As(err, &p) {
		return n, Problem{
			Expected: "a whole bzip2 file", Found: err.Error(),
			Remedy: "the file is truncated or damaged: copy it again",
		}
	}
	if err == nil && n > limit {
		return n, Problem{
			Expected: fmt.Sprintf("at most %d bytes after unpacking", limit), Found: "more",
			Remedy: "unpack the file with bunzip2 first",
		}
	}
	return n, err
}

func notNPZ(found string) Problem {
	return Problem{Expected: "an NPZ file (a zip archive of arrays)", Found: found, Remedy: "write the data with numpy.savez"}
}

// describe says what a file that is not a zip archive seems to be.
func describe(head []byte, size int64) string {
	switch {
	case size == 0:
		return "an empty file"
	case bytes.HasPrefix(head, []byte(npyMagic)):
		return "a single NPY array"
	case bytes.HasPrefix(head, []byte("\x89HDF\r\n\x1a\n")):
		return "an HDF5 file"
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "a gzip file"
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "a truncated or damaged zip archive"
	}
	return "something else"
}

func newNPZ(r io.ReaderAt, size int64) (*NPZ, error) {
	zr, err := zip.NewReader(r, size)
	if err != nil {
		head := make([]byte, 8)
		n, _ := r.ReadAt(head, 0)
		p := notNPZ(describe(head[:n], size))
		if strings.Contains(p.Found, "damaged") {
			p.Remedy = "copy or write the file again"
		}
		return nil, p
	}
	z := &NPZ{source: r, members: map[string]member{}}
	for _, f := range zr.File {
		name, ok := strings.CutSuffix(f.Name, npySuffix)
		if !ok {
			continue
		}
		m := member{file: f}
		m.head, m.err = memberHeader(f, size)
		m.head.Name = name
		if _, twice := z.members[name]; twice {
			m.err = Problem{Expected: "each key once", Found: "the key twice", Remedy: "write the file again"}
		} else {
			z.names = append(z.names, name)
		}
		z.members[name] = m
	}
	return z, nil
}

func (m *member) deflated() bool { return m.file.Method == zip.Deflate }

// memberHeader reads the NPY header of f, after checking that the archive of the given size can hold what
// f claims to hold, so that no claim is believed that would allocate beyond it.
func memberHeader(f *zip.File, archive int64) (Header, error) {
	packed, whole := f.CompressedSize64, f.UncompressedSize64
	plausible := packed <= uint64(archive)
	switch f.Method {
	case zip.Store:
		plausible = plausible && whole == packed
	case zip.Deflate:
		plausible = plausible && whole/maxDeflateRatio <= packed
	default:
		return Header{}, Problem{
			Expected: "a stored or deflated member", Found: fmt.Sprintf("zip method %d", f.Method),
			Remedy: "write the file with numpy.savez or numpy.savez_compressed",
		}
	}
	if f.Flags&1 != 0 {
		return Header{}, Problem{Expected: "a plain member", Found: "an encrypted one", Remedy: "save it without a password"}
	}
	if !plausible {
		return Header{}, Problem{
			Expected: "sizes that fit the file", Found: fmt.Sprintf("%d bytes packed into %d in a file of %d", whole, packed, archive),
			Remedy: "the file is damaged: copy or write it again",
		}
	}
	r, err := f.Open()
	if err != nil {
		return Header{}, err
	}
	defer r.Close()
	return readHeader(r)
}

// Close closes the file.
func (z *NPZ) Close() error {
	var errs []error
	for _, c := range z.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Names returns the keys of all arrays, in file order, those with damaged headers included.
func (z *NPZ) Names() []string { return slices.Clone(z.names) }

// Has tells whether there is an array of the given name.
func (z *NPZ) Has(name string) bool {
	_, ok := z.members[name]
	return ok
}

// Headers returns the headers of all arrays that have a good one, in file order.
func (z *NPZ) Headers() []Header {
	var hs []Header
	for _, name := range z.names {
		if m := z.members[name]; m.err == nil {
			hs = append(hs, m.head)
		}
	}
	return hs
}

// Header returns the header of one array. An error is a Problem.
func (z *NPZ) Header(name string) (Header, error) {
	m, err := z.member(name)
	return m.head, err
}

func (z *NPZ) member(name string) (member, error) {
	m, ok := z.members[name]
	if !ok {
		return member{}, Problem{
			File: z.path, Key: name, Expected: "an array of this name",
			Found: "only " + clipList(z.names), Remedy: "add it to the file",
		}
	}
	if m.err != nil {
		return member{}, at(m.err, z.path, name)
	}
	return m, nil
}

// Read returns one array in C order. float16 becomes float32. An error is a Problem.
func (z *NPZ) Read(name string) (Array, error) {
	m, err := z.member(name)
	if err != nil {
		return Array{}, err
	}
	r, err := m.file.Open()
	if err != nil {
		return Array{}, at(err, z.path, name)
	}
	defer r.Close()
	a, err := readNPY(r, int64(m.file.UncompressedSize64))
	if err != nil {
		return Array{}, at(err, z.path, name)
	}
	a.Name = name
	return a, nil
}

// ReadNPZ returns all arrays of an NPZ file by name. The error is Problems where arrays cannot be read.
func ReadNPZ(path string) (map[string]Array, error) {
	z, err := OpenNPZ(path)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	arrays := make(map[string]Array, len(z.names))
	var problems Problems
	for _, name := range z.names {
		a, err := z.Read(name)
		if err != nil {
			problems = append(problems, at(err, path, name))
			continue
		}
		arrays[name] = a
	}
	if problems != nil {
		return nil, problems
	}
	return arrays, nil
}

// clipList joins names, at most a dozen.
func clipList(names []string) string {
	const limit = 12
	if len(names) == 0 {
		return "no arrays"
	}
	if len(names) > limit {
		return strings.Join(names[:limit], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
