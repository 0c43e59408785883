package physics_test

import (
	"fmt"
	"math"
	"math/cmplx"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/fft"
	"ptycho/internal/testutil"
	"ptycho/physics"
)

// An optic is a lens with a round aperture of the given radius in pixels of an n×n detector, a central stop, and a
// centre that lies off the direct beam.
type optic struct {
	n                    int
	radius, stop, cy, cx float64
}

// farField returns the wave on the detector with the phase defocus at the rim, a soft edge and a shading across.
func (o optic) farField(defocus float64) []complex128 {
	out := make([]complex128, o.n*o.n)
	for i := range out {
		y, x := float64(i/o.n)-o.cy, float64(i%o.n)-o.cx
		q := math.Hypot(y, x)
		edge := math.Erfc(q-o.radius) * math.Erfc(o.stop-q) * (1 + 0.3*x/o.radius)
		out[i] = cmplx.Rect(edge, defocus*q*q/(o.radius*o.radius))
	}
	return out
}

// probe returns the wave at the sample.
func (o optic) probe(defocus float64) []complex128 {
	a, b := make([]complex128, o.n*o.n), make([]complex128, o.n*o.n)
	fft.Unshift(a, o.farField(defocus), o.n, o.n)
	fft.NewDouble(o.n, o.n).Inverse(a)
	fft.Shift(b, a, o.n, o.n)
	return b
}

// mean returns a mean frame of about the given number of photons in a bright pixel: the far field, one part in ten of
// it scattered widely, and a background.
func (o optic) mean(photons float64) []float64 {
	far := o.farField(0)
	out := make([]float64, len(far))
	noise := testutil.Signed(1, len(far))
	for i := range out {
		r2 := math.Pow(float64(i/o.n)-o.cy, 2) + math.Pow(float64(i%o.n)-o.cx, 2)
		scattered := 0.1 * math.Exp(-r2/(4*o.radius*o.radius))
		v := photons * (0.25*powerOf(far[i]) + scattered + 1e-3)
		out[i] = max(0, v+1.5*math.Sqrt(v)*float64(noise[i]))
	}
	return out
}

func powerOf(z complex128) float64 { return real(z)*real(z) + imag(z)*imag(z) }

func optics() map[string]optic {
	all := map[string]optic{}
	for _, n := range []int{64, 128} {
		h, r := float64(n)/2, 0.21*float64(n)
		all[fmt.Sprint("disk ", n)] = optic{n, r, -9, h, h}
		all[fmt.Sprint("annulus ", n)] = optic{n, r, 0.4 * r, h, h}
		all[fmt.Sprint("off the beam ", n)] = optic{n, 0.8 * r, 0.3 * r, h + 2, h - 3.5}
	}
	return all
}

// likeness returns |⟨a,b⟩| / (‖a‖·‖b‖).
func likeness(a []complex64, b []complex128) float64 {
	w := make([]complex128, len(a))
	for i, v := range a {
		w[i] = complex128(v)
	}
	return cmplx.Abs(inner(w, b)) / math.Sqrt(power(w)*power(b))
}

func TestApertureOf(t *testing.T) {
	for name, o := range optics() {
		radius, cy, cx := physics.ApertureOf(o.mean(200), o.n)
		require.InEpsilon(t, o.radius, radius, 0.08, name)
		require.InDelta(t, o.cy, cy, 0.5, name)
		require.InDelta(t, o.cx, cx, 0.5, name)
	}
}

// Bright pixels away from the aperture, as of defects, and pixels that were not measured do not mislead it.
func TestApertureOfDefects(t *testing.T) {
	o := optics()["annulus 64"]
	mean := o.mean(200)
	for i := range 5 {
		mean[5*64+7+3*i], mean[40*64+20+i] = 2000, -1e4
	}
	radius, cy, cx := physics.ApertureOf(mean, 64)
	require.InEpsilon(t, o.radius, radius, 0.06)
	require.InDelta(t, o.cy, cy, 0.5)
	require.InDelta(t, o.cx, cx, 0.5)

	radius, cy, cx = physics.ApertureOf(make([]float64, 64*64), 64)
	require.Equal(t, []float64{0, 32, 32}, []float64{radius, cy, cx})
}

func TestProbeFromAperture(t *testing.T) {
	for name, o := range optics() {
		mean, total := o.mean(200), 0.0
		for _, v := range mean {
			total += v
		}
		for _, defocus := range []float64{-0.3 * o.radius, 0.7 * o.radius} {
			truth := o.probe(defocus)
			like := func(d float64) float64 {
				p, err := physics.ProbeFromAperture(mean, o.n, d)
				require.NoError(t, err)
				sum := 0.0
				for _, v := range p {
					sum += powerOf(complex128(v))
				}
				require.InEpsilon(t, total, sum, 1e-5)
				return likeness(p, truth)
			}
			right := like(defocus)
			require.Greater(t, right, 0.92, "%s, defocus %g", name, defocus)
			for _, wrong := range []float64{0, -defocus, defocus - 6, defocus + 6} {
				require.Less(t, like(wrong), right-0.15, "%s, defocus %g taken for %g", name, defocus, wrong)
			}
		}
	}
}

// The radius of the probe is what the comment says, so that it tells how much defocus fits.
func TestProbeFromApertureRadius(t *testing.T) {
	o := optics()["disk 128"]
	const defocus = 24
	p, err := physics.ProbeFromAperture(o.mean(200), o.n, defocus)
	require.NoError(t, err)
	rim := defocus * float64(o.n) / (math.Pi * o.radius)
	inside, total := 0.0, 0.0
	for i, v := range p {
		w := powerOf(complex128(v))
		total += w
		if math.Hypot(float64(i/o.n-o.n/2), float64(i%o.n-o.n/2)) < rim {
			inside += w
		}
	}
	require.InDelta(t, 0.95, inside/total, 0.05)
	// Half the defocus makes half the radius.
	p, err = physics.ProbeFromAperture(o.mean(200), o.n, defocus/2)
	require.NoError(t, err)
	outside := 0.0
	for i, v := range p {
		if math.Hypot(float64(i/o.n-o.n/2), float64(i%o.n-o.n/2)) > 0.7*rim {
			outside += powerOf(complex128(v))
		}
	}
	require.Less(t, outside/total, 0.1)
}

// Of a measured scan, one defocus makes a probe like that of the file, but for a translation, which the object makes up
// for.
func TestProbeFromMeasuredAperture(t *testing.T) {
	const path = "../../shared/data/siemens-star-small.npz.bz2"
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here: the probe of measured frames is not estimated", path)
	}
	if testing.Short() {
		t.Skip("loads a measured scan")
	}
	ds, err := data.Load(path, data.LoadOptions{})
	require.NoError(t, err)
	n := ds.N
	mean := make([]float64, n*n)
	for f := range ds.Len() {
		for i, v := range ds.Frame(f) {
			mean[i] += float64(v) / float64(ds.Len())
		}
	}
	transform := func(p []complex64) []complex128 {
		w := make([]complex128, n*n)
		for i, v := range p {
			w[i] = complex128(v)
		}
		fft.NewDouble(n, n).Forward(w)
		return w
	}
	truth := transform(ds.Probe)
	best, at := 0.0, 0.0
	for defocus := -45.0; defocus <= 45; defocus += 3 {
		p, err := physics.ProbeFromAperture(mean, n, defocus)
		require.NoError(t, err)
		w := transform(p)
		norm := math.Sqrt(power(w)*power(truth)) / float64(n)
		for i, v := range truth {
			w[i] *= cmplx.Conj(v)
		}
		fft.NewDouble(n, n).Inverse(w)
		for _, v := range w {
			if like := cmplx.Abs(v) / norm; like > best {
				best, at = like, defocus
			}
		}
	}
	t.Logf("likeness %.3f at %g rad", best, at)
	require.Greater(t, best, 0.8)
	require.InDelta(t, -30, at, 3)
}

func TestProbeFromApertureErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		mean    []float64
		defocus float64
		want    string
	}{
		"size":    {make([]float64, 15), 1, "mean frame of 15 values, expected 4×4"},
		"dark":    {make([]float64, 16), 1, "no probe can be made from an aperture of radius 0 and a defocus of 1 rad"},
		"defocus": {[]float64{5: 1, 15: 0}, math.NaN(), "defocus of NaN rad"},
	} {
		_, err := physics.ProbeFromAperture(tt.mean, 4, tt.defocus)
		require.ErrorContains(t, err, tt.want, name)
	}
}
