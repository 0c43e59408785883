package metrics

import "math/cmplx"

// alignPrecision is to how many pixels Align registers: half of it turns the phase at the highest frequency by
// one degree.
const alignPrecision = 0.01

// Align brings a reconstruction onto another one of the same object whose probe was reconstructed with it, and
// which therefore differs by a phase plane, a shift and a complex factor: those are removed from moving. It was moved
// by dy and dx pixels with the sign of Shifted, but where nothing came from, at up to two borders, it has its mirror
// image: crop as many pixels before comparing. Borders count less in the estimates, by a Taper of taper pixels.
//
// Plane and shift are refined in turns, starting with the one that brings them closer. Found are a plane of any slope
// when the shift is small beside the structure, or a shift of any length when the plane is less than a cycle.
// The errors are those of Register; it panics as Taper does.
func Align(moving, fixed Image, taper int) (aligned Image, dy, dx float64, err error) {
	if err := registrable(moving, fixed); err != nil {
		return Image{}, 0, 0, err
	}
	t := alignment{moving: moving, fixed: fixed, window: Taper(moving.Rows, moving.Cols, taper)}
	p, err := t.start()
	for range 2 {
		if err == nil {
			p, err = t.turn(p, true)
		}
	}
	if err != nil {
		return Image{}, 0, 0, err
	}
	g := Gauge(p.image.windowed(t.window), fixed.windowed(t.window))
	return p.image.scaled(g), p.dy, p.dx, nil
}

// alignment is what Align works on.
type alignment struct {
	moving, fixed Image
	window        []float64
}

// pose is the plane, in rad/pixel, and the shift that moving was found to have, and moving without them.
type pose struct {
	rampY, rampX, dy, dx float64
	image                Image
}

// start returns the better of two poses: found by looking for the plane first, or for the shift alone.
func (t alignment) start() (pose, error) {
	plane, err := t.turn(pose{image: t.moving}, true)
	if err != nil {
		return pose{}, err
	}
	shift, err := t.turn(pose{image: t.moving}, false)
	if err != nil {
		return pose{}, err
	}
	if t.coherence(shift.image) > t.coherence(plane.image) {
		return shift, nil
	}
	return plane, nil
}

// turn refines the plane, if asked for, and then the shift.
func (t alignment) turn(p pose, plane bool) (pose, error) {
	if plane {
		y, x, _ := RemovePlane(p.image.windowed(t.window), t.fixed.windowed(t.window))
		p.rampY, p.rampX = p.rampY+y, p.rampX+x
		t.move(&p)
	}
	y, x, err := Register(p.image.faded(t.window), t.fixed.faded(t.window), alignPrecision)
	p.dy, p.dx = p.dy+y, p.dx+x
	t.move(&p)
	return p, err
}

// move sets the image of p: moving without the plane and then shifted.
func (t alignment) move(p *pose) { p.image = t.moving.tilted(-p.rampY, -p.rampX).slid(p.dy, p.dx) }

// coherence returns |Σ w²·m*·fixed| / (‖w·m‖·‖w·fixed‖), one when they agree up to a factor.
func (t alignment) coherence(m Image) float64 {
	a, b := m.windowed(t.window), t.fixed.windowed(t.window)
	return cmplx.Abs(Gauge(a, b)) * norm(a) / norm(b)
}
