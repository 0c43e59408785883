package autodiff

import "fmt"

// Map applies a scalar function to every element. Derivative returns f'(x) given x and y = f(x).
type Map struct {
	Func       func(x float32) float32
	Derivative func(x, y float32) float32
}

// Forward implements Op.
func (m *Map) Forward(c *Context) {
	x, y := c.In(0), c.Out()
	for i, v := range x {
		y[i] = m.Func(v)
	}
}

// Backward implements Op.
func (m *Map) Backward(c *Context) {
	gx := c.GradIn(0)
	if gx == nil {
		return
	}
	x, y, gy := c.In(0), c.Out(), c.GradOut()
	for i, g := range gy {
		gx[i] += g * m.Derivative(x[i], y[i])
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

type channels struct{ from, count, of int }

// Channels records the channels [from, to) of x, the last axis. It panics when they are out of range.
func Channels(t *Tape, x Value, from, to int) Value {
	s := t.Shape(x)
	of := s[len(s)-1]
	if from < 0 || to > of || from >= to {
		panic(fmt.Sprintf("autodiff: channels %d to %d of %v", from, to, s))
	}
	out := append(append(Shape{}, s[:len(s)-1]...), to-from)
	return t.Apply(channels{from, to - from, of}, out, x)
}

func (channels) Keeps() (bool, bool) { return false, false }

func (k channels) Forward(c *Context) {
	x, y := c.In(0), c.Out()
	for i := 0; i < len(y)/k.count; i++ {
		copy(y[i*k.count:][:k.count], x[i*k.of+k.from:])
	}
}

func (k channels) Backward(c *Context) {
	gx := c.GradIn(0)
	if gx == nil {
		return
	}
	gy := c.GradOut()
	for i := 0; i < len(gy)/k.count; i++ {
		dst := gx[i*k.of+k.from:][:k.count]
		for j, v := range gy[i*k.count:][:k.count] {
			dst[j] += v
		}
	}
}
