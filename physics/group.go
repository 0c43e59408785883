package physics

import (
	"fmt"
	"math"

	"ptycho/autodiff"
	"ptycho/internal/kernel"
)

// Layout says where the patches of each group lie on the group's canvas: patch c of group b covers
// canvas rows Y[b·C+c] … +N and columns X[b·C+c] … +N. It is filled before every forward pass and shared by
// the ops of a tape.
type Layout struct {
	Groups, C, N, M int // M is the side of the canvas
	Y, X            []float64
}

// NewLayout returns a layout of groups × c patches of side n on canvases of side m ≥ n.
func NewLayout(groups, c, n, m int) *Layout {
	if groups < 1 || c < 1 || n < 1 || m < n {
		panic(fmt.Sprintf("physics: layout of %d groups × %d patches of %d on %d", groups, c, n, m))
	}
	return &Layout{Groups: groups, C: c, N: n, M: m, Y: make([]float64, groups*c), X: make([]float64, groups*c)}
}

// Set places the patches of group b whose probe positions are x (columns) and y (rows), in object pixels:
// relative to the mean position, which is the centre of the canvas. Increasing x moves a patch to the right. It
// panics when a patch leaves the canvas, whose margin would cut it silently.
func (l *Layout) Set(b int, x, y []float64) {
	mx, my := mean(x), mean(y)
	margin := float64(l.M-l.N) / 2
	for c := range l.C {
		l.X[b*l.C+c] = margin + x[c] - mx
		l.Y[b*l.C+c] = margin + y[c] - my
		if off := max(math.Abs(x[c]-mx), math.Abs(y[c]-my)); !(off <= margin+1e-6) {
			panic(fmt.Sprintf("physics: patch %d of group %d is %g pixels off the mean, on a canvas of margin %g", c, b, off, margin))
		}
	}
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

// CanvasSide returns the smallest even canvas on which patches of side n fit whose positions differ by up
// to maxOffset from the mean of their group, with a pixel to spare for the interpolation.
func CanvasSide(n int, maxOffset float64) int { return n + 2*int(math.Ceil(maxOffset)) + 2 }

// MergeWeights returns the weight of each pixel of a patch in a merge, N×N: the power of the probe,
// Σ_m |P_m|², not below 1e-6 of its maximum. planes is the probe, [modes,2,N,N].
func MergeWeights(planes []float32, n int) []float32 {
	w := make([]float32, n*n)
	for i, v := range planes {
		w[i%(n*n)] += v * v
	}
	top := float32(0)
	for _, v := range w {
		top = max(top, v)
	}
	for i, v := range w {
		w[i] = max(v, 1e-6*top)
	}
	return w
}

// Overlap records the reciprocal of the summed weights of the patches on each canvas, [B,M,M]; zero where
// no patch lies. It has no gradient: the weights are constants.
func Overlap(t *autodiff.Tape, l *Layout, weights []float32) autodiff.Value {
	return t.Apply(&overlap{l, weights}, autodiff.Shape{l.Groups, l.M, l.M})
}

type overlap struct {
	*Layout
	w []float32
}

// Forward implements autodiff.Op.
func (o *overlap) Forward(c *autodiff.Context) {
	out := c.Out()
	clear(out)
	top := float32(0)
	for _, v := range o.w {
		top = max(top, v)
	}
	for b := range o.Groups {
		canvas := out[b*o.M*o.M:][:o.M*o.M]
		for k := b * o.C; k < (b+1)*o.C; k++ {
			Scatter(canvas, o.M, o.M, o.w, o.N, o.Y[k], o.X[k])
		}
		for i, v := range canvas {
			if v > 1e-12*top {
				canvas[i] = 1 / v
			} else {
				canvas[i] = 0
			}
		}
	}
}

// Backward implements autodiff.Op; there is nothing to differentiate.
func (o *overlap) Backward(*autodiff.Context) {}

// Merge records the weighted mean of the patches of each group, every patch at its own place:
//
//	K = Σ_c Scatter(w·O_c) / Σ_c Scatter(w)
//
// field is [B·C,2,N,N], overlap the result of Overlap for the same layout and weights. The result is
// [B,2,M,M]. Groups do not touch each other.
func Merge(t *autodiff.Tape, l *Layout, weights []float32, field, overlap autodiff.Value) autodiff.Value {
	checkField(t, field, l.Groups*l.C, l.N)
	return t.Apply(&merge{l, weights}, autodiff.Shape{l.Groups, 2, l.M, l.M}, field, overlap)
}

type merge struct {
	*Layout
	w []float32
}

// ScratchLen implements autodiff.Scratcher.
func (m *merge) ScratchLen() int { return max(m.N*m.N, m.M*m.M) }

// Forward implements autodiff.Op.
func (m *merge) Forward(c *autodiff.Context) {
	field, inv, out := c.In(0), c.In(1), c.Out()
	clear(out)
	nn, mm := m.N*m.N, m.M*m.M
	weighted := c.Scratch(nn)
	for b := range m.Groups {
		for plane := range 2 {
			canvas := out[(b*2+plane)*mm:][:mm]
			for k := b * m.C; k < (b+1)*m.C; k++ {
				kernel.Mul(weighted, field[(k*2+plane)*nn:][:nn], m.w)
				Scatter(canvas, m.M, m.M, weighted, m.N, m.Y[k], m.X[k])
			}
			kernel.Mul(canvas, canvas, inv[b*mm:][:mm])
		}
	}
}

// Keeps implements autodiff.Keeper. The overlap is read again.
func (m *merge) Keeps() (inputs, output bool) { return true, false }

// Backward implements autodiff.Op.
func (m *merge) Backward(c *autodiff.Context) {
	gf := c.GradIn(0)
	if gf == nil {
		return
	}
	inv, g := c.In(1), c.GradOut()
	nn, mm := m.N*m.N, m.M*m.M
	patch := c.Scratch(nn)
	for b := range m.Groups {
		for plane := range 2 {
			canvas := g[(b*2+plane)*mm:][:mm]
			kernel.Mul(canvas, canvas, inv[b*mm:][:mm])
			for k := b * m.C; k < (b+1)*m.C; k++ {
				Gather(patch, m.N, canvas, m.M, m.M, m.Y[k], m.X[k])
				kernel.AddMul(gf[(k*2+plane)*nn:][:nn], patch, m.w, 1)
			}
		}
	}
}

// Extract records the patches of each group as the group's canvas shows them: canvas [B,2,M,M] to
// [B·C,2,N,N].
func Extract(t *autodiff.Tape, l *Layout, canvas autodiff.Value) autodiff.Value {
	if want := (autodiff.Shape{l.Groups, 2, l.M, l.M}); !t.Shape(canvas).Equal(want) {
		panic(fmt.Sprintf("physics: canvas %v, want %v", t.Shape(canvas), want))
	}
	return t.Apply(&extract{l}, autodiff.Shape{l.Groups * l.C, 2, l.N, l.N}, canvas)
}

type extract struct{ *Layout }

// Keeps implements autodiff.Keeper.
func (e *extract) Keeps() (inputs, output bool) { return false, false }

// each calls f with every patch plane and the canvas plane that it lies on.
func (e *extract) each(patches, canvases []float32, f func(patch, canvas []float32, k int)) {
	nn, mm := e.N*e.N, e.M*e.M
	for k := range e.Groups * e.C {
		for plane := range 2 {
			f(patches[(k*2+plane)*nn:][:nn], canvases[(k/e.C*2+plane)*mm:][:mm], k)
		}
	}
}

// Forward implements autodiff.Op.
func (e *extract) Forward(c *autodiff.Context) {
	e.each(c.Out(), c.In(0), func(patch, canvas []float32, k int) {
		Gather(patch, e.N, canvas, e.M, e.M, e.Y[k], e.X[k])
	})
}

// Backward implements autodiff.Op.
func (e *extract) Backward(c *autodiff.Context) {
	g := c.GradIn(0)
	if g == nil {
		return
	}
	e.each(c.GradOut(), g, func(patch, canvas []float32, k int) {
		Scatter(canvas, e.M, e.M, patch, e.N, e.Y[k], e.X[k])
	})
}

func checkField(t *autodiff.Tape, v autodiff.Value, images, n int) {
	if want := (autodiff.Shape{images, 2, n, n}); !t.Shape(v).Equal(want) {
		panic(fmt.Sprintf("physics: field %v, want %v", t.Shape(v), want))
	}
}

// Pad records images [B,2,N,N] in the middle of canvases [B,2,M,M] of zeros, M − N even.
func Pad(t *autodiff.Tape, images autodiff.Value, m int) autodiff.Value {
	s := t.Shape(images)
	if len(s) != 4 || s[1] != 2 || s[2] != s[3] || m < s[2] || (m-s[2])%2 != 0 {
		panic(fmt.Sprintf("physics: padding of %v to %d", s, m))
	}
	return t.Apply(&pad{2 * s[0], s[2], m}, autodiff.Shape{s[0], 2, m, m}, images)
}

type pad struct{ planes, n, m int }

// Keeps implements autodiff.Keeper.
func (p *pad) Keeps() (inputs, output bool) { return false, false }

// Forward implements autodiff.Op.
func (p *pad) Forward(c *autodiff.Context) {
	clear(c.Out())
	at := float64((p.m - p.n) / 2)
	for i := range p.planes {
		Scatter(c.Out()[i*p.m*p.m:], p.m, p.m, c.In(0)[i*p.n*p.n:], p.n, at, at)
	}
}

// Backward implements autodiff.Op.
func (p *pad) Backward(c *autodiff.Context) {
	g := c.GradIn(0)
	if g == nil {
		return
	}
	off := (p.m - p.n) / 2
	for i := range p.planes {
		kernel.AddRows(g[i*p.n*p.n:], p.n, c.GradOut()[(i*p.m+off)*p.m+off:], p.m, p.n, p.n, 1)
	}
}
