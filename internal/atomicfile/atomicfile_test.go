package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWriteIsWholeOrNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	say := func(s string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			_, e := io.WriteString(w, s)
			return errors.Join(e, err)
		}
	}
	require.NoError(t, Write(path, say("old", nil)))
	require.ErrorContains(t, Write(path, say("new, but", errors.New("no more"))), "no more")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "old", string(b))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "the temporary file is gone")
	require.Error(t, Write(filepath.Join(dir, "missing", "f"), say("x", nil)))
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".f.123", ".f.9", "f", ".g.1"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o666))
	}
	require.NoError(t, Sweep(filepath.Join(dir, "f")))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Error(t, Sweep(filepath.Join(dir, "missing", "f")))
}
