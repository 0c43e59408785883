package autodiff_test

import (
	"fmt"

	"ptycho/autodiff"
)

// sumOfSquares is the loss Σ x².
type sumOfSquares struct{}

func (sumOfSquares) Forward(c *autodiff.Context) float64 {
	s := 0.0
	for _, v := range c.In(0) {
		s += float64(v) * float64(v)
	}
	return s
}

func (sumOfSquares) Backward(c *autodiff.Context, scale float64) {
	g := c.GradIn(0)
	for i, v := range c.In(0) {
		g[i] += float32(2 * scale * float64(v))
	}
}

// The gradient of Σ(w·x + b)² with respect to w and b.
func Example() {
	p := autodiff.NewParams()
	w := p.New("w", autodiff.Shape{2}, func(v []float32) { v[0], v[1] = 1, -2 })
	b := p.New("b", autodiff.Shape{2}, nil)

	tape := autodiff.NewTape(p, true)
	x := tape.Input(autodiff.Shape{2}, false)
	y := autodiff.Add(tape, autodiff.Mul(tape, tape.Param(w), x), tape.Param(b))
	tape.AddLoss("squares", 1, sumOfSquares{}, y)
	tape.Compile()

	copy(tape.Data(x), []float32{3, 4})
	fmt.Println("loss", tape.Forward())
	grad := make([]float32, len(p.Data))
	tape.Backward(1, grad)
	fmt.Println("gradient", grad)
	// Output:
	// loss 73
	// gradient [18 -64 6 -16]
}
