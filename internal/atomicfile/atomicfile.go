// Package atomicfile writes files that are either whole or absent.
package atomicfile

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// suffix is how the names of temporary files end, as those of no other program do.
const suffix = ".ptycho-tmp"

// Write calls write with a buffered temporary file beside path, syncs it and renames it to path. On any
// error the temporary file is removed and whatever stood at path before is untouched.
func Write(path string, write func(w io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), prefix(path)+"*"+suffix)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("cannot write %s: %w", path, err)
		}
	}()
	w := bufio.NewWriterSize(f, 1<<18)
	if err = write(w); err != nil {
		return err
	}
	if err = w.Flush(); err != nil {
		return err
	}
	_ = f.Chmod(0o644) // some file systems have no permissions, and the content matters more
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return Retry(func() error { return os.Rename(f.Name(), path) }, inUse)
}

// Retry calls f until it succeeds or fails for another reason than a passing one, for a second or so: a virus
// scanner or a backup has a new file open for a moment.
func Retry(f func() error, passing func(error) bool) error {
	err := f()
	for wait := 10 * time.Millisecond; err != nil && passing(err) && wait < time.Second; wait *= 2 {
		time.Sleep(wait)
		err = f()
	}
	return err
}

// prefix is how the names of temporary files for path begin. Digits and suffix follow.
func prefix(path string) string { return "." + filepath.Base(path) + "." }

// isTemporary reports whether name is that of a temporary file for path.
func isTemporary(name, path string) bool {
	name, ok := strings.CutSuffix(name, suffix)
	digits, after := strings.CutPrefix(name, prefix(path))
	return ok && after && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// Sweep removes the temporary files that killed processes left when they were writing path. No process may be
// writing it now.
func Sweep(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if isTemporary(e.Name(), path) {
			if err := os.Remove(filepath.Join(filepath.Dir(path), e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
