package train

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock takes the file at path for this process alone, until unlock is called or the process ends.
func lock(path string) (unlock func(), err error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	const shareNothing = 0
	h, err := windows.CreateFile(name, windows.GENERIC_WRITE|windows.DELETE, shareNothing, nil,
		windows.OPEN_ALWAYS, windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return nil, errLocked
	}
	if err != nil {
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return func() { _ = windows.CloseHandle(h) }, nil
}
