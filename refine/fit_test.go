package refine

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/physics"
)

// TestAmplitudeFit requires of the loss of the views what physics.AmplitudeLoss gives, and the figures of the record.
func TestAmplitudeFit(t *testing.T) {
	const n, epsilon, scale = 21, 1e-3, 0.5
	lambda, k := make([]float32, n), make([]float32, n)
	var square, abs, root float64
	for i := range n {
		lambda[i], k[i] = float32(i)*1.7, float32(i%4)*5-1
		if k[i] >= 0 {
			d := math.Sqrt(float64(lambda[i])+epsilon) - math.Sqrt(float64(k[i]))
			square, abs, root = square+d*d, abs+math.Abs(d), root+math.Sqrt(float64(k[i]))
		}
	}
	run := func(loss autodiff.Loss) (float64, []float32) {
		tape := autodiff.NewTape(autodiff.NewParams(), true)
		l, c := tape.Input(autodiff.Shape{n}, true), tape.Input(autodiff.Shape{n}, false)
		tape.AddLoss("frame", 1, loss, l, c)
		tape.Compile()
		copy(tape.Data(l), lambda)
		copy(tape.Data(c), k)
		v := tape.Forward()
		tape.Backward(scale, nil)
		return v, tape.Grad(l)
	}
	fit := &amplitudeFit{epsilon: epsilon, grad: make([]float32, n)}
	loss, grad := run(fit)
	want, wantGrad := run(&physics.AmplitudeLoss{Squared: true, Epsilon: epsilon, Norm: 1.0 / n})
	require.InEpsilon(t, want, loss, 1e-6)
	require.InDeltaSlice(t, wantGrad, grad, 1e-6)
	require.InDeltaSlice(t, []float64{square, abs, root}, []float64{fit.square, fit.abs, fit.root}, 1e-5)
}
