package physics

import (
	"errors"
	"fmt"
	"math"

	"ptycho/fft"
)

// Probe is an illumination normalised for the forward model.
type Probe struct {
	N, Modes int
	Planes   []float32 // [Modes,2,N,N]
	Scale    float64   // probe_scale: the mean of |P| is 1/Scale
	Divisor  float64   // what the given probe was divided by
}

// TargetAmplitude is the r.m.s. amplitude of the object that the automatic probe scale aims at: well inside
// the range of a sigmoid.
const TargetAmplitude = 0.55

// NewProbe normalises the modes × n × n probe p so that the mean over the frame of √Σ_m|P_m|² is 1/scale. A
// scale of zero chooses it so that objects reach TargetAmplitude: with data normalised to an energy of
// (N/2)² a frame, their r.m.s. amplitude is (N/2)/√Σ|P|². With mask the probe is first cut to the disk of
// Mask.
func NewProbe(p []complex64, n, modes int, scale float64, mask bool) (*Probe, error) {
	if n < 1 || modes < 1 || len(p) != n*n*modes {
		return nil, fmt.Errorf("probe of %d values, expected %d modes of %d×%d", len(p), modes, n, n)
	}
	if scale < 0 || math.IsNaN(scale) || math.IsInf(scale, 0) {
		return nil, fmt.Errorf("probe scale %g is not positive", scale)
	}
	pix := n * n
	planes := make([]float32, 2*len(p))
	power := make([]float64, pix)
	for i, v := range p {
		if mask && !inMask(i%pix, n) {
			continue
		}
		re, im := float64(real(v)), float64(imag(v))
		power[i%pix] += re*re + im*im
		planes[(i/pix*2)*pix+i%pix], planes[(i/pix*2+1)*pix+i%pix] = real(v), imag(v)
	}
	sum, sum2 := 0.0, 0.0
	for _, v := range power {
		sum += math.Sqrt(v)
		sum2 += v
	}
	if !(sum > 0) || math.IsInf(sum2, 0) {
		return nil, errors.New("the probe is zero or not finite")
	}
	mu := sum / float64(pix)
	if scale == 0 {
		scale = TargetAmplitude * math.Sqrt(sum2) / (mu * float64(n) / 2)
	}
	r := &Probe{N: n, Modes: modes, Planes: planes, Scale: scale, Divisor: scale * mu}
	for i := range planes {
		planes[i] = float32(float64(planes[i]) / r.Divisor)
	}
	return r, nil
}

// Power returns Σ|P|² over all modes and pixels.
func (p *Probe) Power() float64 {
	s := 0.0
	for _, v := range p.Planes {
		s += float64(v) * float64(v)
	}
	return s
}

// ObjectAmplitude returns the r.m.s. amplitude that objects have under this probe, (N/2)/√Σ|P|².
func (p *Probe) ObjectAmplitude() float64 { return float64(p.N) / 2 / math.Sqrt(p.Power()) }

// inMask reports whether pixel i of an n×n frame lies in the disk √(u²+v²) < n/4 with u, v counted from the
// centre of the frame, the mask of the original program.
func inMask(i, n int) bool {
	u, v := float64(i/n-n/2)+0.5, float64(i%n-n/2)+0.5
	return math.Hypot(u, v) < float64(n/4)
}

// Complex returns the probe multiplied by factor as complex numbers, [Modes,N,N].
func (p *Probe) Complex(factor float64) []complex64 {
	pix := p.N * p.N
	out := make([]complex64, p.Modes*pix)
	for i := range out {
		re, im := planes(p.Planes, i/pix, pix)
		out[i] = complex(float32(factor*float64(re[i%pix])), float32(factor*float64(im[i%pix])))
	}
	return out
}

// TrustedMismatch is the Mismatch up to which a probe is taken as it is: true probes stay below 0.03, and one that
// keeps a network from learning a measured scan has 0.15.
const TrustedMismatch = 0.05

// Mismatch returns how badly the probe explains the mean frame of a scan, [N,N] with the direct beam at
// [N/2,N/2]: Σ(a−|FP|)² / Σa², a being the root of the mean frame and |FP| = √Σ_m|F P_m|² scaled to its energy.
// Averaged over many positions, even a strong object scatters little out of the far field of the probe. Pixels with a
// negative mean were not measured and do not count.
func (p *Probe) Mismatch(mean []float64) float64 {
	pix := p.N * p.N
	power := make([]float64, pix)
	plan, field := fft.NewDouble(p.N, p.N), make([]complex128, pix)
	for m := range p.Modes {
		re, im := planes(p.Planes, m, pix)
		for i := range field {
			field[i] = complex(float64(re[i]), float64(im[i]))
		}
		plan.AddPower(power, field)
	}
	energy, want, cross := 0.0, 0.0, 0.0
	for i, v := range power {
		if mean[i] < 0 {
			continue
		}
		energy, want, cross = energy+v, want+mean[i], cross+math.Sqrt(v*mean[i])
	}
	if energy == 0 || want == 0 {
		return 2
	}
	return 2 - 2*cross/math.Sqrt(energy*want)
}
