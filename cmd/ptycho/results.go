package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ptycho/recon"
	"ptycho/render"
)

// The files of a reconstruction; the pictures have the names that the original program gives them.
const (
	metricsFile       = "metrics.json"
	amplitudePicture  = "reconstructed_amplitude.png"
	phasePicture      = "reconstructed_phase.png"
	comparisonPicture = "comparison_plot.png"
)

// write stores everything that infer makes, and then removes what an earlier reconstruction left in the directory
// and this one has not: it would pass for this one's. s is nil without a known object.
func (c *inferCmd) write(r *recon.Reconstruction, s *scores) error {
	if err := r.Save(filepath.Join(c.OutputDir, recon.ReconstructionFile)); err != nil {
		return err
	}
	amp, phase := figures(r)
	phase.VMin, phase.VMax = or(c.PhaseVmin, phase.VMin), or(c.PhaseVmax, phase.VMax)
	if err := render.WritePNG(filepath.Join(c.OutputDir, amplitudePicture), amp); err != nil {
		return err
	}
	if err := render.WritePNG(filepath.Join(c.OutputDir, phasePicture), phase); err != nil {
		return err
	}
	if s == nil {
		return c.discard(metricsFile, comparisonPicture)
	}
	if err := writeJSON(filepath.Join(c.OutputDir, metricsFile), s); err != nil {
		return err
	}
	if !c.ComparisonPlot {
		return c.discard(comparisonPicture)
	}
	return render.WriteComparison(filepath.Join(c.OutputDir, comparisonPicture), comparison(s))
}

// or returns v, or else the default.
func or(v, otherwise *float64) *float64 {
	if v != nil {
		return v
	}
	return otherwise
}

// discard removes files from the output directory, those that are there.
func (c *inferCmd) discard(names ...string) error {
	for _, name := range names {
		path := filepath.Join(c.OutputDir, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot remove %s of an earlier reconstruction: %w; remove it by hand", path, err)
		}
	}
	return nil
}
