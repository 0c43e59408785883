package data

import (
	"fmt"
	"io"
	"os"
)

// spoolMemory is how many bytes a spool keeps in memory.
const spoolMemory = 4 << 20

// spool takes bytes in and gives them back at random: in memory up to a limit, beyond it in a temporary file.
type spool struct {
	limit int
	mem   []byte
	file  *os.File
}

func newSpool() *spool { return &spool{limit: spoolMemory} }

// Write appends b. An error is a Problem without file and key.
func (s *spool) Write(b []byte) (int, error) {
	if s.file == nil && len(s.mem)+len(b) <= s.limit {
		s.mem = append(s.mem, b...)
		return len(b), nil
	}
	n, err := s.spill(b)
	if err != nil {
		err = Problem{
			Expected: "room for unpacked frames in " + os.TempDir(), Found: err.Error(),
			Remedy: "free some, or set " + tempVariable + " to another directory",
		}
	}
	return n, err
}

// tempVariable names the environment variable that says where temporary files go.
const tempVariable = "TMPDIR (TMP on Windows)"

func (s *spool) spill(b []byte) (int, error) {
	if s.file == nil {
		f, err := os.CreateTemp("", "ptycho-*.tmp")
		if err != nil {
			return 0, err
		}
		// Where the system lets a file live on without a name, nothing is left behind however the process ends.
		_ = os.Remove(f.Name())
		s.file = f
		if _, err := f.Write(s.mem); err != nil {
			return 0, err
		}
		s.mem = nil
	}
	return s.file.Write(b)
}

// ReadAt implements io.ReaderAt.
func (s *spool) ReadAt(b []byte, off int64) (int, error) {
	if s.file != nil {
		return s.file.ReadAt(b, off)
	}
	if off >= int64(len(s.mem)) {
		return 0, io.EOF
	}
	n := copy(b, s.mem[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Close forgets the bytes.
func (s *spool) Close() error {
	s.mem = nil
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	err := f.Close()
	if rm := os.Remove(f.Name()); rm != nil && !os.IsNotExist(rm) && err == nil {
		err = fmt.Errorf("temporary file: %w", rm)
	}
	return err
}
