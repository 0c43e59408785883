package metrics

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
)

// Options says how Compare treats what a reconstruction leaves open.
type Options struct {
	// RemovePlane removes a phase plane before comparing, for reconstructions whose probe was unknown.
	RemovePlane bool
}

// Scores is how close a reconstruction R comes to the truth T after one complex factor, and if asked for
// a phase plane, were removed. Phases are in radians; the phase of T is counted from that of its mean, and
// the phase error is that of R·T*, never wrapped twice.
type Scores struct {
	E          float64 `json:"e"`           // ‖R−T‖ / ‖T‖
	AmpMAE     float64 `json:"amp_mae"`     // mean of ||R|−|T||
	AmpPSNR    float64 `json:"amp_psnr"`    // dB, unit peak
	AmpSSIM    float64 `json:"amp_ssim"`    // Gaussian window
	AmpSSIM7   float64 `json:"amp_ssim7"`   // 7×7 window
	PhaseMAE   float64 `json:"phase_mae"`   // mean absolute phase error
	PhaseRMS   float64 `json:"phase_rms"`   // root mean square phase error
	PhaseSSIM  float64 `json:"phase_ssim"`  // Gaussian window
	PhaseSSIM7 float64 `json:"phase_ssim7"` // 7×7 window
	Pearson    float64 `json:"pearson"`     // correlation of |R| and |T|
	// Spread and TruthSpread are std/mean of the amplitudes: a collapsed reconstruction has hardly any.
	Spread      float64 `json:"spread"`
	TruthSpread float64 `json:"truth_spread"`
	Scale       float64 `json:"scale"`  // modulus of the factor that was removed
	RampY       float64 `json:"ramp_y"` // plane that was removed, rad/pixel along a column
	RampX       float64 `json:"ramp_x"` // and along a row
}

// Compare scores rec against truth, of equal size, at least MinSide on either side. The data range of the
// SSIM is max−min of the truth; where the truth is constant, its level for an amplitude and 1 rad for a
// phase. Scores are finite. The error says which image has the wrong size, a pixel that is not finite or
// nothing but zeros.
func Compare(rec, truth Image, opts Options) (Scores, error) {
	if rec.check(); rec.Rows != truth.Rows || rec.Cols != truth.Cols {
		return Scores{}, fmt.Errorf("metrics: expected a reconstruction of %d×%d pixels like the truth, found %d×%d; crop both to the scan area",
			truth.Rows, truth.Cols, rec.Rows, rec.Cols)
	}
	truth.check()
	if min(rec.Rows, rec.Cols) < MinSide {
		return Scores{}, fmt.Errorf("metrics: expected images of at least %d×%d pixels, found %d×%d; compare a larger area",
			MinSide, MinSide, rec.Rows, rec.Cols)
	}
	if err := usable("reconstruction", rec); err != nil {
		return Scores{}, err
	}
	if err := usable("truth", truth); err != nil {
		return Scores{}, err
	}
	s := Scores{Spread: Spread(rec), TruthSpread: Spread(truth)}
	aligned := rec.scaled(Gauge(rec, truth))
	if opts.RemovePlane {
		s.RampY, s.RampX, aligned = RemovePlane(rec, truth)
	}
	s.Scale = norm(aligned) / norm(rec)
	s.score(aligned, truth)
	return s, s.finite()
}

// score fills in all scores of rec, whose gauge is that of truth.
func (s *Scores) score(rec, truth Image) {
	diff := rec.scaled(1)
	for i, t := range truth.Pix {
		diff.Pix[i] -= t
	}
	s.E = norm(diff) / norm(truth)

	ar, at := rec.Abs(), truth.Abs()
	s.AmpMAE, s.AmpPSNR, s.Pearson = MAE(ar, at), PSNR(ar, at, 1), Pearson(ar, at)
	span := dataRange(at, slices.Max(at))
	s.AmpSSIM = SSIM(ar, at, rec.Rows, rec.Cols, span, true)
	s.AmpSSIM7 = SSIM(ar, at, rec.Rows, rec.Cols, span, false)

	pe, pt := phases(rec, truth)
	zero := make([]float64, len(pe))
	s.PhaseMAE, s.PhaseRMS = MAE(pe, zero), math.Sqrt(MSE(pe, zero))
	phase := pe // of rec, without the jumps that it would have where that of truth has none
	for i, p := range pt {
		phase[i] += p
	}
	span = dataRange(pt, 1)
	s.PhaseSSIM = SSIM(phase, pt, rec.Rows, rec.Cols, span, true)
	s.PhaseSSIM7 = SSIM(phase, pt, rec.Rows, rec.Cols, span, false)
}

// dataRange returns max−min of truth, or level when truth is constant.
func dataRange(truth []float64, level float64) float64 {
	if span := slices.Max(truth) - slices.Min(truth); span > 1e-9*level {
		return span
	}
	return level
}

// phases returns the phase of rec·truth* and that of truth, counted from the phase of its mean.
func phases(rec, truth Image) (diff, own []float64) {
	turn := cmplx.Rect(1, -cmplx.Phase(sum(truth)))
	diff, own = make([]float64, len(rec.Pix)), make([]float64, len(rec.Pix))
	for i, t := range truth.Pix {
		diff[i] = cmplx.Phase(rec.Pix[i] * cmplx.Conj(t))
		own[i] = cmplx.Phase(t * turn)
	}
	return diff, own
}

// norm returns the square root of Σ|m|².
func norm(m Image) float64 {
	var s float64
	for _, v := range m.Pix {
		s += real(v)*real(v) + imag(v)*imag(v)
	}
	return math.Sqrt(s)
}

// usable says what keeps an image from being compared.
func usable(name string, m Image) error {
	zero := true
	for i, v := range m.Pix {
		if cmplx.IsNaN(v) || cmplx.IsInf(v) {
			return fmt.Errorf("metrics: expected finite values in the %s, found %v at row %d, column %d; crop to the measured area or look at where the run diverged",
				name, v, i/m.Cols, i%m.Cols)
		}
		zero = zero && v == 0
	}
	if zero {
		return fmt.Errorf("metrics: expected an image as the %s, found zeros only; check that it was filled", name)
	}
	return nil
}

// finite reports values so large or small that the scores overflowed.
func (s *Scores) finite() error {
	for _, v := range []float64{
		s.E, s.AmpMAE, s.AmpPSNR, s.AmpSSIM, s.AmpSSIM7, s.PhaseMAE, s.PhaseRMS, s.PhaseSSIM, s.PhaseSSIM7,
		s.Pearson, s.Spread, s.TruthSpread, s.Scale, s.RampY, s.RampX,
	} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("metrics: expected values whose squares are finite, found scores that are not: %+v; rescale the images", *s)
		}
	}
	return nil
}
