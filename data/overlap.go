package data

import (
	"math"
	"slices"
)

// Overlap returns the linear overlap 1 - step/diameter of a scan, where step is its MedianStep and diameter
// that of its probe. It is 0 for frames that do not overlap, and where there is no probe or only one frame.
func (d *Dataset) Overlap() float64 {
	diameter := Diameter(d.Probe, d.N)
	if diameter == 0 || d.Len() < 2 {
		return 0
	}
	return max(0, 1-MedianStep(d.X, d.Y)/diameter)
}

// Diameter returns the second-moment (D4σ, ISO 11146) diameter of a probe of n×n modes, in pixels:
// 2√2 times the rms distance from the centre of mass of Σ_m |P_m|². A uniform disc gets its own
// diameter, a Gaussian beam four σ. It is 0 for a dark probe.
func Diameter(probe []complex64, n int) float64 {
	var e, mx, my, m2 float64
	for i, v := range probe {
		x, y := float64(i%n-n/2), float64(i%(n*n)/n-n/2)
		w := float64(real(v))*float64(real(v)) + float64(imag(v))*float64(imag(v))
		e += w
		mx += w * x
		my += w * y
		m2 += w * (x*x + y*y)
	}
	if e == 0 {
		return 0
	}
	mx, my = mx/e, my/e
	return 2 * math.Sqrt2 * math.Sqrt(max(0, m2/e-mx*mx-my*my))
}

// MedianStep returns the median distance, in pixels, of a frame to its nearest other frame. It is zero
// for fewer than two frames.
func MedianStep(x, y []float64) float64 {
	if len(x) < 2 {
		return 0
	}
	near := newNeighbors(x, y)
	d := make([]float64, len(x))
	for i := range d {
		j := near.of(i, 1)[0]
		d[i] = math.Hypot(x[i]-x[j], y[i]-y[j])
	}
	return median(d)
}

// median sorts d and returns its upper median, 0 when there is nothing.
func median(d []float64) float64 {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[len(d)/2]
}
