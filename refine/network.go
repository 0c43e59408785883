package refine

import (
	"math/cmplx"
	"slices"

	"ptycho/data"
	"ptycho/recon"
)

// wellLit is the part of the best coverage below which a network's object is not worth starting from.
const wellLit = 0.1

// NetworkStart returns the start that a network's reconstruction gives for frames at x, y: its object where patches
// overlap well, and its probe. The object is turned so that its mean is real and goes over into the one that stands
// where it has nothing to say: a step of the phase there takes many sweeps to go away.
func NetworkStart(r *recon.Reconstruction, x, y []float64) Start {
	top, sum := slices.Max(r.Coverage), complex128(0)
	for i, w := range r.Coverage {
		sum += complex(float64(w), 0) * complex128(r.Object.Pix[i])
	}
	turn := complex64(1)
	if sum != 0 {
		turn = complex64(cmplx.Conj(sum) / complex(cmplx.Abs(sum), 0))
	}
	o := &data.Image{Rows: r.Object.Rows, Cols: r.Object.Cols, Pix: make([]complex64, len(r.Object.Pix))}
	for i, v := range r.Object.Pix {
		if r.Coverage[i] >= wellLit*top {
			o.Pix[i] = v * turn
		}
	}
	return Start{Object: o, Origin: r.Origin, Probe: r.Probe, Modes: r.Modes, X: x, Y: y}
}
