package refine

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"ptycho/autodiff"
	"ptycho/fft"
	"ptycho/internal/kernel"
	"ptycho/physics"
)

// slopes is what tells by how much to move a frame: how its waves on the detector change with its position.
type slopes struct {
	tape  *autodiff.Tape // object patch → waves, which is linear
	patch autodiff.Value
	waves autodiff.Value
	y, x  []float32 // derivatives of the patch, [2,N,N]
	dy    []float32 // of the modulus on the detector, [N,N]
	dx    []float32
}

func (e *Engine) newSlopes(plan *fft.Plan) *slopes {
	n := e.n
	t := autodiff.NewTape(e.params, false)
	s := &slopes{tape: t, patch: t.Input(autodiff.Shape{1, 2, n, n}, false)}
	s.waves = physics.FarField(t, plan, s.patch, t.Param(e.probe))
	t.Keep(s.waves)
	t.Compile()
	s.y, s.x = make([]float32, 2*n*n), make([]float32, 2*n*n)
	s.dy, s.dx = make([]float32, n*n), make([]float32, n*n)
	return s
}

// modulus writes the derivative of √λ to dst when the patch changes by d.
func (s *slopes) modulus(dst, d, waves, lambda []float32, gain, epsilon float32) {
	copy(s.tape.Data(s.patch), d)
	s.tape.Forward()
	change, pix := s.tape.Data(s.waves), len(dst)
	clear(dst)
	for at := 0; at < len(waves); at += pix {
		kernel.AddMul(dst, waves[at:at+pix], change[at:at+pix], gain)
	}
	for i, l := range lambda {
		dst[i] /= float32(math.Sqrt(float64(l + epsilon)))
	}
}

// normal is the normal equations of a Gauss–Newton step for the position of a frame.
type normal struct{ gy, gx, yy, yx, xx float64 }

// equations sets up the step for the moduli on the detector, after the gradient at the patch.
func (e *Engine) equations(v *view, s *slot) normal {
	pix, d := e.n*e.n, v.slopes
	for k, plane := range e.object {
		physics.Slope(d.y[k*pix:][:pix], d.x[k*pix:][:pix], e.n, plane, e.rows, e.cols, s.y, s.x)
	}
	gain := float32(1)
	if e.exposed() {
		gain = float32(e.gain[s.frame])
	}
	waves, lambda := v.tape.Data(v.waves), v.tape.Data(v.lambda)
	d.modulus(d.dy, d.y, waves, lambda, gain, float32(e.epsilon))
	d.modulus(d.dx, d.x, waves, lambda, gain, float32(e.epsilon))
	return normal{dot(d.y, s.grad), dot(d.x, s.grad), dot(d.dy, d.dy), dot(d.dy, d.dx), dot(d.dx, d.dx)}
}

// step returns by how much to move the frame, at most by limit pixels.
func (m normal) step(limit float64) (dy, dx float64) {
	ridge := 1e-4 * (m.yy + m.xx)
	yy, xx := m.yy+ridge, m.xx+ridge
	det := yy*xx - m.yx*m.yx
	if !(det > 0) { // a flat object
		return 0, 0
	}
	dy, dx = -(xx*m.gy-m.yx*m.gx)/det, -(yy*m.gx-m.yx*m.gy)/det
	if d := math.Hypot(dy, dx); d > limit {
		dy, dx = dy*limit/d, dx*limit/d
	}
	return dy, dx
}

// soft returns the direction in which the frame changes least, a unit vector: across the principal axis of the matrix,
// which lies at ½·atan2(2·yx, yy−xx) from the y axis.
func (m normal) soft() (y, x float64) {
	sin, cos := math.Sincos(0.5 * math.Atan2(2*m.yx, m.yy-m.xx))
	return -sin, cos
}

func dot(a, b []float32) float64 {
	s := 0.0
	for i, v := range a {
		s += float64(v) * float64(b[i])
	}
	return s
}

// maxJump is how far a position moves in one sweep at most, pixels.
const maxJump = 0.5

// stepPositions moves the frames of a batch.
func (e *Engine) stepPositions(slots []slot) {
	for i := range slots {
		s := &slots[i]
		e.moveTo(s.frame, s.y+s.dy, s.x+s.dx)
	}
}

// moveTo places a frame, not too far from where it began.
func (e *Engine) moveTo(frame int, y, x float64) {
	e.y[frame], e.x[frame] = e.bounded(y, e.y0[frame]), e.bounded(x, e.x0[frame])
}

// allowed tells whether a frame may be at a place.
func (e *Engine) allowed(frame int, y, x float64) bool {
	return max(math.Abs(y-e.y0[frame]), math.Abs(x-e.x0[frame])) <= e.opt.MaxShift
}

// bounded keeps a coordinate within MaxShift of where it began.
func (e *Engine) bounded(v, start float64) float64 {
	return min(max(v, start-e.opt.MaxShift), start+e.opt.MaxShift)
}

// settlePositions takes out what belongs to the object, a common shift, and with Affine all that is not an affine map
// of the positions at the start.
func (e *Engine) settlePositions() {
	if e.opt.Affine {
		e.toAffine()
		return
	}
	n := float64(len(e.y))
	my, mx := 0.0, 0.0
	for i := range e.y {
		my, mx = my+(e.y[i]-e.y0[i])/n, mx+(e.x[i]-e.x0[i])/n
	}
	for i := range e.y {
		e.moveTo(i, e.y[i]-my, e.x[i]-mx)
	}
}

// toAffine replaces the positions by the affine map of those at the start about their mean that comes closest to them, or
// by a part of it that leaves them within MaxShift. Across a line of positions, where frames tell nothing of the map, it
// is the identity.
func (e *Engine) toAffine() {
	n := float64(len(e.y))
	my, mx := mean(e.y0), mean(e.x0)
	spread, moved := mat.NewSymDense(2, nil), mat.NewDense(2, 2, nil)
	for i := range e.y {
		r, d := mat.NewVecDense(2, []float64{e.y0[i] - my, e.x0[i] - mx}), mat.NewVecDense(2, []float64{e.y[i] - e.y0[i], e.x[i] - e.x0[i]})
		spread.SymRankOne(spread, 1/n, r)
		moved.RankOne(moved, 1/n, r, d)
	}
	var m mat.Dense
	m.Mul(inverse(spread), moved)
	farthest := e.opt.MaxShift
	for i := range e.y {
		y, x := e.y0[i]-my, e.x0[i]-mx
		e.y[i], e.x[i] = y*m.At(0, 0)+x*m.At(1, 0), y*m.At(0, 1)+x*m.At(1, 1)
		farthest = max(farthest, math.Abs(e.y[i]), math.Abs(e.x[i]))
	}
	for i := range e.y {
		e.moveTo(i, e.y0[i]+e.y[i]*e.opt.MaxShift/farthest, e.x0[i]+e.x[i]*e.opt.MaxShift/farthest)
	}
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

// inverse returns the Moore–Penrose inverse of a symmetric 2×2 matrix without negative eigenvalues.
func inverse(a *mat.SymDense) mat.Matrix {
	inv := mat.NewSymDense(2, nil)
	var eig mat.EigenSym
	if !eig.Factorize(a, true) {
		return inv // not finite
	}
	var vectors mat.Dense
	eig.VectorsTo(&vectors)
	values := eig.Values(nil)
	const nothing = 1e-12
	for k, v := range values {
		if v > nothing*values[1] {
			inv.SymRankOne(inv, 1/v, vectors.ColView(k))
		}
	}
	return inv
}

// stuck is by what factor the loss of a frame exceeds the median when it is looked for elsewhere.
const stuck = 4

// searching tells whether to look for frames that are stuck after so many sweeps: once there is an object in which
// they can be found, and while there is time to go on from there.
func searching(sweep, sweeps int) bool {
	const from, until, times = 0.25, 0.85, 6
	part := func(s int) int { return int(math.Floor((float64(s)/float64(sweeps) - from) / (until - from) * times)) }
	return part(sweep) > part(sweep-1) && part(sweep) >= 0 && part(sweep) <= times
}

// search looks for the frames that are explained much worse than the others in other places than where gradients have
// led them, and moves those that are explained better there. It returns how many.
func (e *Engine) search() (moved int, err error) {
	sorted := slices.Clone(e.frameLoss)
	slices.Sort(sorted)
	limit := stuck * sorted[len(sorted)/2]
	var bad []int
	for f, loss := range e.frameLoss {
		if loss > limit {
			bad = append(bad, f)
		}
	}
	for from := 0; from < len(bad); from += len(e.slots) {
		slots := e.slots[:min(len(e.slots), len(bad)-from)]
		for i := range slots {
			slots[i].frame = bad[from+i]
		}
		if err := e.pool.Run(len(slots), func(v *view, i int) error { return e.searchAround(v, &slots[i]) }); err != nil {
			return moved, err
		}
		for i := range slots {
			if s := &slots[i]; s.dy != 0 || s.dx != 0 {
				moved++
				e.moveTo(s.frame, e.y[s.frame]+s.dy, e.x[s.frame]+s.dx)
			}
		}
	}
	return moved, nil
}

// searchAround finds by how much to move one frame, within MaxShift of where it began. From the minimum where it is, it
// goes both ways along the valley of the loss, which is often long and narrow, and from places around it downhill.
func (e *Engine) searchAround(v *view, s *slot) error {
	if err := e.read(v, s.frame); err != nil {
		return err
	}
	y0, x0 := e.y[s.frame], e.x[s.frame]
	here, m := e.lookAt(v, s, y0, x0)
	const better, stride, reach = 0.7, 0.5, 6
	best, by, bx := better*here, 0.0, 0.0
	try := func(y, x float64) (float64, float64, normal) {
		for range 2 {
			_, m := e.lookAt(v, s, y, x)
			dy, dx := m.step(stride)
			y, x = y+dy, x+dx
		}
		loss, m := e.lookAt(v, s, y, x)
		if loss < best && e.allowed(s.frame, y, x) {
			best, by, bx = loss, y-y0, x-x0
		}
		return y, x, m
	}
	for _, way := range []float64{1, -1} {
		y, x, at := y0, x0, m
		uy, ux := at.soft()
		uy, ux = way*uy, way*ux
		for d := 0.0; d < min(reach, e.opt.MaxShift); d += stride {
			y, x, at = try(y+stride*uy, x+stride*ux)
			vy, vx := at.soft()
			if vy*uy+vx*ux < 0 {
				vy, vx = -vy, -vx
			}
			uy, ux = vy, vx
		}
	}
	const directions = 8
	for radius := 1.0; radius <= min(reach, e.opt.MaxShift); radius *= 2 {
		for d := range directions {
			sin, cos := math.Sincos(2 * math.Pi * float64(d) / directions)
			try(y0+radius*sin, x0+radius*cos)
		}
	}
	s.dy, s.dx = by, bx
	return nil
}

// lookAt returns the loss that the frame in v has with its patch at (y, x), and how to get on from there.
func (e *Engine) lookAt(v *view, s *slot, y, x float64) (float64, normal) {
	e.show(v, s, y, x)
	loss := v.tape.Forward()
	clear(s.params)
	v.tape.Backward(e.unit(), s.params)
	copy(s.grad, v.tape.Grad(v.patch))
	return loss, e.equations(v, s)
}
