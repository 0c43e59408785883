package layers_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/internal/kernel"
	"ptycho/internal/testutil"
	"ptycho/layers"
)

func tensor(data []float32, shape ...int) autodiff.Tensor {
	return autodiff.Tensor{Shape: shape, Data: data}
}

func signed(seed uint64, shape ...int) autodiff.Tensor {
	return tensor(testutil.Signed(seed, autodiff.Shape(shape).Size()), shape...)
}

// nhwc returns a golden [B,C,H,W] array as a channels-last tensor.
func nhwc(f *testutil.File, key string) autodiff.Tensor {
	v, b, h, w, c := f.NHWC(key)
	return tensor(v, b, h, w, c)
}

// record records an op of one input.
func record(f func(*autodiff.Tape, autodiff.Value) autodiff.Value) func(*autodiff.Params, *autodiff.Tape, []autodiff.Value) autodiff.Value {
	return func(_ *autodiff.Params, t *autodiff.Tape, in []autodiff.Value) autodiff.Value { return f(t, in[0]) }
}

func TestConvMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "layers.npz")
	before := kernel.Name()
	t.Cleanup(func() { require.NoError(t, kernel.Use(before)) })
	for _, name := range kernel.Available() {
		require.NoError(t, kernel.Use(name))
		for _, c := range []string{"k3", "k3_one", "k3_pixel", "k3_wide", "k1", "k1_one"} {
			key := "conv." + c + "."
			s := f.Shape(key + "weight") // [O,I,K,K]
			out, in, k := s[0], s[1], s[2]
			var conv *layers.Conv2D
			g := nhwc(f, key+"g")
			o := testutil.NewOp(t, g.Data, []autodiff.Tensor{nhwc(f, key+"x")}, func(p *autodiff.Params, tape *autodiff.Tape, v []autodiff.Value) autodiff.Value {
				conv = layers.NewConv2D(p, 1, "conv", in, out, k, false)
				return conv.Apply(tape, v[0])
			})
			// [O,I,K·K] → [K·K,I,O]
			toInside := func(v []float32) []float32 {
				w := make([]float32, len(v))
				for i, x := range v {
					w[(i%(k*k)*in+i/(k*k)%in)*out+i/(k*k*in)] = x
				}
				return w
			}
			copy(o.Params.View(conv.Weight), toInside(f.Float32s(key+"weight")))
			copy(o.Params.View(conv.Bias), f.Float32s(key+"bias"))
			y, grads := o.VJP()
			testutil.CloseNorm(t, y, nhwc(f, key+"y").Data, 1e-6, name, key, "y")
			testutil.CloseNorm(t, grads[0], nhwc(f, key+"dx").Data, 1e-6, name, key, "dx")
			testutil.CloseNorm(t, o.Grad[conv.Weight.Offset:][:conv.Weight.Shape.Size()], toInside(f.Float32s(key+"dweight")), 1e-6, name, key, "dweight")
			testutil.CloseNorm(t, o.Grad[conv.Bias.Offset:][:out], f.Float32s(key+"dbias"), 1e-6, name, key, "dbias")
		}
	}
}

func TestConvReLU(t *testing.T) {
	x := signed(1, 2, 6, 5, 3)
	run := func(relu bool, g []float32) (*testutil.Op, []float32, [][]float32) {
		o := testutil.NewOp(t, g, []autodiff.Tensor{x}, func(p *autodiff.Params, tape *autodiff.Tape, v []autodiff.Value) autodiff.Value {
			return layers.NewConv2D(p, 7, "conv", 3, 4, 3, relu).Apply(tape, v[0])
		})
		y, grads := o.VJP()
		return o, y, grads
	}
	g := testutil.Signed(2, 2*6*5*4)
	_, linear, _ := run(false, g)
	o, y, grads := run(true, g)
	negative := 0
	for i, v := range linear {
		require.Equal(t, max(v, 0), y[i])
		if v <= 0 {
			g[i] = 0
			negative++
		}
	}
	require.Greater(t, negative, 20)
	// The gradient is that of the linear layer for an upstream gradient cleared where the output is.
	p, _, want := run(false, g)
	require.Equal(t, want, grads)
	require.Equal(t, p.Grad, o.Grad)
}

// The same layer serves images of several sizes, and all of them see new weights.
func TestConvOfSeveralSizes(t *testing.T) {
	p := autodiff.NewParams()
	c := layers.NewConv2D(p, 1, "conv", 1, 1, 1, false)
	tape := autodiff.NewTape(p, false)
	var in, out []autodiff.Value
	for _, side := range []int{2, 3, 2} {
		in = append(in, tape.Input(autodiff.Shape{1, side, side, 1}, false))
		out = append(out, c.Apply(tape, in[len(in)-1]))
		tape.Keep(out[len(out)-1])
	}
	tape.Compile()
	for _, w := range []float32{2, -3} {
		p.View(c.Weight)[0], p.View(c.Bias)[0] = w, 0.5
		p.Updated()
		for i, v := range in {
			copy(tape.Data(v), []float32{1, 2, 3, 4})
			tape.Forward()
			require.Equal(t, []float32{w + 0.5, 2*w + 0.5, 3*w + 0.5, 4*w + 0.5}, tape.Data(out[i])[:4])
		}
	}
}

func TestDenseMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "layers.npz")
	transpose := func(v []float32) []float32 { return testutil.NHWC(v, 1, 5, 7, 1) }
	var d *layers.Dense
	o := testutil.NewOp(t, f.Float32s("dense.g"), []autodiff.Tensor{tensor(f.Float32s("dense.x"), 3, 7)},
		func(p *autodiff.Params, tape *autodiff.Tape, v []autodiff.Value) autodiff.Value {
			d = layers.NewDense(p, 1, "dense", 7, 5)
			return d.Apply(tape, v[0])
		})
	copy(o.Params.View(d.Weight), transpose(f.Float32s("dense.weight")))
	copy(o.Params.View(d.Bias), f.Float32s("dense.bias"))
	y, grads := o.VJP()
	testutil.CloseNorm(t, y, f.Float64s("dense.y"), 1e-6)
	testutil.CloseNorm(t, grads[0], f.Float64s("dense.dx"), 1e-6)
	testutil.CloseNorm(t, o.Grad[:35], transpose(f.Float32s("dense.dweight")), 1e-6)
	testutil.CloseNorm(t, o.Grad[35:], f.Float64s("dense.dbias"), 1e-6)
	o.Check(t, 1e-2, 1e-3, "dense")
}

func TestMaxPoolMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "layers.npz")
	y, grads := testutil.NewOp(t, nhwc(f, "maxpool.g").Data, []autodiff.Tensor{nhwc(f, "maxpool.x")}, record(layers.MaxPool)).VJP()
	require.Equal(t, nhwc(f, "maxpool.y").Data, y)
	testutil.Close(t, grads[0], nhwc(f, "maxpool.dx").Data, 1e-6, 0)
}

func TestMaxPool(t *testing.T) {
	for _, tt := range []struct {
		name        string
		h, w        int
		x, y, wantG []float32
	}{
		{"first of equals", 2, 2, []float32{1, 1, 1, 1}, []float32{1}, []float32{1, 0, 0, 0}},
		{"ties in the second row", 2, 2, []float32{0, 1, 2, 2}, []float32{2}, []float32{0, 0, 1, 0}},
		{"negative", 2, 2, []float32{-4, -3, -2, -1}, []float32{-1}, []float32{0, 0, 0, 1}},
		{"odd sides", 3, 3, []float32{0, 5, 9, 1, 2, 9, 9, 9, 9}, []float32{5}, []float32{0, 1, 0, 0, 0, 0, 0, 0, 0}},
	} {
		y, g := testutil.NewOp(t, []float32{1}, []autodiff.Tensor{tensor(tt.x, 1, tt.h, tt.w, 1)}, record(layers.MaxPool)).VJP()
		require.Equal(t, tt.y, y, tt.name)
		require.Equal(t, tt.wantG, g[0], tt.name)
	}
}

func TestChannels(t *testing.T) {
	x := tensor([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	y, g := testutil.NewOp(t, []float32{7, 8, 9, 10}, []autodiff.Tensor{x}, record(func(t *autodiff.Tape, v autodiff.Value) autodiff.Value {
		return layers.Channels(t, v, 1, 3)
	})).VJP()
	require.Equal(t, []float32{2, 3, 5, 6}, y)
	require.Equal(t, []float32{0, 7, 8, 0, 9, 10}, g[0])
}

func TestUpsampleMatchesGolden(t *testing.T) {
	f := testutil.Golden(t, "layers.npz")
	o := testutil.NewOp(t, nhwc(f, "upsample.g").Data, []autodiff.Tensor{nhwc(f, "upsample.x")}, record(layers.Upsample))
	y, grads := o.VJP()
	require.Equal(t, nhwc(f, "upsample.y").Data, y)
	testutil.Close(t, grads[0], nhwc(f, "upsample.dx").Data, 1e-6, 1e-7)
}

func TestSurround(t *testing.T) {
	inner := tensor([]float32{1, 2, 3, 4}, 1, 2, 2, 1)
	outer := tensor([]float32{9, 8, 7, 6, 5, 0, 0, 4, 3, 0, 0, 2, 1, -1, -2, -3}, 1, 4, 4, 1)
	for i := range outer.Data {
		if outer.Data[i] == 0 {
			outer.Data[i] = 50 // is hidden
		}
	}
	g := testutil.Signed(1, 16)
	o := testutil.NewOp(t, g, []autodiff.Tensor{inner, outer}, func(_ *autodiff.Params, tape *autodiff.Tape, v []autodiff.Value) autodiff.Value {
		return layers.Surround(tape, v[0], v[1], true)
	})
	y, grads := o.VJP()
	require.Equal(t, []float32{9, 8, 7, 6, 5, 1, 2, 4, 3, 3, 4, 2, 1, -1, -2, -3}, y)
	require.Equal(t, []float32{g[5], g[6], g[9], g[10]}, grads[0])
	require.Equal(t, []float32{g[0], g[1], g[2], g[3], g[4], 0, 0, g[7], g[8], 0, 0, g[11], g[12], g[13], g[14], g[15]}, grads[1])

	y, grads = testutil.NewOp(t, g, []autodiff.Tensor{inner}, record(func(tape *autodiff.Tape, v autodiff.Value) autodiff.Value {
		return layers.Surround(tape, v, autodiff.Value{}, false)
	})).VJP()
	require.Equal(t, []float32{0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0}, y)
	require.Equal(t, []float32{g[5], g[6], g[9], g[10]}, grads[0])
}

// Linear ops: ⟨A·x, g⟩ = ⟨x, Aᵀ·g⟩.
func TestLinearOpsAdjoint(t *testing.T) {
	for name, tt := range map[string]struct {
		x      autodiff.Tensor
		size   int
		record func(*autodiff.Params, *autodiff.Tape, []autodiff.Value) autodiff.Value
	}{
		"upsample": {signed(1, 2, 5, 3, 4), 4 * 120, record(layers.Upsample)},
		"channels": {signed(2, 2, 5, 3, 4), 60, record(func(t *autodiff.Tape, v autodiff.Value) autodiff.Value { return layers.Channels(t, v, 1, 3) })},
		"surround": {signed(3, 2, 4, 4, 3), 4 * 96, record(func(t *autodiff.Tape, v autodiff.Value) autodiff.Value {
			return layers.Surround(t, v, autodiff.Value{}, false)
		})},
		"conv": {signed(4, 2, 9, 7, 5), 2 * 63 * 6, func(p *autodiff.Params, t *autodiff.Tape, v []autodiff.Value) autodiff.Value {
			return layers.NewConv2D(p, 3, "conv", 5, 6, 3, false).Apply(t, v[0])
		}},
	} {
		g := testutil.Signed(9, tt.size)
		y, grads := testutil.NewOp(t, g, []autodiff.Tensor{tt.x}, tt.record).VJP()
		require.InDelta(t, testutil.Dot(y, g), testutil.Dot(tt.x.Data, grads[0]), 1e-6*testutil.Norm(y)*testutil.Norm(g), name)
	}
}

func TestActivationsMatchGolden(t *testing.T) {
	f := testutil.Golden(t, "activations.npz")
	file := map[string]string{"pitanh": "tanh_pi"}
	for _, name := range layers.ActivationNames() {
		key := name
		if file[name] != "" {
			key = file[name]
		}
		act, err := layers.Activation(name)
		require.NoError(t, err)
		x := f.Float32s(key + ".x")
		y, grads := testutil.NewOp(t, f.Float32s(key+".g"), []autodiff.Tensor{tensor(x, len(x))}, record(act.Apply)).VJP()
		testutil.Close(t, y, f.Float64s(key+".y"), 1e-6, 1e-12, name)
		// A slope near saturation is the small difference of rounded numbers.
		testutil.Close(t, grads[0], f.Float64s(key+".dx"), 2e-6, 5e-7, name)
		require.False(t, math.IsNaN(testutil.Norm(grads[0])))
	}
	_, err := layers.Activation("tanh")
	require.ErrorContains(t, err, `unknown activation "tanh"; there are sigmoid, swish`)
}

func TestActivationGradients(t *testing.T) {
	for _, name := range []string{"sigmoid", "swish", "softplus", "pitanh"} {
		act, err := layers.Activation(name)
		require.NoError(t, err)
		testutil.NewOp(t, testutil.Signed(1, 50), []autodiff.Tensor{signed(2, 50)}, record(act.Apply)).Check(t, 1e-2, 2e-3, name)
	}
}

func TestStack(t *testing.T) {
	var p *autodiff.Params
	o := testutil.NewOp(t, testutil.Signed(1, 2*2*2*3), []autodiff.Tensor{signed(2, 2, 8, 8, 2)},
		func(params *autodiff.Params, tape *autodiff.Tape, v []autodiff.Value) autodiff.Value {
			p = params
			return layers.NewStack(p, 5, "s", 2, []int{4, 3}, layers.MaxPool).Apply(tape, v[0])
		})
	var names []string
	for _, q := range p.All() {
		names = append(names, q.Name+q.Shape.String())
	}
	require.Equal(t, []string{
		"s.0.conv1.weight[3×3×2×4]", "s.0.conv1.bias[4]", "s.0.conv2.weight[3×3×4×4]", "s.0.conv2.bias[4]",
		"s.1.conv1.weight[3×3×4×3]", "s.1.conv1.bias[3]", "s.1.conv2.weight[3×3×3×3]", "s.1.conv2.bias[3]",
	}, names)
	copy(p.Data, testutil.Signed(3, len(p.Data))) // no output is exactly on the edge of a ReLU
	o.Check(t, 1e-4, 2e-2, "stack")
}

func TestGlorotUniform(t *testing.T) {
	f := testutil.Golden(t, "optim.npz")
	shapes, limit, std := f.Ints("glorot.shapes"), f.Float64s("glorot.limit"), f.Float64s("glorot.std")
	for i := range limit {
		out, in, k := shapes[4*i], shapes[4*i+1], shapes[4*i+2]
		p := autodiff.NewParams()
		c := layers.NewConv2D(p, uint64(i), "conv", in, out, k, false)
		w := p.View(c.Weight)
		top := 0.0
		for _, v := range w {
			top = max(top, math.Abs(float64(v)))
		}
		n := float64(len(w))
		require.LessOrEqual(t, top, limit[i]*(1+1e-6))
		require.Greater(t, top, limit[i]*(1-10/n))
		require.InEpsilon(t, std[i], testutil.Norm(w)/math.Sqrt(n), 3/math.Sqrt(n))
		for _, v := range p.View(c.Bias) {
			require.Zero(t, v)
		}
	}
}

// The weights of a layer depend on the seed and its name, not on the layers made before it.
func TestInitialWeightsByName(t *testing.T) {
	weights := func(seed uint64, names ...string) []float32 {
		p := autodiff.NewParams()
		var w []float32
		for _, name := range names {
			w = p.View(layers.NewDense(p, seed, name, 5, 4).Weight)
		}
		return w
	}
	require.Equal(t, weights(1, "a"), weights(1, "b", "c", "a"))
	require.NotEqual(t, weights(1, "a"), weights(1, "b"))
	require.NotEqual(t, weights(1, "a"), weights(2, "a"))
}

func TestPanics(t *testing.T) {
	p := autodiff.NewParams()
	tape := autodiff.NewTape(p, false)
	input := func(shape ...int) autodiff.Value { return tape.Input(shape, false) }
	c := layers.NewConv2D(p, 1, "c", 2, 3, 3, false)
	d := layers.NewDense(p, 1, "d", 2, 3)
	for name, f := range map[string]func(){
		"kernel size":        func() { layers.NewConv2D(p, 1, "x", 2, 3, 5, false) },
		"no channels":        func() { layers.NewConv2D(p, 1, "x", 0, 3, 3, false) },
		"channels":           func() { c.Apply(tape, input(1, 4, 4, 3)) },
		"rank":               func() { c.Apply(tape, input(4, 2)) },
		"dense":              func() { layers.NewDense(p, 1, "x", 2, 0) },
		"features":           func() { d.Apply(tape, input(4, 3)) },
		"pool":               func() { layers.MaxPool(tape, input(1, 1, 4, 1)) },
		"upsample":           func() { layers.Upsample(tape, input(4, 4)) },
		"surround not even":  func() { layers.Surround(tape, input(1, 3, 3, 1), autodiff.Value{}, false) },
		"surround by little": func() { layers.Surround(tape, input(1, 2, 2, 1), input(1, 2, 2, 1), true) },
		"channels of none":   func() { layers.Channels(tape, input(4, 2), 1, 1) },
		"channels above":     func() { layers.Channels(tape, input(4, 2), 0, 3) },
		"channels below":     func() { layers.Channels(tape, input(4, 2), -1, 1) },
		"duplicate":          func() { layers.NewDense(p, 1, "d", 2, 3) },
	} {
		require.Panics(t, f, name)
	}
}

// An op whose input needs no gradient leaves it alone.
func TestOpsOfConstants(t *testing.T) {
	p := autodiff.NewParams()
	tape := autodiff.NewTape(p, true)
	x := tape.Input(autodiff.Shape{1, 4, 4, 2}, false)
	c := layers.NewConv2D(p, 1, "c", 2, 1, 3, false)
	y := c.Apply(tape, layers.Upsample(tape, layers.MaxPool(tape, x)))
	d := layers.NewDense(p, 1, "d", 1, 1)
	tape.AddLoss("sum", 1, total{}, d.Apply(tape, y))
	tape.Compile()
	copy(tape.Data(x), testutil.Signed(1, 32))
	p.Updated()
	tape.Forward()
	grad := make([]float32, len(p.Data))
	tape.Backward(1, grad)
	require.InDelta(t, 16, grad[d.Bias.Offset], 1e-6)
	require.Panics(t, func() { tape.Grad(x) })
}

// total is the sum of a tensor.
type total struct{}

func (total) Forward(c *autodiff.Context) float64 {
	s := 0.0
	for _, v := range c.In(0) {
		s += float64(v)
	}
	return s
}

func (total) Backward(c *autodiff.Context, scale float64) {
	g := c.GradIn(0)
	for i := range g {
		g[i] += float32(scale)
	}
}
