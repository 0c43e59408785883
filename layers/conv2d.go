package layers

import (
	"fmt"
	"sync"

	"ptycho/autodiff"
	"ptycho/internal/kernel"
)

// Conv2D is a 3×3 or 1×1 convolution (as in every network library, a correlation) with bias, stride 1 and
// zero padding to the same size, optionally followed by a ReLU. Its weight has shape [K,K,In,Out].
type Conv2D struct {
	In, Out, K   int
	ReLU         bool
	Weight, Bias autodiff.Param

	params *autodiff.Params
	plans  map[[2]int]*packedConv // by image size
}

// packedConv is a kernel plan with the weights as the kernel wants them, shared by all tapes.
type packedConv struct {
	plan    *kernel.Conv
	packed  []float32
	scratch []float32 // of packing
}

// NewConv2D adds name.weight (Glorot uniform) and name.bias (zero) to p. It panics when k is not 1 or 3.
func NewConv2D(p *autodiff.Params, seed uint64, name string, in, out, k int, relu bool) *Conv2D {
	if in < 1 || out < 1 || k != 1 && k != 3 {
		panic(fmt.Sprintf("layers: convolution %d×%d from %d to %d channels", k, k, in, out))
	}
	c := &Conv2D{In: in, Out: out, K: k, ReLU: relu, params: p, plans: map[[2]int]*packedConv{}}
	c.Weight = p.New(name+".weight", autodiff.Shape{k, k, in, out}, GlorotUniform(seed, name, k*k*in, k*k*out))
	c.Bias = p.New(name+".bias", autodiff.Shape{out}, nil)
	p.OnUpdate(c.pack)
	return c
}

func (c *Conv2D) pack() {
	for _, q := range c.plans {
		q.plan.Pack(q.packed, c.params.View(c.Weight), q.scratch)
	}
}

// Apply records the layer on x, [B,H,W,In]. The result is [B,H,W,Out]. Params.Updated must be called
// before the first forward pass.
func (c *Conv2D) Apply(t *autodiff.Tape, x autodiff.Value) autodiff.Value {
	s := t.Shape(x)
	if len(s) != 4 || s[3] != c.In {
		panic(fmt.Sprintf("layers: %s takes %d channels, got %v", c.Weight.Name, c.In, s))
	}
	size := [2]int{s[1], s[2]}
	q := c.plans[size]
	if q == nil {
		q = &packedConv{plan: kernel.NewConv(s[1], s[2], c.In, c.Out, c.K)}
		q.scratch = make([]float32, q.plan.PackScratchLen())
		c.plans[size] = q
	}
	if n := q.plan.PackedLen(t.Training()); n > len(q.packed) {
		q.packed = make([]float32, n)
	}
	op := &conv{packedConv: q, batch: s[0], in: s[1] * s[2] * c.In, out: s[1] * s[2] * c.Out, relu: c.ReLU, parts: t.Workers()}
	return t.Apply(op, autodiff.Shape{s[0], s[1], s[2], c.Out}, x, t.Param(c.Weight), t.Param(c.Bias))
}

type conv struct {
	*packedConv
	batch   int
	in, out int // elements of one image
	relu    bool
	parts   int // of an image that are computed at the same time
}

// ScratchLen implements autodiff.Scratcher.
func (c *conv) ScratchLen() int { return c.parts * c.plan.ScratchLen() }

// Keeps implements autodiff.Keeper: the output is read for the sign that the ReLU left.
func (c *conv) Keeps() (inputs, output bool) { return true, c.relu }

// Forward implements autodiff.Op.
func (c *conv) Forward(x *autodiff.Context) {
	src, dst, bias := x.In(0), x.Out(), x.In(2)
	scratch, each := x.Scratch(c.ScratchLen()), c.plan.ScratchLen()
	for b := range c.batch {
		y, x := dst[b*c.out:][:c.out], src[b*c.in:][:c.in]
		if c.parts == 1 {
			c.plan.Forward(y, x, c.packed, bias, c.relu, scratch)
			continue
		}
		var done sync.WaitGroup
		for i := range c.parts {
			done.Go(func() {
				c.plan.ForwardPart(y, x, c.packed, bias, c.relu, i, c.parts, scratch[i*each:][:each])
			})
		}
		done.Wait()
	}
}

// Backward implements autodiff.Op.
func (c *conv) Backward(x *autodiff.Context) {
	g := x.GradOut()
	if c.relu {
		kernel.ReLUGrad(g, x.Out())
	}
	src, dsrc, dw, db := x.In(0), x.GradIn(0), x.GradIn(1), x.GradIn(2)
	scratch := x.Scratch(c.plan.ScratchLen())
	for b := range c.batch {
		gb := g[b*c.out:][:c.out]
		c.plan.GradWeight(dw, db, src[b*c.in:][:c.in], gb, scratch)
		if dsrc != nil {
			c.plan.GradInput(dsrc[b*c.in:][:c.in], gb, c.packed, scratch)
		}
	}
}
