package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFFTBounds transforms images next to inaccessible memory.
func TestFFTBounds(t *testing.T) {
	eachFFT(t, func(t *testing.T, p *FFT) {
		n := p.H * p.W
		want := planes{gaussian(19, n), gaussian(20, n)}
		p.Transform(want.re, want.im, garbage(p.WorkLen()))
		for _, atEnd := range []bool{true, false} {
			re, im := guarded(t, gaussian(19, n), atEnd), guarded(t, gaussian(20, n), atEnd)
			p.Transform(re, im, guarded(t, garbage(p.WorkLen()), atEnd))
			require.Equal(t, want, planes{re, im})
		}
	})
}
