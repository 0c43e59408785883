package autodiff

import "fmt"

// Map applies a scalar function to every element. Func computes y = f(x) and Grad adds dy·f'(x) to dx, given x and
// y = f(x); it may overwrite dy.
type Map struct {
	Func func(y, x []float32)
	Grad func(dx, dy, x, y []float32)
}

// Forward implements Op.
func (m *Map) Forward(c *Context) { m.Func(c.Out(), c.In(0)) }

// Backward implements Op.
func (m *Map) Backward(c *Context) {
	if gx := c.GradIn(0); gx != nil {
		m.Grad(gx, c.GradOut(), c.In(0), c.Out())
	}
}

// Apply records m on x.
func (m *Map) Apply(t *Tape, x Value) Value { return t.Apply(m, t.Shape(x), x) }

type add struct{}

// Add records a + b, elementwise. It panics when the shapes differ: nothing is broadcast.
func Add(t *Tape, a, b Value) Value { return t.Apply(add{}, same(t, "Add", a, b), a, b) }

func (add) Keeps() (bool, bool) { return false, false }

func (add) Forward(c *Context) {
	a, b, y := c.In(0), c.In(1), c.Out()
	for i, v := range a {
		y[i] = v + b[i]
	}
}

func (add) Backward(c *Context) {
	gy := c.GradOut()
	for k := range 2 {
		if g := c.GradIn(k); g != nil {
			for i, v := range gy {
				g[i] += v
			}
		}
	}
}

type mul struct{}

// Mul records a · b, elementwise. It panics when the shapes differ: nothing is broadcast.
func Mul(t *Tape, a, b Value) Value { return t.Apply(mul{}, same(t, "Mul", a, b), a, b) }

func (mul) Keeps() (bool, bool) { return true, false }

func (mul) Forward(c *Context) {
	a, b, y := c.In(0), c.In(1), c.Out()
	for i, v := range a {
		y[i] = v * b[i]
	}
}

func (mul) Backward(c *Context) {
	gy := c.GradOut()
	for k := range 2 {
		if g := c.GradIn(k); g != nil {
			other := c.In(1 - k)
			for i, v := range gy {
				g[i] += v * other[i]
			}
		}
	}
}

func same(t *Tape, op string, a, b Value) Shape {
	if !t.Shape(a).Equal(t.Shape(b)) {
		panic(fmt.Sprintf("autodiff: %s of %v and %v", op, t.Shape(a), t.Shape(b)))
	}
	return t.Shape(a)
}
