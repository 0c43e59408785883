package refine

import (
	"slices"

	"ptycho/data"
	"ptycho/fft"
	"ptycho/metrics"
	"ptycho/recon"
)

// Result returns the present state as a reconstruction.
func (e *Engine) Result() *recon.Reconstruction {
	pix := e.n * e.n
	r := &recon.Reconstruction{
		N: e.n, Modes: e.modes, Frames: e.frames.Len(), Coverage: e.coverage(),
		Object: &data.Image{Rows: e.rows, Cols: e.cols, Pix: make([]complex64, e.rows*e.cols)},
		Origin: [2]int64{int64(e.row), int64(e.col)},
		Probe:  make([]complex64, e.modes*pix),
	}
	top := float32(0)
	for _, v := range r.Coverage {
		top = max(top, v)
	}
	for i, v := range r.Coverage {
		if v > 1e-6*top {
			r.Object.Pix[i] = complex(e.object[0][i], e.object[1][i])
		} else {
			r.Coverage[i] = 0
		}
	}
	p := e.params.View(e.probe)
	for i := range r.Probe {
		r.Probe[i] = complex(p[(i/pix*2)*pix+i%pix], p[(i/pix*2+1)*pix+i%pix])
	}
	for i := range e.y {
		r.Y = append(r.Y, e.y[i]+float64(e.row+e.n/2))
		r.X = append(r.X, e.x[i]+float64(e.col+e.n/2))
	}
	if e.opt.FitPositions {
		for i := range e.y0 {
			r.YStart = append(r.YStart, e.y0[i]+float64(e.row+e.n/2))
			r.XStart = append(r.XStart, e.x0[i]+float64(e.col+e.n/2))
		}
	}
	if e.opt.FitGain {
		r.Gain = slices.Clone(e.gain)
	}
	if e.opt.FitBackground {
		r.Background = make([]float32, pix)
		fft.Shift(r.Background, e.params.View(e.background), e.n, e.n)
	}
	return r
}

// Fit looks at all frames, all measured pixels of them, without changing anything, and returns how well each is
// explained.
func (e *Engine) Fit() ([]metrics.Fit, error) {
	fits := make([]metrics.Fit, e.frames.Len())
	for from := 0; from < len(fits); from += len(e.slots) {
		count := min(len(e.slots), len(fits)-from)
		err := e.pool.Run(count, func(v *view, i int) error {
			s := &e.slots[i]
			s.frame = from + i
			counts := v.tape.Data(v.counts)
			if err := e.frames.Read(counts, s.frame); err != nil {
				return err
			}
			e.show(v, s, e.y[s.frame], e.x[s.frame])
			v.tape.Forward()
			f := metrics.Fit{Epsilon: e.epsilon}
			f.Add(v.tape.Data(v.lambda), counts)
			fits[from+i] = f
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return fits, nil
}
