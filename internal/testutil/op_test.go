package testutil_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/internal/testutil"
)

// product records x·w² of an input x and a parameter w, whose gradient with respect to w is wrong by a factor.
func product(factor float32) func(*autodiff.Params, *autodiff.Tape, []autodiff.Value) autodiff.Value {
	return func(p *autodiff.Params, tape *autodiff.Tape, in []autodiff.Value) autodiff.Value {
		w := p.New("w", tape.Shape(in[0]), func(v []float32) { copy(v, testutil.Signed(1, len(v))) })
		square := &autodiff.Map{
			Func: func(y, x []float32) {
				for i, v := range x {
					y[i] = v * v
				}
			},
			Grad: func(dx, dy, x, _ []float32) {
				for i, v := range x {
					dx[i] += dy[i] * factor * 2 * v
				}
			},
		}
		return autodiff.Mul(tape, in[0], square.Apply(tape, tape.Param(w)))
	}
}

func TestOp(t *testing.T) {
	in := []autodiff.Tensor{{Shape: autodiff.Shape{3}, Data: []float32{1, 2, 3}}}
	o := testutil.NewOp(t, []float32{1, 10, 100}, in, product(1))
	copy(o.Params.Data, []float32{2, 3, 4})
	for range 2 {
		y, grads := o.VJP()
		require.Equal(t, []float32{4, 18, 48}, y)
		require.Equal(t, [][]float32{{4, 90, 1600}}, grads)
		require.Equal(t, []float32{4, 120, 2400}, o.Grad)
	}
	y, loss := o.Forward()
	require.Equal(t, []float32{4, 18, 48}, y)
	require.Equal(t, 4984.0, loss)
}

func TestOpFailures(t *testing.T) {
	in := []autodiff.Tensor{{Shape: autodiff.Shape{3}, Data: []float32{1, 2, 3}}}
	short := []autodiff.Tensor{{Shape: autodiff.Shape{3}, Data: []float32{1, 2}}}
	require.Contains(t, failure(func(tb testing.TB) { testutil.NewOp(tb, make([]float32, 2), in, product(1)) }), "2 elements for a result of 3")
	require.Contains(t, failure(func(tb testing.TB) { testutil.NewOp(tb, make([]float32, 3), short, product(1)) }), "input 0")
}

func TestOpCheck(t *testing.T) {
	in := []autodiff.Tensor{{Shape: autodiff.Shape{30}, Data: testutil.Signed(2, 30)}}
	check := func(factor float32) string {
		return failure(func(tb testing.TB) {
			testutil.NewOp(tb, testutil.Signed(3, 30), in, product(factor)).Check(tb, 1e-2, 1e-3, "product")
		})
	}
	require.Empty(t, check(1))
	got := check(1.01)
	require.Contains(t, got, "product")
	require.Contains(t, got, "parameters")
	require.Contains(t, check(-1), "parameters")
}

func TestGradCheck(t *testing.T) {
	x := []float32{1, 2, 3}
	f := func() float64 { return float64(x[0]*x[1]) + float64(x[2]) }
	check := func(grad ...float32) string {
		return failure(func(tb testing.TB) { testutil.GradCheck(tb, f, x, grad, 1e-2, 1e-3, "f") })
	}
	require.Empty(t, check(2, 1, 1))
	require.Contains(t, check(2, 1, 0), "rises by")
	require.Contains(t, check(2, 1), "gradient of 2 elements for 3")
	require.Equal(t, []float32{1, 2, 3}, x, "x is restored")
}
