//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package train

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the file at path for this process alone, until unlock is called or the process ends. Where the
// file system has no locks it takes nothing.
func lock(path string) (unlock func(), err error) { return lockIf(path, isAt) }

// lockIf is lock with a test whether the file that was opened and locked still is the one at path. After a few
// that are not, others are at it.
func lockIf(path string, current func(f *os.File, path string) bool) (unlock func(), err error) {
	for range 10 {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, errLocked
		}
		if current(f, path) {
			return func() { os.Remove(path); f.Close() }, nil
		}
		f.Close() // it was unlocked, and removed, since it was opened
	}
	return nil, errLocked
}

// isAt reports whether the open file f is the one at path.
func isAt(f *os.File, path string) bool {
	a, errA := f.Stat()
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}
