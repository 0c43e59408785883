package main

import (
	"fmt"

	"ptycho/data"
	"ptycho/metrics"
	"ptycho/recon"
)

// scores are the contents of metrics.json, as far as they are known.
type scores struct {
	Scan         string      `json:"scan"` // file that was reconstructed
	*TruthScores             // nil without a known object
	Fit          *fitScores  `json:"fit,omitempty"`       // of a refinement
	Halves       *halfScores `json:"half_sets,omitempty"` // of a refinement that was asked for them
}

func (s *scores) empty() bool { return s.TruthScores == nil && s.Fit == nil }

// TruthScores compare the reconstruction with the known object inside the scan.
type TruthScores struct {
	Truth         string         `json:"truth"` // key of the known object in the file
	Box           recon.Box      `json:"box"`   // compared part, object pixels of the scan; row1 and col1 are past it
	Gauge         metrics.Scores `json:"gauge"`
	GaugeAndPlane metrics.Scores `json:"gauge_and_plane"`
	// Registered is after a shift was taken out too, which a probe or positions that are fitted leave open.
	Registered *registered       `json:"registered,omitempty"`
	Units      map[string]string `json:"units"` // of the scores that have one

	rec, truth metrics.Image // inside the box
}

// registered are scores after a shift of the reconstruction, pixels.
type registered struct {
	metrics.Scores
	ShiftY float64 `json:"shift_y"`
	ShiftX float64 `json:"shift_x"`
}

// fitScores is how well all frames are explained: Σ(√k−√λ)²/Σk, Σ|√k−√λ|/Σ√k, nats above the best Poisson likelihood a
// pixel, and the photons in what was measured.
type fitScores struct {
	Error         float64 `json:"error"`
	R             float64 `json:"r_factor"`
	PoissonExcess float64 `json:"poisson_excess"`
	Photons       float64 `json:"photons"`
}

func newFitScores(f metrics.Fit) *fitScores {
	return &fitScores{f.Error(), f.R(), f.PoissonExcess(), f.Counts()}
}

// scoreUnits are the units of metrics.Scores; the others are pure numbers.
func scoreUnits() map[string]string {
	return map[string]string{"amp_psnr": "dB", "phase_mae": "rad", "phase_rms": "rad", "ramp_y": "rad/pixel", "ramp_x": "rad/pixel"}
}

// score compares with the known object, if there is one, and warns of a flat reconstruction. With shifted, it also takes
// out a shift.
func (s *scores) score(o *output, r *recon.Reconstruction, ds *data.Dataset, shifted bool) {
	b, img := r.ScanBox()
	if flat := metrics.Spread(img); flat < 1e-3 && len(img.Pix) > 1 {
		why := "; the training has collapsed, try another --seed"
		if s.Fit != nil {
			why = ""
		}
		o.warn(fmt.Sprintf("the object is flat: its amplitude varies by %.2g of its mean%s", flat, why))
	}
	if ds.Object == nil {
		return
	}
	t := &TruthScores{Truth: ds.ObjectKey, Units: scoreUnits()}
	var err error
	if t.rec, t.truth, t.Box, err = r.Overlay(ds.Object, b); err == nil {
		err = t.compare(shifted)
	}
	if err != nil {
		o.warn("no comparison with the known object: " + err.Error())
		return
	}
	s.TruthScores = t
	g := t.GaugeAndPlane
	if t.Registered != nil {
		g = t.Registered.Scores
	}
	o.info("against the known object", "E", g.E, "phase SSIM", g.PhaseSSIM, "amplitude SSIM", g.AmpSSIM, "phase MAE", g.PhaseMAE)
}

// compare fills in the scores.
func (t *TruthScores) compare(shifted bool) (err error) {
	if t.Gauge, err = metrics.Compare(t.rec, t.truth, metrics.Options{}); err != nil {
		return err
	}
	if t.GaugeAndPlane, err = metrics.Compare(t.rec, t.truth, metrics.Options{RemovePlane: true}); err != nil || !shifted {
		return err
	}
	const (
		edge  = 8    // that a shift brings into the image
		limit = 1024 // of the part that is registered, pixels
	)
	b := recon.Box{R1: t.rec.Rows, C1: t.rec.Cols}.Centre(limit)
	if min(b.R1-b.R0, b.C1-b.C0) < 4*edge+metrics.MinSide {
		return nil
	}
	truth := t.truth.Crop(b.R0, b.R1, b.C0, b.C1)
	aligned, dy, dx, err := metrics.Align(t.rec.Crop(b.R0, b.R1, b.C0, b.C1), truth, edge)
	if err != nil {
		return err
	}
	inner := func(m metrics.Image) metrics.Image { return m.Crop(edge, m.Rows-edge, edge, m.Cols-edge) }
	g := registered{ShiftY: dy, ShiftX: dx}
	if g.Scores, err = metrics.Compare(inner(aligned), inner(truth), metrics.Options{RemovePlane: true}); err == nil {
		t.Registered = &g
	}
	return err
}
