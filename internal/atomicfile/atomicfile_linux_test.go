package atomicfile

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// On some file systems, such as those of USB sticks and network shares, permissions cannot be set. Here they cannot
// because the file has another owner when it comes to that.
func TestPermissionsThatCannotBeSet(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a file away")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	done := make(chan error)
	go func() { // in a thread of its own, which ends with it
		runtime.LockOSThread()
		if err := dropOwnership(); err != nil {
			done <- err
			return
		}
		done <- Write(path, func(w io.Writer) error {
			_, err := io.WriteString(w, "content")
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				temporary := filepath.Join(dir, e.Name())
				if err := os.Chown(temporary, 1234, 1234); err != nil {
					t.Log(err)
				}
				if os.Chmod(temporary, 0o644) == nil {
					t.Log("permissions can be set all the same")
				}
			}
			return err
		})
	}()
	require.NoError(t, <-done)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "content", string(b))
}

// dropOwnership takes from this thread the right to change files of others.
func dropOwnership() error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&head, &caps[0]); err != nil {
		return err
	}
	caps[0].Effective &^= 1 << unix.CAP_FOWNER
	return unix.Capset(&head, &caps[0])
}
