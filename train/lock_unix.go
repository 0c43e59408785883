//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package train

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the file at path for this process alone, until unlock is called or the process ends. Where the
// file system has no locks it takes nothing.
func lock(path string) (unlock func(), err error) {
	const tries = 10
	for try := 1; ; try++ {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, errLocked
		}
		if isAt(f, path) || try == tries {
			return func() { os.Remove(path); f.Close() }, nil
		}
		f.Close() // it was unlocked, and removed, since it was opened
	}
}

// isAt reports whether the open file f is the one at path.
func isAt(f *os.File, path string) bool {
	a, errA := f.Stat()
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}
