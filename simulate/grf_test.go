package simulate

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFrequency(t *testing.T) {
	require.InDeltaSlice(t, []float64{0, 0.2, -0.2}, []float64{frequency(0, 5), frequency(1, 5), frequency(4, 5)}, 1e-15)
	require.Equal(t, 0.5, math.Abs(frequency(2, 4)))
}
