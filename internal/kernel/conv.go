package kernel

import "fmt"

// Conv is a plan for the "same" (zero-padded, stride 1) K×K convolution, K = 1 or 3, of one channels-last image
// src [H,W,In] to dst [H,W,Out]:
//
//	dst[y,x,o] = bias[o] + Σ_{i,j<K, c<In} src[y+i−K/2, x+j−K/2, c] · weight[i,j,c,o]
//
// It is a correlation: weights [K,K,In,Out] are not flipped. A Conv is immutable and safe for concurrent use; it keeps
// the implementation that was in use when it was made. Slices may be longer than needed; the methods panic if one is
// too short. Outputs must not overlap inputs, and scratch holds nothing between calls. Values that are not finite make
// all results that depend on them not finite, and perhaps others nearby.
type Conv struct {
	H, W    int // image size in pixels
	In, Out int // channels
	K       int // kernel width

	algo convolver
}

// A convolver does the work of a Conv, whose methods it mirrors, after the lengths have been checked.
type convolver interface {
	packedLen(gradients bool) int
	packScratchLen() int
	scratchLen() int
	pack(packed, weight, scratch []float32) // also for gradInput if packed is long enough
	bands() int                             // into which forward can be cut
	forward(dst, src, packed, bias []float32, relu bool, from, to int, scratch []float32)
	gradInput(dsrc, ddst, packed, scratch []float32)
	gradWeight(dweight, dbias, src, ddst, scratch []float32)
}

// NewConv returns a plan for images of h×w pixels, in and out channels and a k×k kernel. It panics if a size is not
// positive or k is neither 1 nor 3.
func NewConv(h, w, in, out, k int) *Conv {
	if h <= 0 || w <= 0 || in <= 0 || out <= 0 {
		panic(fmt.Sprintf("kernel: non-positive size in convolution of %dx%d pixels, %d to %d channels", h, w, in, out))
	}
	if k != 1 && k != 3 {
		panic(fmt.Sprintf("kernel: convolution kernel width %d is neither 1 nor 3", k))
	}
	c := &Conv{H: h, W: w, In: in, Out: out, K: k}
	if tiles := active.Load().tiles; tiles != nil {
		c.algo = newFastConv(h, w, in, out, k, tiles)
	} else {
		c.algo = newGenericConv(h, w, in, out, k)
	}
	return c
}

// newFastConv returns the algorithm that was measured to be the fastest for the sizes: Winograd's, unless the transform of
// the patches serves too few products, as in layers with a single input channel, or most of a tile would be outside.
func newFastConv(h, w, in, out, k int, tiles *tileSet) convolver {
	if k == 3 && min(h, w) >= winogradTile && in >= 4 {
		return newWinogradConv(h, w, in, out, tiles)
	}
	return newTiledConv(h, w, in, out, k, tiles)
}

// PackedLen returns the length of the packed weights for Forward, with gradients also for GradInput.
func (c *Conv) PackedLen(gradients bool) int { return c.algo.packedLen(gradients) }

// PackScratchLen returns the length of the scratch that Pack needs.
func (c *Conv) PackScratchLen() int { return c.algo.packScratchLen() }

// ScratchLen returns the length of the scratch that any of Forward, GradInput and GradWeight needs.
func (c *Conv) ScratchLen() int { return c.algo.scratchLen() }

// Pack lays weight [K,K,In,Out] out in packed for Forward, and also for GradInput if packed is as long as that needs; see
// PackedLen. It is called once whenever the weights have changed. Aligning packed to 64 bytes makes the convolution faster.
func (c *Conv) Pack(packed, weight, scratch []float32) {
	need("packed", packed, c.PackedLen(false))
	need("weight", weight, c.weightLen())
	need("scratch", scratch, c.PackScratchLen())
	c.algo.pack(packed, weight[:c.weightLen()], scratch)
}

// Forward computes dst = conv(src) + bias, then the ReLU max(·, 0) if relu is set. It overwrites dst [H,W,Out]; src is
// [H,W,In] and bias [Out], or nil for none.
func (c *Conv) Forward(dst, src, packed, bias []float32, relu bool, scratch []float32) {
	c.ForwardPart(dst, src, packed, bias, relu, 0, 1, scratch)
}

// ForwardPart is one of several parts of Forward that together do all of it: they write different elements of dst, and
// may run at the same time if each has a scratch of its own. The result does not depend on their number.
func (c *Conv) ForwardPart(dst, src, packed, bias []float32, relu bool, part, parts int, scratch []float32) {
	if part < 0 || part >= parts {
		panic(fmt.Sprintf("kernel: part %d of %d of a convolution", part, parts))
	}
	need("dst", dst, c.dstLen())
	need("src", src, c.srcLen())
	need("packed", packed, c.PackedLen(false))
	need("scratch", scratch, c.ScratchLen())
	if bias != nil {
		need("bias", bias, c.Out)
		bias = bias[:c.Out]
	}
	n := c.algo.bands()
	if from, to := part*n/parts, (part+1)*n/parts; from < to {
		c.algo.forward(dst[:c.dstLen()], src[:c.srcLen()], packed, bias, relu, from, to, scratch[:c.ScratchLen()])
	}
}

// GradInput adds the gradient of the input, the transposed convolution of the output's gradient ddst [H,W,Out], to
// dsrc [H,W,In].
func (c *Conv) GradInput(dsrc, ddst, packed, scratch []float32) {
	need("dsrc", dsrc, c.srcLen())
	need("ddst", ddst, c.dstLen())
	need("packed", packed, c.PackedLen(true))
	need("scratch", scratch, c.ScratchLen())
	c.algo.gradInput(dsrc[:c.srcLen()], ddst[:c.dstLen()], packed, scratch[:c.ScratchLen()])
}

// GradWeight adds the gradients of the weights and of the bias to dweight [K,K,In,Out] and dbias [Out], which may be
// nil; src [H,W,In] is the input of Forward and ddst [H,W,Out] the gradient of its output (before the ReLU).
func (c *Conv) GradWeight(dweight, dbias, src, ddst, scratch []float32) {
	need("dweight", dweight, c.weightLen())
	need("src", src, c.srcLen())
	need("ddst", ddst, c.dstLen())
	need("scratch", scratch, c.ScratchLen())
	if dbias != nil {
		need("dbias", dbias, c.Out)
		dbias = dbias[:c.Out]
	}
	c.algo.gradWeight(dweight[:c.weightLen()], dbias, src[:c.srcLen()], ddst[:c.dstLen()], scratch[:c.ScratchLen()])
}

func (c *Conv) srcLen() int    { return c.H * c.W * c.In }
func (c *Conv) dstLen() int    { return c.H * c.W * c.Out }
func (c *Conv) weightLen() int { return c.K * c.K * c.In * c.Out }

// need panics unless s has at least n elements.
func need(name string, s []float32, n int) {
	if len(s) < n {
		panic(fmt.Sprintf("kernel: %s has %d elements, need %d", name, len(s), n))
	}
}
