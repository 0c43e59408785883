package layers

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"ptycho/autodiff"
	"ptycho/internal/kernel"
)

// Dense is a fully connected layer y = x·W + b on the last axis. Its weight has shape [In,Out].
type Dense struct {
	In, Out      int
	Weight, Bias autodiff.Param
}

// NewDense adds name.weight (Glorot uniform) and name.bias (zero) to p.
func NewDense(p *autodiff.Params, seed uint64, name string, in, out int) *Dense {
	if in < 1 || out < 1 {
		panic(fmt.Sprintf("layers: dense layer from %d to %d", in, out))
	}
	return &Dense{
		In: in, Out: out,
		Weight: p.New(name+".weight", autodiff.Shape{in, out}, GlorotUniform(seed, name, in, out)),
		Bias:   p.New(name+".bias", autodiff.Shape{out}, nil),
	}
}

// Apply records the layer on x, […,In]. The result is […,Out].
func (d *Dense) Apply(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
	s := t.Shape(x)
	if len(s) == 0 || s[len(s)-1] != d.In {
		panic(fmt.Sprintf("layers: %s takes %d features, got %v", d.Weight.Name, d.In, s))
	}
	out := append(append(autodiff.Shape{}, s[:len(s)-1]...), d.Out)
	return t.Apply(&dense{rows: s.Size() / d.In, in: d.In, out: d.Out}, out, x, t.Param(d.Weight), t.Param(d.Bias))
}

type dense struct{ rows, in, out int }

func general(rows, cols int, data []float32) blas32.General {
	return blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: data}
}

// Keeps implements autodiff.Keeper.
func (d *dense) Keeps() (inputs, output bool) { return true, false }

// Forward implements autodiff.Op.
func (d *dense) Forward(c *autodiff.Context) {
	y, bias := c.Out(), c.In(2)
	for r := range d.rows {
		copy(y[r*d.out:][:d.out], bias)
	}
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, general(d.rows, d.in, c.In(0)), general(d.in, d.out, c.In(1)), 1, general(d.rows, d.out, y))
}

// Backward implements autodiff.Op.
func (d *dense) Backward(c *autodiff.Context) {
	g := general(d.rows, d.out, c.GradOut())
	if gx := c.GradIn(0); gx != nil {
		blas32.Gemm(blas.NoTrans, blas.Trans, 1, g, general(d.in, d.out, c.In(1)), 1, general(d.rows, d.in, gx))
	}
	blas32.Gemm(blas.Trans, blas.NoTrans, 1, general(d.rows, d.in, c.In(0)), g, 1, general(d.in, d.out, c.GradIn(1)))
	gb := c.GradIn(2)
	for r := range d.rows {
		kernel.Add(gb, gb, g.Data[r*d.out:][:d.out])
	}
}
