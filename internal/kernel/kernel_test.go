package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/gonum"
)

// implemented runs f once for each implementation of this machine and for the portable tiles.
func implemented(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	old := active.Load()
	t.Cleanup(func() { activate(old) })
	for _, im := range append(implementations[:len(implementations):len(implementations)],
		&implementation{name: "portable", tiles: portableTiles, fft: portableFFT}) {
		activate(im)
		t.Run(im.name, f)
	}
}

func TestUse(t *testing.T) {
	old := Name()
	t.Cleanup(func() { require.NoError(t, Use(old)) })
	names := Available()
	require.Equal(t, "generic", names[0])
	for _, name := range names {
		require.NoError(t, Use(name))
		require.Equal(t, name, Name())
		if name == "generic" {
			require.IsType(t, gonum.Implementation{}, blas32.Implementation())
		} else {
			require.IsType(t, Float32{}, blas32.Implementation())
		}
	}
	require.ErrorContains(t, Use("mmx"), `"mmx" is unknown or not supported by this machine; have generic`)
	require.Equal(t, names[len(names)-1], Name())
}

func TestEnvironment(t *testing.T) {
	old := Name()
	t.Cleanup(func() { require.NoError(t, Use(old)) })
	t.Setenv(EnvVar, "generic")
	require.NoError(t, fromEnv())
	require.Equal(t, "generic", Name())
	t.Setenv(EnvVar, "")
	require.NoError(t, fromEnv())
	best := Available()[len(Available())-1]
	require.Equal(t, best, Name(), "empty means the best")
	t.Setenv(EnvVar, "mmx")
	require.ErrorContains(t, fromEnv(), EnvVar)
	require.ErrorContains(t, fromEnv(), best)
	require.Equal(t, best, Name(), "an unknown name means the best")
}
