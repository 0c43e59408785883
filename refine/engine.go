package refine

import (
	"fmt"
	"math"
	"runtime"
	"slices"

	"ptycho/autodiff"
	"ptycho/data"
	"ptycho/fft"
	"ptycho/internal/pool"
	"ptycho/physics"
)

// Frames gives the frames of a scan, with the direct beam at [0,0] and −1 where a pixel was not measured. Several
// goroutines read at a time.
type Frames interface {
	Len() int
	Read(dst []float32, i int) error
}

// Start is where a refinement begins.
type Start struct {
	Object *data.Image // nil is one everywhere
	Origin [2]int64    // (row, col) of its element [0,0] in the object pixels of the scan

	Probe []complex64 // [Modes,N,N], centred, in any unit
	Modes int

	X, Y []float64 // positions of the probe centre in object pixels
}

// Engine refines one scan. It is used by one goroutine at a time and ends with Close.
type Engine struct {
	opt      Options
	n, modes int
	frames   Frames
	dose     float64 // mean photons in what was measured of a frame
	counts   float64 // photons in all that is fitted
	epsilon  float64 // keeps the expected counts positive

	rows, cols, row, col int // of the object, and where its element [0,0] lies in the object pixels of the scan

	// The unknowns.
	object     [2][]float32     // real and imaginary part
	params     *autodiff.Params // of these two:
	probe      autodiff.Param   // [modes,2,N,N], Σ|P|² = dose
	background autodiff.Param   // [N,N], DC at [0,0]
	gain       []float64        // by frame
	y, x       []float64        // where the patches of the frames begin on the canvas
	y0, x0     []float64        // and where they began

	velocity      [2][]float32 // of the object
	probeVelocity []float32

	// What steps are made of.
	batches     *batches
	pool        *pool.Pool[*view]
	slots       []slot
	strips      []strip
	power       []float32 // Σ_m|P_m|²
	brightest   float32   // its maximum
	grad        []float32 // of the parameters
	objectPower []float32 // Σ|O|² under each pixel of the probe

	frameLoss []float64 // when it was last looked at

	done     int     // sweeps
	slow     float64 // factor of the step, after divergences
	entry    float64 // loss at the start
	history  []Sweep
	startSum string     // identifies the start
	best     checkpoint // the state that explains the held-out pixels best
	good     checkpoint // the last state that has been judged, to go back to from a divergence
	last     checkpoint // the state after the last whole sweep, which the next one judges
}

// margin is how far the object reaches beyond the patches.
const margin = 2

// slotCount is the number of frames whose contributions are held at a time.
const slotCount = 32

// New prepares the refinement of a scan of n×n frames.
func New(frames Frames, n int, start Start, opt Options) (*Engine, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	plan, err := fft.NewPlan(n, n)
	if err != nil {
		return nil, err
	}
	if err := opt.suits(n, start.Modes); err != nil {
		return nil, err
	}
	e := &Engine{n: n, frames: frames, slow: 1}
	mean, err := e.survey(opt)
	if err != nil {
		return nil, err
	}
	opt.resolve(frames.Len(), n, e.dose/float64(n*n))
	e.opt = opt
	e.epsilon = physics.PoissonEpsilon(e.dose / float64(n*n))
	if opt.Loss == Poisson {
		e.epsilon = 1e-3 * e.dose / float64(n*n) // λ ≪ k would throw a pixel far
	}
	if err := e.place(start); err != nil {
		return nil, err
	}
	e.setObject(start.Object, start.Origin)
	e.setProbe(start, mean)
	e.makeRoom()
	e.startSum = e.sum()
	e.pool = pool.New(min(workersOf(opt), frames.Len()), func() *view { return e.newView(plan) })
	return e, nil
}

// workersOf returns how many frames are computed at the same time.
func workersOf(opt Options) int {
	if opt.Workers > 0 {
		return opt.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Close ends the workers.
func (e *Engine) Close() { e.pool.Close() }

// survey reads all frames once. It measures the dose and returns the mean frame.
func (e *Engine) survey(opt Options) (mean []float64, err error) {
	pix := e.n * e.n
	frame, mean := make([]float32, pix), make([]float64, pix)
	measured := make([]int, pix)
	var held heldPixels
	for i := range e.frames.Len() {
		if err := e.frames.Read(frame, i); err != nil {
			return nil, err
		}
		for k, v := range frame {
			if v >= 0 {
				mean[k] += float64(v)
				measured[k]++
				e.counts += float64(v)
			}
		}
		if opt.Holdout > 0 {
			held.hide(frame, e.n, opt.Seed, i, opt.Holdout)
			for _, v := range held.counts {
				e.counts -= float64(v)
			}
		}
	}
	for k := range mean {
		mean[k] /= float64(max(1, measured[k]))
		e.dose += mean[k]
	}
	if !(e.counts > 0) || math.IsInf(e.dose, 0) {
		return nil, fmt.Errorf("the frames hold %g photons in what was measured of them; there is nothing to fit", e.counts)
	}
	return mean, nil
}

// maxCanvas is the largest number of pixels of an object.
const maxCanvas = 1 << 28

// place lays out the canvas, unless it would be larger than maxCanvas.
func (e *Engine) place(s Start) error {
	half, reach := float64(e.n/2), float64(margin)
	if e.opt.FitPositions {
		reach += math.Ceil(e.opt.MaxShift)
	}
	low := func(v []float64) float64 { return math.Floor(slices.Min(v)) - half - reach }
	high := func(v []float64) float64 { return math.Ceil(slices.Max(v)) - half + float64(e.n) + reach }
	row, col := low(s.Y), low(s.X)
	rows, cols := high(s.Y)-row, high(s.X)-col
	if !(rows*cols <= maxCanvas) || math.Abs(row) > math.MaxInt32 || math.Abs(col) > math.MaxInt32 {
		return fmt.Errorf("the scan spans %.6g×%.6g object pixels from row %.6g, column %.6g on, more than memory is made for; are its positions in pixels?", rows, cols, row, col)
	}
	e.row, e.col, e.rows, e.cols = int(row), int(col), int(rows), int(cols)
	for i := range s.X {
		e.y0 = append(e.y0, s.Y[i]-float64(e.row+e.n/2))
		e.x0 = append(e.x0, s.X[i]-float64(e.col+e.n/2))
	}
	e.y, e.x = slices.Clone(e.y0), slices.Clone(e.x0)
	return nil
}

// setObject fills the canvas: one, where o has nothing to say.
func (e *Engine) setObject(o *data.Image, origin [2]int64) {
	for k := range e.object {
		e.object[k] = make([]float32, e.rows*e.cols)
	}
	for i := range e.object[0] {
		e.object[0][i] = 1
	}
	if o == nil {
		return
	}
	for r := range o.Rows {
		for c := range o.Cols {
			v := o.Pix[r*o.Cols+c]
			y, x := r+int(origin[0])-e.row, c+int(origin[1])-e.col
			if y < 0 || x < 0 || y >= e.rows || x >= e.cols || v == 0 {
				continue
			}
			e.object[0][y*e.cols+x], e.object[1][y*e.cols+x] = real(v), imag(v)
		}
	}
}

// setProbe makes the parameters.
func (e *Engine) setProbe(s Start, mean []float64) {
	pix := e.n * e.n
	planes := make([]float32, 2*pix*s.Modes)
	for i, v := range s.Probe {
		planes[(i/pix*2)*pix+i%pix], planes[(i/pix*2+1)*pix+i%pix] = real(v), imag(v)
	}
	e.modes = s.Modes
	if want := e.opt.ProbeModes; want > 0 && want != e.modes {
		const share = 0.02
		if want > e.modes {
			planes = physics.AddModes(planes, e.modes, e.n, want, share)
		} else {
			physics.Orthogonalise(planes, e.modes, e.n)
			planes = planes[:2*pix*want]
		}
		e.modes = want
	}
	e.params = autodiff.NewParams()
	e.probe = e.params.New("probe", autodiff.Shape{e.modes, 2, e.n, e.n}, func(v []float32) { copy(v, planes) })
	if e.exposed() {
		level := 0.0
		if e.opt.FitBackground {
			level = startBackground(mean)
		}
		e.background = e.params.New("background", autodiff.Shape{e.n, e.n}, func(v []float32) {
			for i := range v {
				v[i] = float32(level)
			}
		})
		e.gain = make([]float64, e.frames.Len())
		for i := range e.gain {
			e.gain[i] = 1
		}
	}
	e.normaliseProbe()
}

// makeRoom allocates what steps are made of.
func (e *Engine) makeRoom() {
	pix := e.n * e.n
	for k := range e.velocity {
		e.velocity[k] = make([]float32, e.rows*e.cols)
	}
	e.batches = newBatches(e.x, e.y, e.opt.BatchSize, e.opt.Batches == Sparse)
	e.slots = make([]slot, min(slotCount, e.frames.Len()))
	for i := range e.slots {
		s := &e.slots[i]
		s.patch, s.grad, s.params = make([]float32, 2*pix), make([]float32, 2*pix), make([]float32, len(e.params.Data))
	}
	e.frameLoss = make([]float64, e.frames.Len())
	e.strips = newStrips(e.rows, e.cols)
	e.power, e.objectPower = make([]float32, pix), make([]float32, pix)
	e.grad, e.probeVelocity = make([]float32, len(e.params.Data)), make([]float32, e.probe.Shape.Size())
}
