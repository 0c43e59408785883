package main

import (
	"errors"
	"fmt"

	"ptycho/data"
	"ptycho/metrics"
	"ptycho/recon"
)

// scores are the contents of metrics.json: the reconstruction against the known object inside the scan.
type scores struct {
	Scan          string            `json:"scan"`  // file that was reconstructed
	Truth         string            `json:"truth"` // key of the known object in it
	Box           recon.Box         `json:"box"`   // compared part, object pixels of the scan; row1 and col1 are past it
	Gauge         metrics.Scores    `json:"gauge"`
	GaugeAndPlane metrics.Scores    `json:"gauge_and_plane"`
	Units         map[string]string `json:"units"` // of the scores that have one

	rec, truth metrics.Image // inside the box
}

// scoreUnits are the units of metrics.Scores; the others are pure numbers.
func scoreUnits() map[string]string {
	return map[string]string{"amp_psnr": "dB", "phase_mae": "rad", "phase_rms": "rad", "ramp_y": "rad/pixel", "ramp_x": "rad/pixel"}
}

// score compares with the known object, nil if there is none to compare with, and warns of a flat reconstruction.
func (c *inferCmd) score(o *output, r *recon.Reconstruction, ds *data.Dataset) *scores {
	b, img := r.ScanBox()
	if s := metrics.Spread(img); s < 1e-3 {
		o.warn(fmt.Sprintf("the object is flat: its amplitude varies by %.2g of its mean; the training has collapsed, try another --seed", s))
	}
	if ds.Object == nil {
		return nil
	}
	s := &scores{Scan: c.TestData, Truth: ds.ObjectKey, Units: scoreUnits()}
	var err, planeErr error
	if s.rec, s.truth, s.Box, err = r.Overlay(ds.Object, b); err == nil {
		s.Gauge, err = metrics.Compare(s.rec, s.truth, metrics.Options{})
		s.GaugeAndPlane, planeErr = metrics.Compare(s.rec, s.truth, metrics.Options{RemovePlane: true})
	}
	if err := errors.Join(err, planeErr); err != nil {
		o.warn("no comparison with the known object: " + err.Error())
		return nil
	}
	g := s.GaugeAndPlane
	o.info("against the known object", "E", g.E, "phase SSIM", g.PhaseSSIM, "amplitude SSIM", g.AmpSSIM, "phase MAE", g.PhaseMAE)
	return s
}
