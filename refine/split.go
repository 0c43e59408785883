package refine

import (
	"context"
	"fmt"

	"ptycho/metrics"
	"ptycho/recon"
)

// subset is some frames of a scan.
type subset struct {
	Frames
	index []int
}

func (s subset) Len() int                        { return len(s.index) }
func (s subset) Read(dst []float32, i int) error { return s.Frames.Read(dst, s.index[i]) }

// Subset returns the frames with these numbers, and a start with their positions.
func Subset(frames Frames, s Start, index []int) (Frames, Start) {
	x, y := make([]float64, len(index)), make([]float64, len(index))
	for k, i := range index {
		x[k], y[k] = s.X[i], s.Y[i]
	}
	s.X, s.Y = x, y
	return subset{frames, index}, s
}

// Halves is what two refinements, each of every other frame, agree on.
type Halves struct {
	Curve metrics.Curve
	Box   recon.Box // compared part, object pixels of the scan
	Error [2]float64
}

// halvesLimit is the largest side of the part that is compared, pixels.
const halvesLimit = 1024

// halvesTaper is the width of the edge of the compared part that is faded out, as a part of its smaller side.
const halvesTaper = 8

// half refines some frames and returns the result and its error.
func half(ctx context.Context, frames Frames, n int, start Start, opt Options, w Watch) (*recon.Reconstruction, float64, error) {
	e, err := New(frames, n, start, opt)
	if err != nil {
		return nil, 0, err
	}
	defer e.Close()
	if err := e.Run(ctx, w); err != nil {
		return nil, 0, err
	}
	fits, err := e.Fit()
	if err != nil {
		return nil, 0, err
	}
	return e.Result(), Total(fits).Error(), nil
}

// Split refines the even and the odd frames independently, from the probe and the positions of the start with the same
// options, and compares the objects where both scans are: what they have in common is not noise. The objects begin flat:
// one that was made from all frames would bring the same noise into both.
func Split(ctx context.Context, frames Frames, n int, start Start, opt Options, w Watch) (*Halves, error) {
	if frames.Len() < 4 {
		return nil, fmt.Errorf("expected at least 4 frames to compare halves of, found %d", frames.Len())
	}
	start.Object = nil
	var h Halves
	var r [2]*recon.Reconstruction
	for k, name := range []string{"even", "odd"} {
		var index []int
		for i := k; i < frames.Len(); i += 2 {
			index = append(index, i)
		}
		f, s := Subset(frames, start, index)
		var err error
		if r[k], h.Error[k], err = half(ctx, f, n, s, opt, w); err != nil {
			return nil, fmt.Errorf("the %s frames: %w", name, err)
		}
	}
	a, _ := r[0].ScanBox()
	b, _ := r[1].ScanBox()
	h.Box = recon.Box{R0: max(a.R0, b.R0), R1: min(a.R1, b.R1), C0: max(a.C0, b.C0), C1: min(a.C1, b.C1)}.Centre(halvesLimit)
	side := min(h.Box.R1-h.Box.R0, h.Box.C1-h.Box.C0)
	if side < 2*metrics.MinSide {
		return nil, fmt.Errorf("the scan box of both halves is %d×%d pixels, too small for a ring correlation; at least %d on either side are needed",
			h.Box.R1-h.Box.R0, h.Box.C1-h.Box.C0, 2*metrics.MinSide)
	}
	taper := side / halvesTaper
	moved, _, _, err := metrics.Align(r[1].Crop(h.Box), r[0].Crop(h.Box), taper)
	if err != nil {
		return nil, err
	}
	h.Curve, err = metrics.FRC(r[0].Crop(h.Box), moved, metrics.FRCOptions{Taper: taper})
	return &h, err
}
