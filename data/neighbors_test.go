package data

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNeighborsAgainstBruteForce(t *testing.T) {
	for _, kind := range scanKinds {
		t.Run(kind, func(t *testing.T) {
			x, y := scanPositions(kind, 200)
			near := newNeighbors(x, y)
			for i := range x {
				var want, got []float64
				for j := range x {
					if j != i {
						want = append(want, math.Hypot(x[i]-x[j], y[i]-y[j]))
					}
				}
				slices.Sort(want)
				idx := near.of(i, 7)
				for _, j := range idx {
					require.NotEqual(t, i, j)
					got = append(got, math.Hypot(x[i]-x[j], y[i]-y[j]))
				}
				require.Equal(t, want[:7], got)
				slices.Sort(idx)
				require.Len(t, slices.Compact(idx), 7)
			}
		})
	}
}
