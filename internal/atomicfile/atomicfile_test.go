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

func TestTemporaryNames(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f*.csv")
	require.NoError(t, Write(path, func(io.Writer) error {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.Regexp(t, `^\.f\*\.csv\.\d+\.ptycho-tmp$`, entries[0].Name())
		require.True(t, isTemporary(entries[0].Name(), path))
		return nil
	}))
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	foreign := []string{".f.9", ".f.9.ptycho-tmp.swp", ".f.csv.9.ptycho-tmp", ".f.ptycho-tmp", ".f.swp", ".f.x9.ptycho-tmp", ".g.1.ptycho-tmp", "f", "f.9.ptycho-tmp"}
	for _, name := range append([]string{".f.123.ptycho-tmp", ".f.9.ptycho-tmp"}, foreign...) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o666))
	}
	require.NoError(t, Sweep(filepath.Join(dir, "f")))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	require.Equal(t, foreign, left)
	require.Error(t, Sweep(filepath.Join(dir, "missing", "f")))
}

func TestRetry(t *testing.T) {
	busy, gone := errors.New("busy"), errors.New("gone")
	passing := func(err error) bool { return errors.Is(err, busy) }
	for _, tt := range []struct {
		outcomes []error
		want     error
	}{
		{[]error{nil}, nil},
		{[]error{busy, busy, nil}, nil},
		{[]error{gone}, gone},
		{[]error{busy, gone}, gone},
	} {
		calls := 0
		err := Retry(func() error { calls++; return tt.outcomes[calls-1] }, passing)
		require.Equal(t, tt.want, err)
		require.Equal(t, len(tt.outcomes), calls)
	}
	calls := 0
	require.Equal(t, busy, Retry(func() error { calls++; return busy }, passing), "it gives up")
	require.Greater(t, calls, 3)
}
