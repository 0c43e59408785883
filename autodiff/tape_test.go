package autodiff_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/internal/testutil"
)

// weighted is the loss Σ w·x, with constant weights.
type weighted []float32

func (w weighted) Forward(c *autodiff.Context) float64 { return testutil.Dot(c.In(0), w) }

func (w weighted) Backward(c *autodiff.Context, scale float64) {
	if g := c.GradIn(0); g != nil {
		for i, v := range w {
			g[i] += float32(scale) * v
		}
	}
}

// pointwise makes a Map of a function and its derivative, given x and y = f(x).
func pointwise(f func(x float64) float64, derivative func(x, y float64) float64) *autodiff.Map {
	return &autodiff.Map{
		Func: func(y, x []float32) {
			for i, v := range x {
				y[i] = float32(f(float64(v)))
			}
		},
		Grad: func(dx, dy, x, y []float32) {
			for i, g := range dy {
				dx[i] += g * float32(derivative(float64(x[i]), float64(y[i])))
			}
		},
	}
}

var (
	square = pointwise(func(x float64) float64 { return x * x }, func(x, _ float64) float64 { return 2 * x })
	cosine = pointwise(math.Cos, func(x, _ float64) float64 { return -math.Sin(x) })
	tanh   = pointwise(math.Tanh, func(_, y float64) float64 { return 1 - y*y })
)

// greedy is y = f·x. It overwrites its upstream gradient and does everything in scratch memory.
type greedy struct {
	n int
	f float32
}

func (g greedy) ScratchLen() int { return g.n }

func (g greedy) Forward(c *autodiff.Context) {
	s := c.Scratch(g.n)
	for i, v := range c.In(0) {
		s[i] = g.f * v
	}
	copy(c.Out(), s)
}

func (g greedy) Backward(c *autodiff.Context) {
	up, s := c.GradOut(), c.Scratch(g.n)
	for i, v := range up {
		s[i], up[i] = g.f*v, 1e9
	}
	if gx := c.GradIn(0); gx != nil {
		for i, v := range s {
			gx[i] += v
		}
	}
}

func TestShape(t *testing.T) {
	s := autodiff.Shape{2, 3, 4}
	require.Equal(t, 24, s.Size())
	require.Equal(t, 1, autodiff.Shape{}.Size())
	require.Equal(t, "[2×3×4]", s.String())
	require.True(t, s.Equal(autodiff.Shape{2, 3, 4}))
	require.False(t, s.Equal(autodiff.Shape{2, 3}))
	require.False(t, s.Equal(autodiff.Shape{2, 3, 5}))
}

func TestParams(t *testing.T) {
	p := autodiff.NewParams()
	a := p.New("a", autodiff.Shape{2}, func(v []float32) { v[0], v[1] = 1, 2 })
	b := p.New("b", autodiff.Shape{1, 3}, nil)
	require.Equal(t, []float32{1, 2, 0, 0, 0}, p.Data)
	require.Equal(t, 2, b.Offset)
	require.Equal(t, []autodiff.Param{a, b}, p.All())
	got, ok := p.Lookup("b")
	require.True(t, ok)
	require.Equal(t, b, got)
	_, ok = p.Lookup("c")
	require.False(t, ok)
	p.View(b)[1] = 7
	require.Equal(t, float32(7), p.Data[3])
	require.Panics(t, func() { p.New("a", autodiff.Shape{1}, nil) })
	calls := 0
	p.OnUpdate(func() { calls++ })
	p.Updated()
	p.Updated()
	require.Equal(t, 2, calls)
}

func TestOps(t *testing.T) {
	a, b := []float32{1, 2, 3, 4, 5, 6}, []float32{-1, 0.5, 2, 0, 1, 3}
	g := []float32{1, 10, 100, 1000, 2, 3}
	in := []autodiff.Tensor{{Shape: autodiff.Shape{2, 3}, Data: a}, {Shape: autodiff.Shape{2, 3}, Data: b}}
	type record = func(*autodiff.Params, *autodiff.Tape, []autodiff.Value) autodiff.Value
	for _, tt := range []struct {
		name   string
		f      record
		y, g   []float32
		da, db []float32
	}{
		{
			name: "add", f: func(_ *autodiff.Params, t *autodiff.Tape, v []autodiff.Value) autodiff.Value {
				return autodiff.Add(t, v[0], v[1])
			},
			y: []float32{0, 2.5, 5, 4, 6, 9}, g: g, da: g, db: g,
		},
		{
			name: "mul", f: func(_ *autodiff.Params, t *autodiff.Tape, v []autodiff.Value) autodiff.Value {
				return autodiff.Mul(t, v[0], v[1])
			},
			y: []float32{-1, 1, 6, 0, 5, 18}, g: g, da: []float32{-1, 5, 200, 0, 2, 9}, db: []float32{1, 20, 300, 4000, 10, 18},
		},
		{
			name: "a value twice", f: func(_ *autodiff.Params, t *autodiff.Tape, v []autodiff.Value) autodiff.Value {
				return autodiff.Add(t, autodiff.Mul(t, v[0], v[0]), autodiff.Add(t, v[0], v[0]))
			},
			y: []float32{3, 8, 15, 24, 35, 48}, g: g, da: []float32{4, 60, 800, 10000, 24, 42}, db: make([]float32, 6),
		},
		{
			name: "map", f: func(_ *autodiff.Params, t *autodiff.Tape, v []autodiff.Value) autodiff.Value {
				return square.Apply(t, v[1])
			},
			y: []float32{1, 0.25, 4, 0, 1, 9}, g: g, da: make([]float32, 6), db: []float32{-2, 10, 400, 0, 4, 18},
		},
		{
			name: "greedy", f: func(_ *autodiff.Params, t *autodiff.Tape, v []autodiff.Value) autodiff.Value {
				return t.Apply(greedy{6, 2}, t.Shape(v[0]), v[0])
			},
			y: []float32{2, 4, 6, 8, 10, 12}, g: g, da: []float32{2, 20, 200, 2000, 4, 6}, db: make([]float32, 6),
		},
	} {
		y, grads := testutil.NewOp(t, tt.g, in, tt.f).VJP()
		require.Equal(t, tt.y, y, tt.name)
		require.Equal(t, tt.da, grads[0], tt.name)
		require.Equal(t, tt.db, grads[1], tt.name)
	}
}

func TestLossWeights(t *testing.T) {
	p := autodiff.NewParams()
	w := p.New("w", autodiff.Shape{2}, func(v []float32) { v[0], v[1] = 3, 5 })
	tape := autodiff.NewTape(p, true)
	v := tape.Param(w)
	tape.AddLoss("first", 2, weighted{1, 0}, v)
	tape.AddLoss("none", 0, weighted{100, 100}, v)
	tape.AddLoss("second", 0.5, weighted{1, 4}, v)
	tape.Compile()
	require.Equal(t, 2*3+0.5*23, tape.Forward())
	require.Equal(t, []autodiff.Term{{"first", 2, 3}, {"none", 0, 800}, {"second", 0.5, 23}}, tape.Terms())
	grad := []float32{10, 20}
	tape.Backward(2, grad)
	require.Equal(t, []float32{10 + 2*2.5, 20 + 2*2}, grad, "Backward adds scale times the gradient")

	// Once more, for other parameters: nothing is left of the first time.
	p.Data[0] = 1
	require.Equal(t, 2*1+0.5*21, tape.Forward())
	tape.Backward(-2, grad)
	require.Equal(t, []float32{10, 20}, grad)
}

// An input that no loss depends on has a gradient, zero, even where the memory held something else.
func TestGradientOfUnusedInput(t *testing.T) {
	tape := autodiff.NewTape(autodiff.NewParams(), true)
	a, b, c := tape.Input(autodiff.Shape{2}, true), tape.Input(autodiff.Shape{2}, true), tape.Input(autodiff.Shape{2}, true)
	square.Apply(tape, b) // used, but not by the loss
	tape.AddLoss("a", 1, weighted{1, 2}, cosine.Apply(tape, square.Apply(tape, a)))
	tape.Compile()
	for range 2 {
		copy(tape.Data(a), []float32{1, 2})
		tape.Forward()
		tape.Backward(1, nil)
		require.Equal(t, []float32{0, 0}, tape.Grad(b))
		require.Equal(t, []float32{0, 0}, tape.Grad(c))
		require.NotZero(t, tape.Grad(a)[0])
		copy(tape.Grad(b), []float32{9, 9})
	}
}

// TestFrozen requires that a frozen parameter is seen and gets no gradient.
func TestFrozen(t *testing.T) {
	params := autodiff.NewParams()
	p := params.New("p", autodiff.Shape{2}, func(v []float32) { copy(v, []float32{1, 2}) })
	for _, frozen := range []bool{false, true} {
		tape := autodiff.NewTape(params, true)
		v := tape.Param
		if frozen {
			v = tape.Frozen
		}
		tape.AddLoss("loss", 1, weighted{3, 4}, square.Apply(tape, v(p)))
		tape.Compile()
		require.Equal(t, 19.0, tape.Forward())
		grad := make([]float32, 2)
		tape.Backward(1, grad)
		if frozen {
			require.Equal(t, []float32{0, 0}, grad)
		} else {
			require.Equal(t, []float32{6, 16}, grad)
		}
	}
}

func TestTapePanics(t *testing.T) {
	p := autodiff.NewParams()
	w := p.New("w", autodiff.Shape{2}, nil)
	tape := autodiff.NewTape(p, true)
	a, b, c := tape.Input(autodiff.Shape{2}, true), tape.Input(autodiff.Shape{3}, false), tape.Param(w)
	y := square.Apply(tape, a)
	tape.AddLoss("loss", 1, weighted{1, 1}, autodiff.Mul(tape, y, c))
	grad := make([]float32, 2)
	for name, f := range map[string]func(){
		"add shapes":              func() { autodiff.Add(tape, a, b) },
		"mul shapes":              func() { autodiff.Mul(tape, a, b) },
		"forward before compile":  func() { tape.Forward() },
		"backward before compile": func() { tape.Backward(1, grad) },
		"data before compile":     func() { tape.Data(a) },
		"grad before compile":     func() { tape.Grad(a) },
	} {
		require.Panics(t, f, name)
	}
	tape.Compile()
	require.Panics(t, func() { tape.Backward(1, grad) }, "backward before forward")
	tape.Forward()
	for name, f := range map[string]func(){
		"compile twice":              tape.Compile,
		"input after compile":        func() { tape.Input(autodiff.Shape{1}, false) },
		"op after compile":           func() { square.Apply(tape, a) },
		"loss after compile":         func() { tape.AddLoss("late", 1, weighted{1, 1}, a) },
		"data of a value not kept":   func() { tape.Data(y) },
		"grad of an input without":   func() { tape.Grad(b) },
		"grad of no input":           func() { tape.Grad(y) },
		"gradient of another length": func() { tape.Backward(1, make([]float32, 3)) },
	} {
		require.Panics(t, f, name)
	}
	tape.Backward(1, grad)
	require.Panics(t, func() { tape.Backward(1, grad) }, "the activations are gone after Backward")

	inference := autodiff.NewTape(p, false)
	inference.AddLoss("loss", 1, weighted{1, 1}, inference.Param(w))
	inference.Compile()
	inference.Forward()
	require.Panics(t, func() { inference.Backward(1, grad) })
}

// graph is a random computation on vectors of numbers up to 1, evaluated on a tape and in a straightforward way.
type graph struct {
	size int
	ops  []graphOp
	keep map[int]bool
	loss []int // nodes with a loss
}

type graphOp struct {
	kind string
	a, b int // nodes
}

// randomGraph returns a deep graph: nodes 0 and 1 are an input and a parameter, then follow the ops.
func randomGraph(seed uint64) *graph {
	r := rand.New(rand.NewPCG(seed, 1))
	g := &graph{size: 1 + r.IntN(40), keep: map[int]bool{}}
	for n := 2; n < 60; n++ {
		pick := func() int { // mostly a recent node
			if r.IntN(4) == 0 {
				return r.IntN(n)
			}
			return max(0, n-1-r.IntN(3))
		}
		g.ops = append(g.ops, graphOp{[]string{"mean", "mul", "cosine", "tanh", "greedy"}[r.IntN(5)], pick(), pick()})
		if r.IntN(10) == 0 {
			g.keep[n] = true
		}
		if r.IntN(20) == 0 || n == 59 {
			g.loss = append(g.loss, n)
		}
	}
	return g
}

func (g *graph) record(p *autodiff.Params, keepAll bool) (tape *autodiff.Tape, values []autodiff.Value) {
	tape = autodiff.NewTape(p, true)
	shape := autodiff.Shape{g.size}
	values = []autodiff.Value{tape.Input(shape, true), tape.Param(p.All()[0])}
	for i, op := range g.ops {
		a, b := values[op.a], values[op.b]
		var v autodiff.Value
		switch op.kind {
		case "mean":
			v = tape.Apply(greedy{g.size, 0.5}, shape, autodiff.Add(tape, a, b))
		case "mul":
			v = autodiff.Mul(tape, a, b)
		case "cosine":
			v = cosine.Apply(tape, a)
		case "tanh":
			v = tanh.Apply(tape, a)
		case "greedy":
			v = tape.Apply(greedy{g.size, -1}, shape, a)
		}
		values = append(values, v)
		if keepAll || g.keep[i+2] {
			tape.Keep(v)
		}
	}
	for i, n := range g.loss {
		tape.AddLoss(fmt.Sprint("loss ", i), 1/float64(i+1), weighted(testutil.Signed(uint64(i), g.size)), values[n])
	}
	tape.Compile()
	return tape, values
}

// evaluate computes all nodes and the gradients of the loss with every value in memory of its own, in float64.
func (g *graph) evaluate(x, w []float32) (nodes, grads [][]float64) {
	widen := func(v []float32) []float64 {
		out := make([]float64, len(v))
		for i, e := range v {
			out[i] = float64(e)
		}
		return out
	}
	nodes = [][]float64{widen(x), widen(w)}
	for _, op := range g.ops {
		y := make([]float64, g.size)
		for i := range y {
			a, b := nodes[op.a][i], nodes[op.b][i]
			y[i] = map[string]float64{"mean": (a + b) / 2, "mul": a * b, "cosine": math.Cos(a), "tanh": math.Tanh(a), "greedy": -a}[op.kind]
		}
		nodes = append(nodes, y)
	}
	for range nodes {
		grads = append(grads, make([]float64, g.size))
	}
	for l, n := range g.loss {
		for i, v := range testutil.Signed(uint64(l), g.size) {
			grads[n][i] += float64(v) / float64(l+1)
		}
	}
	for n := len(nodes) - 1; n >= 2; n-- {
		op := g.ops[n-2]
		for i, up := range grads[n] {
			a, b := nodes[op.a][i], nodes[op.b][i]
			d := map[string][2]float64{"mean": {0.5, 0.5}, "mul": {b, a}, "cosine": {-math.Sin(a), 0}, "tanh": {1 - math.Tanh(a)*math.Tanh(a), 0}, "greedy": {-1, 0}}[op.kind]
			grads[op.a][i] += up * d[0]
			grads[op.b][i] += up * d[1]
		}
	}
	return nodes, grads
}

// Sharing memory between values that do not live at the same time changes nothing.
func TestMemorySharing(t *testing.T) {
	shared, total := 0, 0
	for seed := range uint64(40) {
		g := randomGraph(seed)
		p := autodiff.NewParams()
		p.New("w", autodiff.Shape{g.size}, nil)
		tape, values := g.record(p, false)
		whole, _ := g.record(p, true)
		shared, total = shared+tape.Memory(), total+whole.Memory()
		for round := range uint64(2) {
			x := testutil.Signed(10*seed+round, g.size)
			copy(p.Data, testutil.Signed(1000+10*seed+round, g.size))
			nodes, grads := g.evaluate(x, p.Data)
			copy(tape.Data(values[0]), x)
			tape.Forward()
			for n := range g.keep {
				testutil.CloseNorm(t, tape.Data(values[n]), nodes[n], 1e-4, "seed", seed, "node", n)
			}
			grad := make([]float32, g.size)
			tape.Backward(1, grad)
			testutil.CloseNorm(t, tape.Grad(values[0]), grads[0], 1e-4, "seed", seed, "input")
			testutil.CloseNorm(t, grad, grads[1], 1e-4, "seed", seed, "parameter")
			for n := range g.keep {
				testutil.CloseNorm(t, tape.Data(values[n]), nodes[n], 1e-4, "after Backward, seed", seed, "node", n)
			}
			require.Equal(t, x, tape.Data(values[0]), "inputs stay")

			copy(whole.Data(values[0]), x)
			whole.Forward()
			other := make([]float32, g.size)
			whole.Backward(1, other)
			require.Equal(t, other, grad, "seed %d: bit for bit the same with other memory", seed)
		}
	}
	require.Less(t, shared, total*19/20)
}

// A tape that is not for training needs less memory, and gives the same values.
func TestInferenceMemory(t *testing.T) {
	p := autodiff.NewParams()
	w := p.New("w", autodiff.Shape{1000}, func(v []float32) { copy(v, testutil.Signed(1, 1000)) })
	memory, result := map[bool]int{}, map[bool][]float32{}
	for _, training := range []bool{true, false} {
		tape := autodiff.NewTape(p, training)
		v := tape.Param(w)
		for range 20 {
			v = cosine.Apply(tape, square.Apply(tape, v))
		}
		tape.Keep(v)
		tape.AddLoss("loss", 1, weighted(testutil.Signed(2, 1000)), v)
		tape.Compile()
		tape.Forward()
		memory[training], result[training] = tape.Memory(), slices.Clone(tape.Data(v))
	}
	require.Equal(t, result[true], result[false])
	require.Less(t, memory[false]*10, memory[true])
	require.GreaterOrEqual(t, memory[false], 4*1000)
}

func TestReplayDoesNotAllocate(t *testing.T) {
	g := randomGraph(3)
	p := autodiff.NewParams()
	p.New("w", autodiff.Shape{g.size}, nil)
	tape, _ := g.record(p, false)
	grad := make([]float32, g.size)
	require.Zero(t, testing.AllocsPerRun(10, func() {
		tape.Forward()
		tape.Backward(1, grad)
	}))
}
