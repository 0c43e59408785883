package simulate

import (
	"math"

	"ptycho/data"
)

// Diameter returns the second-moment (D4σ, ISO 11146) diameter of a probe of n×n modes, in pixels:
// 2√2 times the rms distance from the centre of mass of Σ_m |P_m|². A uniform disc gets its own
// diameter, a Gaussian beam four σ. It is 0 for a dark probe.
func Diameter(probe []complex64, n int) float64 {
	var e, mx, my, m2 float64
	for i, v := range probe {
		x, y := offCentre(i%(n*n), n)
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

// Overlap returns the linear overlap 1 - step/diameter of a scan, where step is the median distance of a
// frame to its nearest other frame and diameter the second-moment diameter of the probe. It is 0
// for frames that do not overlap, and where there is no probe or only one frame.
func Overlap(ds *data.Dataset) float64 {
	d := Diameter(ds.Probe, ds.N)
	if d == 0 || ds.Len() < 2 {
		return 0
	}
	return max(0, 1-data.MedianStep(ds.X, ds.Y)/d)
}
