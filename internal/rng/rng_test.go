package rng

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStreams(t *testing.T) {
	require.Equal(t, New(1, "a", 2).Uint64(), New(1, "a", 2).Uint64(), "a stream is reproducible")
	seen := map[uint64]string{}
	for _, s := range []struct {
		seed  uint64
		name  string
		index uint64
	}{{1, "a", 2}, {2, "a", 2}, {1, "b", 2}, {1, "a", 3}, {2, "a", 1}, {1, "", 2}, {1, "aa", 2}} {
		v := New(s.seed, s.name, s.index).Uint64()
		require.NotContains(t, seen, v, "%v has the numbers of %s", s, seen[v])
		seen[v] = s.name
	}
}

// The first numbers of a stream belong to every result that was ever made with it.
func TestStreamsDoNotChange(t *testing.T) {
	r := New(42, "train/order", 7)
	require.Equal(t, []int{3, 0, 1, 2, 4}, r.Perm(5))
}
