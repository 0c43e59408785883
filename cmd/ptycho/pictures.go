package main

import (
	"math/cmplx"

	"ptycho/metrics"
	"ptycho/recon"
	"ptycho/render"
)

// figures returns amplitude and phase of the part of the object that was measured well enough to be looked at, with
// its mean phase turned to zero. The axes count the object pixels of the scan.
func figures(r *recon.Reconstruction) (amp, phase render.Figure) {
	measured, cols := r.Measured(), r.Object.Cols
	r0, r1, c0, c1 := r.Object.Rows, 0, cols, 0
	sum := complex128(0)
	for i, v := range r.Coverage {
		if measured[i] {
			r0, r1 = min(r0, i/cols), max(r1, i/cols+1)
			c0, c1 = min(c0, i%cols), max(c1, i%cols+1)
			sum += complex(float64(v), 0) * complex128(r.Object.Pix[i])
		}
	}
	turn := complex64(cmplx.Rect(1, -cmplx.Phase(sum)))
	var pix []complex64
	var mask []bool
	for y := r0; y < r1; y++ {
		for x := c0; x < c1; x++ {
			i := y*cols + x
			pix, mask = append(pix, r.Object.Pix[i]*turn), append(mask, measured[i])
		}
	}
	amp = render.Amplitude("Reconstructed amplitude", r1-r0, c1-c0, pix, mask)
	phase = render.Phase("Reconstructed phase", r1-r0, c1-c0, pix, mask)
	for _, f := range []*render.Figure{&amp, &phase} {
		f.Row, f.Col = int(r.Origin[0])+r0, int(r.Origin[1])+c0
	}
	return amp, phase
}

// comparison returns phase and amplitude of reconstruction and known object inside the scan, a row each with one
// scale, after one complex factor and a phase plane. The axes count the object pixels of the scan.
func comparison(s *scores) []render.Figure {
	_, _, rec := metrics.RemovePlane(s.rec, s.truth)
	r, t := narrow(rec), narrow(s.truth)
	rows, cols := rec.Rows, rec.Cols
	figs := []render.Figure{
		render.Phase("Reconstructed phase", rows, cols, r, nil), render.Phase("Known phase", rows, cols, t, nil),
		render.Amplitude("Reconstructed amplitude", rows, cols, r, nil), render.Amplitude("Known amplitude", rows, cols, t, nil),
	}
	figs[1].ShareScale(&figs[0])
	figs[3].ShareScale(&figs[2])
	for i := range figs {
		figs[i].Row, figs[i].Col = s.Box.R0, s.Box.C0
	}
	return figs
}

// narrow returns the pixels of m in single precision.
func narrow(m metrics.Image) []complex64 {
	pix := make([]complex64, len(m.Pix))
	for i, v := range m.Pix {
		pix[i] = complex64(v)
	}
	return pix
}
