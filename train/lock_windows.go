package train

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"

	"ptycho/internal/atomicfile"
)

// lock takes the file at path for this process alone, until unlock is called or the process ends.
func lock(path string) (unlock func(), err error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	const shareNothing = 0
	var h windows.Handle
	err = atomicfile.Retry(func() (err error) {
		h, err = windows.CreateFile(name, windows.GENERIC_WRITE|windows.DELETE, shareNothing, nil,
			windows.OPEN_ALWAYS, windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
		return err
	}, isGoing)
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return nil, errLocked
	}
	if err != nil {
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return func() { _ = windows.CloseHandle(h) }, nil
}

// isGoing reports whether a file may be one that is being deleted, which for a moment nobody can open.
func isGoing(err error) bool { return errors.Is(err, windows.ERROR_ACCESS_DENIED) }
