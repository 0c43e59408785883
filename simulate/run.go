package simulate

import (
	"context"
	"fmt"
	"math"

	"ptycho/data"
	"ptycho/fft"
	"ptycho/internal/rng"
	"ptycho/physics"
)

// exactCount is the largest count up to which float32 holds every integer.
const exactCount = 1 << 24

// Run simulates a scan.
//
// The dataset returned holds photon counts, integers where opt.Noise is set (float32: counts above 2²⁴ are
// rounded to 24 bits, a relative error below 6e-8 where the photon noise is 2.4e-4; a note says so), the
// object that was scanned, not multiplied by the probe, and the probe in the unit in which
// Σ_m |F(P_m·O_j)|² is the expected frame j, F the unitary transform. Object and probe of a setup are
// shared or scaled, never changed. Dose is the mean of the frames as drawn, Metadata.NPhotons its expected
// value.
//
// An error reports unsuitable options, frames that leave the object, or the cancellation of ctx.
func Run(ctx context.Context, opt Options) (*data.Dataset, error) {
	opt = opt.withDefaults()
	if err := opt.check(); err != nil {
		return nil, err
	}
	s, err := newScene(opt)
	if err != nil {
		return nil, err
	}
	if err := s.scaleProbe(ctx, opt); err != nil {
		return nil, err
	}
	ds := s.dataset(opt)
	if err := s.expose(ctx, opt, ds.Frames); err != nil {
		return nil, err
	}
	ds.Dose = meanFrame(ds)
	ds.Metadata.Dose = ds.Dose
	ds.Notes = notes(ds, opt)
	return ds, nil
}

// scaleProbe replaces the probe by s·P with s² = NPhotons / mean_j Σ_m |P_m·O_j|² (Parseval).
func (s *scene) scaleProbe(ctx context.Context, opt Options) error {
	e := make([]float64, len(s.x))
	err := parallel(ctx, opt.Workers, len(e), func() func(int) {
		v := s.newViewer()
		return func(j int) { e[j] = v.energy(j) }
	})
	if err != nil {
		return err
	}
	var mean float64
	for _, v := range e {
		mean += v / float64(len(e))
	}
	if !(mean > 0) || math.IsInf(mean, 0) {
		return fmt.Errorf("simulate: the exit waves have mean energy %g; the probe and the object under the scan must be finite and not dark", mean)
	}
	scale := math.Sqrt(opt.NPhotons / mean)
	probe := make([]complex64, len(s.probe))
	for i, v := range s.probe {
		probe[i] = complex64(complex(scale, 0) * complex128(v))
	}
	s.probe = probe
	return nil
}

// expose computes all frames.
func (s *scene) expose(ctx context.Context, opt Options, frames data.Intensity) error {
	nn := s.n * s.n
	return parallel(ctx, opt.Workers, len(s.x), func() func(int) {
		v, lambda := s.newViewer(), make([]float64, nn)
		return func(j int) {
			v.expected(lambda, j)
			frame := frames[j*nn : (j+1)*nn]
			r := rng.New(opt.Seed, "photons", uint64(j))
			for i, l := range lambda {
				if opt.Noise {
					l = poisson(r, l)
				}
				frame[i] = float32(l)
			}
		}
	})
}

// viewer computes exit waves of a scene. It is one worker's workspace.
type viewer struct {
	*scene
	window [2][]float32 // the same of what a frame sees
	psi    []complex128
	far    *fft.Double
}

func (s *scene) newViewer() *viewer {
	v := &viewer{scene: s, psi: make([]complex128, s.n*s.n), far: fft.NewDouble(s.n, s.n)}
	for k := range 2 {
		v.window[k] = make([]float32, s.n*s.n)
	}
	return v
}

// look puts the part of the object that frame j sees into the window.
func (v *viewer) look(j int) {
	y, x := v.y[j]-float64(v.n/2), v.x[j]-float64(v.n/2)
	for k := range 2 {
		physics.Gather(v.window[k], v.n, v.canvas[k], v.object.Rows, v.object.Cols, y, x)
	}
}

// exit puts P_m·O_j of mode m into psi.
func (v *viewer) exit(m int) []complex128 {
	for i, p := range v.probe[m*len(v.psi) : (m+1)*len(v.psi)] {
		v.psi[i] = complex128(p) * complex(float64(v.window[0][i]), float64(v.window[1][i]))
	}
	return v.psi
}

// energy returns Σ_m |P_m·O_j|².
func (v *viewer) energy(j int) float64 {
	v.look(j)
	var e float64
	for m := range v.modes {
		e += energy(v.exit(m))
	}
	return e
}

// expected writes Σ_m |F(P_m·O_j)|², the direct beam at [n/2, n/2], into dst.
func (v *viewer) expected(dst []float64, j int) {
	clear(dst)
	v.look(j)
	for m := range v.modes {
		v.far.AddPower(dst, v.exit(m))
	}
}

// dataset returns the dataset of the scene with frames yet dark.
func (s *scene) dataset(opt Options) *data.Dataset {
	seed := opt.Seed
	return &data.Dataset{
		N: s.n, Frames: make(data.Intensity, len(s.x)*s.n*s.n),
		X: s.x, Y: s.y, XStart: s.xStart, YStart: s.yStart, ScanIndex: s.index,
		Probe: s.probe, Modes: s.modes, Object: s.object,
		DoseFrom: "measured", Domain: data.DomainCounts,
		Metadata: data.Metadata{
			Format: "ptycho-dataset", Generator: "ptycho simulate", Domain: data.DomainCounts, DC: data.DCCentre,
			NPhotons: opt.NPhotons, Seed: &seed,
			Notes: fmt.Sprintf("object %s, scan %s, jitter %g, noise %t", opt.Object, opt.Scan, opt.Jitter, opt.Noise),
		},
	}
}

// meanFrame returns the mean number of photons in a frame.
func meanFrame(ds *data.Dataset) float64 {
	var sum float64
	for _, v := range ds.Frames {
		sum += float64(v)
	}
	return sum / float64(ds.Len())
}

// notes says in sentences what a user should know of the scan.
func notes(ds *data.Dataset, opt Options) []string {
	s := []string{
		fmt.Sprintf("Simulated %d frames of %d×%d pixels with %.4g photons a frame.", ds.Len(), ds.N, ds.N, ds.Dose),
		fmt.Sprintf("Probe diameter %.1f px, median step %.2f px, linear overlap %.0f %%.",
			data.Diameter(ds.Probe, ds.N), data.MedianStep(ds.X, ds.Y), 100*ds.Overlap()),
	}
	if a := physics.TwinAsymmetry(ds.Probe, ds.N); a < 0.05 {
		s = append(s, fmt.Sprintf("The probe is its own twin within %.1f %%: an object and its twin image give nearly the same frames.", 100*a))
	}
	var peak float32
	for _, v := range ds.Frames {
		peak = max(peak, v)
	}
	if opt.Noise && peak > exactCount {
		s = append(s, fmt.Sprintf("Counts above 2^24 (up to %.3g) are rounded to 24 bits.", peak))
	}
	return s
}
