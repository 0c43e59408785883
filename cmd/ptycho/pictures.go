package main

import (
	"math/cmplx"
	"path/filepath"

	"ptycho/data"
	"ptycho/metrics"
	"ptycho/recon"
	"ptycho/render"
)

// The pictures of a reconstruction, under the names that the original program gives them.
const (
	amplitudePicture  = "reconstructed_amplitude.png"
	phasePicture      = "reconstructed_phase.png"
	comparisonPicture = "comparison_plot.png"
)

// write stores everything that infer makes.
func (c *inferCmd) write(r *recon.Reconstruction, ds *data.Dataset, s *scores) error {
	if err := r.Save(filepath.Join(c.OutputDir, recon.ReconstructionFile)); err != nil {
		return err
	}
	if s != nil {
		if err := writeJSON(filepath.Join(c.OutputDir, "metrics.json"), s); err != nil {
			return err
		}
	}
	img, mask := trimmed(r)
	amp := render.Amplitude("Reconstructed amplitude", img.Rows, img.Cols, img.Pix, mask)
	if err := render.WritePNG(filepath.Join(c.OutputDir, amplitudePicture), amp); err != nil {
		return err
	}
	phase := render.Phase("Reconstructed phase", img.Rows, img.Cols, img.Pix, mask)
	if c.PhaseVmin != nil {
		phase.VMin = c.PhaseVmin
	}
	if c.PhaseVmax != nil {
		phase.VMax = c.PhaseVmax
	}
	if err := render.WritePNG(filepath.Join(c.OutputDir, phasePicture), phase); err != nil {
		return err
	}
	if c.ComparisonPlot && ds.Object != nil && s != nil {
		return c.compare(r, ds.Object)
	}
	return nil
}

// trimmed returns the part of the object that was measured well enough to be looked at, with its mean
// phase turned to zero, and where in it that is.
func trimmed(r *recon.Reconstruction) (*data.Image, []bool) {
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
	if r1 <= r0 {
		r0, r1, c0, c1 = 0, r.Object.Rows, 0, cols
	}
	turn := complex64(cmplx.Rect(1, -cmplx.Phase(sum)))
	img := &data.Image{Rows: r1 - r0, Cols: c1 - c0}
	mask := make([]bool, 0, img.Rows*img.Cols)
	for y := r0; y < r1; y++ {
		for x := c0; x < c1; x++ {
			i := y*cols + x
			img.Pix = append(img.Pix, r.Object.Pix[i]*turn)
			mask = append(mask, measured[i])
		}
	}
	return img, mask
}

// compare draws reconstruction and known object inside the scan with the same scales.
func (c *inferCmd) compare(r *recon.Reconstruction, truth *data.Image) error {
	b, _ := r.ScanBox()
	rec, want, _, err := r.Overlay(truth, b)
	if err != nil {
		return err
	}
	_, _, gauged := metrics.RemovePlane(rec, want)
	figure := func(title string, m metrics.Image, f func(string, int, int, []complex64, []bool) render.Figure) render.Figure {
		pix := make([]complex64, len(m.Pix))
		for i, v := range m.Pix {
			pix[i] = complex64(v)
		}
		return f(title, m.Rows, m.Cols, pix, nil)
	}
	figs := []render.Figure{
		figure("Reconstructed phase", gauged, render.Phase), figure("Known phase", want, render.Phase),
		figure("Reconstructed amplitude", gauged, render.Amplitude), figure("Known amplitude", want, render.Amplitude),
	}
	figs[1].ShareScale(&figs[0])
	figs[3].ShareScale(&figs[2])
	return render.WriteComparison(filepath.Join(c.OutputDir, comparisonPicture), figs)
}
