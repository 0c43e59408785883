package physics_test

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/physics"
)

func TestTwinAsymmetry(t *testing.T) {
	for _, n := range []int{20, 21} {
		for name, tt := range map[string]struct {
			phase func(x, y float64) float64
			half  bool // of the beam is blocked
			want  float64
		}{
			"even":    {func(_, _ float64) float64 { return 1 }, false, 0}, // a constant phase is no asymmetry
			"tilted":  {func(x, y float64) float64 { return 0.5*x - y }, false, 0},
			"curved":  {func(x, y float64) float64 { return (x*x + y*y) / 4 }, false, math.Sqrt(2 - 2/math.Sqrt(5))}, // |∫e^{(2i-1)r²/4}| / ∫e^{-r²/4} = 1/√5
			"blocked": {func(_, _ float64) float64 { return 1 }, true, math.Sqrt2},
		} {
			probe := make([]complex64, n*n)
			for i := range probe {
				x, y := float64(i%n-n/2), float64(i/n-n/2)
				if !tt.half || y < 0 {
					probe[i] = complex64(cmplx.Rect(math.Exp(-(x*x+y*y)/8), tt.phase(x, y)))
				}
			}
			require.InDelta(t, tt.want, physics.TwinAsymmetry(probe, n), 0.01, name)
		}
		require.Zero(t, physics.TwinAsymmetry(make([]complex64, n*n), n))
	}
}
