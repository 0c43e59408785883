//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package train

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file that others always remove before it is locked is theirs.
func TestLockThatAlwaysComesLate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	tries := 0
	unlock, err := lockIf(path, func(*os.File, string) bool { tries++; return false })
	require.ErrorIs(t, err, errLocked)
	require.Nil(t, unlock)
	require.Equal(t, 10, tries)
	require.FileExists(t, path, "it is not removed")
	unlock, err = lock(path)
	require.NoError(t, err, "nor kept locked")
	unlock()
}
