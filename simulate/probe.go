package simulate

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"
)

// ProbeOptions describes a synthetic probe: a soft-edged disc with the curved phase of a defocused beam.
type ProbeOptions struct {
	// Diameter of the disc in pixels, between 4 and N/2; zero stands for 0.36·N.
	Diameter float64
	// Defocus is the phase of the curved wave at the rim, in units of π; its sign is the side of the focus.
	// Zero stands for 0.21 times the radius in pixels, at which the far field is a disc of 0.42·N pixels.
	Defocus float64
	// Modes is the number of incoherent modes, at most 6; zero stands for 1. Each holds a quarter of the
	// energy of the one before.
	Modes int
}

const (
	modeDecay = 0.25
	maxModes  = 6

	// Aberrations in rad at the rim. They leave the probe no mirror symmetry, so that a flipped or
	// transposed frame differs from the true one.
	astigmatism = 0.4
	coma        = 0.5
)

// Probe returns a synthetic probe, Modes × n × n, centred on [n/2, n/2]. Its modes are orthogonal; the
// first has amplitude one at the centre.
func Probe(n int, opt ProbeOptions) ([]complex64, error) {
	opt = opt.withDefaults(n)
	if err := opt.check(n); err != nil {
		return nil, err
	}
	first := opt.disc(n)
	modes := [][]complex128{first}
	for m := 1; m < opt.Modes; m++ {
		mode := excite(first, n, m)
		orthogonalize(mode, modes)
		scaleTo(mode, energy(first)*math.Pow(modeDecay, float64(m)))
		modes = append(modes, mode)
	}
	p := make([]complex64, 0, opt.Modes*n*n)
	for _, mode := range modes {
		for _, v := range mode {
			p = append(p, complex64(v))
		}
	}
	return p, nil
}

func (opt ProbeOptions) withDefaults(n int) ProbeOptions {
	if opt.Diameter == 0 {
		opt.Diameter = 0.36 * float64(n)
	}
	if opt.Defocus == 0 {
		opt.Defocus = 0.21 * opt.Diameter / 2
	}
	if opt.Modes == 0 {
		opt.Modes = 1
	}
	return opt
}

func (opt ProbeOptions) check(n int) error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("simulate: "+format, args...)) }
	if !(opt.Diameter >= 4 && opt.Diameter <= float64(n)/2) {
		fail("probe diameter %g px; pass 4 to N/2 = %g", opt.Diameter, float64(n)/2)
	} else if limit := 0.4 * opt.Diameter / 2; !(math.Abs(opt.Defocus) <= limit) {
		fail("defocus %g·π at the rim of a probe of diameter %g px leaves the detector; pass at most %.3g or a larger diameter",
			opt.Defocus, opt.Diameter, limit)
	}
	if opt.Modes < 1 || opt.Modes > maxModes {
		fail("%d probe modes; pass 1 to %d", opt.Modes, maxModes)
	}
	return errors.Join(errs...)
}

// disc returns the fundamental mode.
func (opt ProbeOptions) disc(n int) []complex128 {
	radius := opt.Diameter / 2
	edge := max(1, radius/8)
	p := make([]complex128, n*n)
	for i := range p {
		x, y := offCentre(i, n)
		rho := math.Hypot(x, y) / radius
		a := math.Erfc((rho-1)*radius/(math.Sqrt2*edge)) / 2
		theta := math.Atan2(y, x)
		phi := math.Pi*opt.Defocus*rho*rho + astigmatism*rho*rho*math.Sin(2*theta+0.5) + coma*rho*rho*rho*math.Cos(theta-0.3)
		p[i] = cmplx.Rect(a, phi)
	}
	return p
}

// excite returns p times the m-th of the monomials x, y, xy, x², y².
func excite(p []complex128, n, m int) []complex128 {
	powers := [maxModes][2]float64{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {2, 0}, {0, 2}}[m]
	q := make([]complex128, len(p))
	for i := range q {
		x, y := offCentre(i, n)
		q[i] = p[i] * complex(math.Pow(x, powers[0])*math.Pow(y, powers[1]), 0)
	}
	return q
}

// orthogonalize removes from p its components along the orthogonal modes.
func orthogonalize(p []complex128, modes [][]complex128) {
	for _, q := range modes {
		var dot complex128
		for i := range p {
			dot += cmplx.Conj(q[i]) * p[i]
		}
		dot /= complex(energy(q), 0)
		for i := range p {
			p[i] -= dot * q[i]
		}
	}
}

// scaleTo scales p to the energy e.
func scaleTo(p []complex128, e float64) {
	s := complex(math.Sqrt(e/energy(p)), 0)
	for i := range p {
		p[i] *= s
	}
}

func energy(p []complex128) float64 {
	var e float64
	for _, v := range p {
		e += real(v)*real(v) + imag(v)*imag(v)
	}
	return e
}

// offCentre returns column and row of pixel i of an n×n image relative to [n/2, n/2].
func offCentre(i, n int) (x, y float64) {
	return float64(i%n - n/2), float64(i/n - n/2)
}
