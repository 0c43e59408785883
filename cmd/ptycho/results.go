package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"ptycho/internal/atomicfile"
	"ptycho/recon"
	"ptycho/refine"
	"ptycho/render"
)

// The files of a reconstruction; the pictures have the names that the original program gives them.
const (
	metricsFile       = "metrics.json"
	amplitudePicture  = "reconstructed_amplitude.png"
	phasePicture      = "reconstructed_phase.png"
	comparisonPicture = "comparison_plot.png"
)

// pictureFlags say how a reconstruction is drawn.
type pictureFlags struct {
	PhaseVmin      *float64 `help:"Lower end of the phase picture, rad." placeholder:"FLOAT" group:"Pictures"`
	PhaseVmax      *float64 `help:"Upper end of the phase picture, rad." placeholder:"FLOAT" group:"Pictures"`
	ComparisonPlot bool     `help:"Also draw reconstruction and known object side by side." group:"Pictures"`
}

// check reports what the parser cannot see.
func (f *pictureFlags) check() error {
	if low, high := f.PhaseVmin, f.PhaseVmax; low != nil && high != nil && !(*low < *high) {
		return fmt.Errorf("--phase_vmin %g and --phase_vmax %g: expected the first to be the smaller one", *low, *high)
	}
	return nil
}

// write stores a reconstruction, and then removes what an earlier one left in the directory and this one has not: it
// would pass for this one's.
func (f *pictureFlags) write(dir string, r *recon.Reconstruction, s *scores) error {
	if err := r.Save(filepath.Join(dir, recon.ReconstructionFile)); err != nil {
		return err
	}
	amp, phase := figures(r)
	phase.VMin, phase.VMax = or(f.PhaseVmin, phase.VMin), or(f.PhaseVmax, phase.VMax)
	if err := render.WritePNG(filepath.Join(dir, amplitudePicture), amp); err != nil {
		return err
	}
	if err := render.WritePNG(filepath.Join(dir, phasePicture), phase); err != nil {
		return err
	}
	if s.empty() {
		return discard(dir, metricsFile, comparisonPicture)
	}
	if err := writeJSON(filepath.Join(dir, metricsFile), s); err != nil {
		return err
	}
	if !f.ComparisonPlot || s.TruthScores == nil {
		return discard(dir, comparisonPicture)
	}
	return render.WriteComparison(filepath.Join(dir, comparisonPicture), comparison(s))
}

// or returns v, or else the default.
func or(v, otherwise *float64) *float64 {
	if v != nil {
		return v
	}
	return otherwise
}

// discard removes files from an output directory, those that are there.
func discard(dir string, names ...string) error {
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot remove %s of an earlier reconstruction: %w; remove it by hand", path, err)
		}
	}
	return nil
}

// sweepsFile is the table of the sweeps of a refinement.
const sweepsFile = "sweeps.csv"

// writeSweeps writes a line for every sweep.
func writeSweeps(path string, sweeps []refine.Sweep) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		c := csv.NewWriter(w)
		_ = c.Write([]string{"sweep", "loss_per_photon", "error", "r_factor", "held_out_loss_per_photon", "step"}) // Error tells
		for _, s := range sweeps {
			line := []string{strconv.Itoa(s.Number)}
			for _, v := range []float64{s.Loss, s.Error, s.R, s.Held, s.Step} {
				line = append(line, strconv.FormatFloat(v, 'g', 9, 64))
			}
			_ = c.Write(line)
		}
		c.Flush()
		return c.Error()
	})
}
