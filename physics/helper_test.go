package physics_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/fft"
	"ptycho/internal/testutil"
)

func plan(t testing.TB, n int) *fft.Plan {
	p, err := fft.NewPlan(n, n)
	require.NoError(t, err)
	return p
}

// imagePlanes returns n complex images as planes [n,2,…].
func imagePlanes(z []complex64, n int) []float32 {
	pix := len(z) / n
	var out []float32
	for i := range n {
		re, im := testutil.Planes(z[i*pix:][:pix])
		out = append(append(out, re...), im...)
	}
	return out
}

func tensor(data []float32, shape ...int) autodiff.Tensor {
	return autodiff.Tensor{Shape: shape, Data: data}
}

// signed returns a tensor of random numbers in [-1,1).
func signed(seed uint64, shape ...int) autodiff.Tensor {
	return tensor(testutil.Signed(seed, autodiff.Shape(shape).Size()), shape...)
}

// record is a recorded op without parameters, for testutil.NewOp.
type record = func(*autodiff.Params, *autodiff.Tape, []autodiff.Value) autodiff.Value

// adjoint checks ⟨A·x, y⟩ = ⟨x, Aᵀ·y⟩ for the op that is linear in its first input, x.
func adjoint(t *testing.T, y []float32, in []autodiff.Tensor, f record) {
	t.Helper()
	ax, grads := testutil.NewOp(t, y, in, f).VJP()
	require.InDelta(t, testutil.Dot(ax, y), testutil.Dot(in[0].Data, grads[0]), 1e-6*testutil.Norm(ax)*testutil.Norm(y))
}

// lossOf returns a loss of the inputs, times weight, and its gradients; constants get none.
func lossOf(loss autodiff.Loss, weight float64, in []autodiff.Tensor, constants ...autodiff.Tensor) (v float64, grads [][]float32) {
	tape := autodiff.NewTape(autodiff.NewParams(), true)
	var values []autodiff.Value
	for i, x := range append(append([]autodiff.Tensor(nil), in...), constants...) {
		values = append(values, tape.Input(x.Shape, i < len(in)))
	}
	tape.AddLoss("loss", weight, loss, values...)
	tape.Compile()
	for i, x := range append(append([]autodiff.Tensor(nil), in...), constants...) {
		copy(tape.Data(values[i]), x.Data)
	}
	v = tape.Forward()
	tape.Backward(1, nil)
	for i := range in {
		grads = append(grads, tape.Grad(values[i]))
	}
	return v, grads
}
