package simulate

import (
	"context"
	"math"
	"math/cmplx"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"

	"ptycho/data"
	"ptycho/physics"
)

// run simulates a small scan.
func run(t *testing.T, opt Options) *data.Dataset {
	t.Helper()
	if opt.N == 0 && opt.Setup == nil {
		opt.N = 32
	}
	if opt.Frames == 0 && (opt.Setup == nil || opt.Setup.Len() == 0) {
		opt.Frames = 30
	}
	ds, err := Run(context.Background(), opt)
	require.NoError(t, err)
	require.Len(t, ds.Frames, ds.Len()*ds.N*ds.N)
	return ds
}

func TestRunDeterministic(t *testing.T) {
	for _, kind := range Scans() {
		opt := Options{Scan: kind, Noise: true, NPhotons: 1e5, Seed: 7, Workers: 1}
		one := run(t, opt)
		require.Equal(t, one, run(t, opt))
		opt.Workers = 3
		require.Equal(t, one, run(t, opt), "the number of workers does not matter")
		opt.Seed = 8
		other := run(t, opt)
		require.NotEqual(t, one.Object.Pix, other.Object.Pix)
		require.NotEqual(t, one.Frames, other.Frames)
	}
}

func TestRunSeedMovesPhotonsOnly(t *testing.T) {
	setup := run(t, Options{})
	a := run(t, Options{Setup: setup, Noise: true, NPhotons: 1e5, Seed: 1})
	b := run(t, Options{Setup: setup, Noise: true, NPhotons: 1e5, Seed: 2})
	require.Equal(t, a.Object, b.Object)
	require.Equal(t, a.X, b.X)
	require.NotEqual(t, a.Frames, b.Frames)
	require.NotEqual(t, a.Frame(0), a.Frame(1))
}

func TestRunDose(t *testing.T) {
	for _, modes := range []int{1, 3} {
		opt := Options{Object: GRF, NPhotons: 2e4, Probe: ProbeOptions{Modes: modes}}
		ds := run(t, opt)
		require.InEpsilon(t, 2e4, ds.Dose, 1e-5)

		opt.Noise = true
		ds = run(t, opt)
		require.InEpsilon(t, 2e4, ds.Dose, 0.01)
		require.NotEqual(t, 2e4, ds.Dose, "the dose is measured")
		require.Equal(t, "measured", ds.DoseFrom)
		require.Equal(t, 2e4, ds.Metadata.NPhotons)
		require.Equal(t, ds.Dose, ds.Metadata.Dose)
		require.Equal(t, modes, ds.Modes)
		for _, v := range ds.Frames {
			require.False(t, v < 0 || v != float32(math.Trunc(float64(v))), "not a count: %g", v)
		}
	}
	require.InEpsilon(t, data.DefaultDose, run(t, Options{}).Dose, 1e-5)
}

// The dataset alone determines its expected frames, by the definition of the transform.
func TestRunFramesFollowFromDataset(t *testing.T) {
	ds := run(t, Options{N: 16, Scan: Raster, Jitter: -1, Step: 2, Frames: 4, NPhotons: 1e6, Probe: ProbeOptions{Modes: 2}})
	for j := range ds.Len() {
		want := make([]float64, 256)
		for m := range ds.Modes {
			psi := make([]complex128, 256)
			for i := range psi {
				row, col := int(ds.Y[j])-8+i/16, int(ds.X[j])-8+i%16
				psi[i] = complex128(ds.Probe[m*256+i]) * complex128(ds.Object.Pix[row*ds.Object.Cols+col])
			}
			floats.Add(want, dft(psi, 16))
		}
		for i, w := range want {
			require.InDelta(t, w, ds.Frame(j)[i], 1e-6*1e6)
		}
	}
}

func TestRunNoiseIsPoisson(t *testing.T) {
	opt := Options{NPhotons: 1e6, Seed: 3}
	mean := run(t, opt)
	opt.Noise = true
	counts := run(t, opt)
	require.Equal(t, mean.Probe, counts.Probe)
	var chi2, n float64
	for i, l := range mean.Frames {
		if l > 5 {
			d := float64(counts.Frames[i] - l)
			chi2 += d * d / float64(l)
			n++
		}
	}
	require.Greater(t, n, 5000.0)
	require.InDelta(t, 1, chi2/n, 5*math.Sqrt(2.2/n))
}

func TestRunFramesHaveTheirOwnNoise(t *testing.T) {
	s := run(t, Options{Frames: 2})
	s.X[1], s.Y[1] = s.X[0], s.Y[0]
	ds := run(t, Options{Setup: s, Noise: true, NPhotons: 1e6})
	require.NotEqual(t, ds.Frame(0), ds.Frame(1))
}

// dotScene is a dark object with one bright dot at row 40, column 70, and a probe that tells where in the
// frame the dot is.
func dotScene(x, y []float64) *data.Dataset {
	const n = 16
	o := &data.Image{Rows: 100, Cols: 120, Pix: make([]complex64, 100*120)}
	o.Pix[40*120+70] = 1
	s := &data.Dataset{N: n, Modes: 1, Object: o, X: x, Y: y}
	for i := range n * n {
		s.Probe = append(s.Probe, complex(float32(1+i%n), float32(3*(i/n))))
	}
	return s
}

func TestRunAsymmetricScene(t *testing.T) {
	// The dot at row r = 40-(y-8), column c = 70-(x-8) of the frame meets the probe 1+c + 3ir.
	x := []float64{70, 65, 75, 70, 70, 77, 62, 79.5, 60, 70, 50, 40}
	y := []float64{40, 40, 40, 35, 45, 33, 48, 40, 40, 49.5, 40, 70}
	ds := run(t, Options{Setup: dotScene(x, y), NPhotons: 1000})
	energy := func(j int) (e float64) {
		for _, v := range ds.Frame(j) {
			e += float64(v)
		}
		return e
	}
	unit := energy(0) / (9*9 + 24*24)
	for j := range x {
		c, r := 70-(x[j]-8), 40-(y[j]-8)
		want := unit * ((1+c)*(1+c) + 9*r*r)
		if c < 0 || c >= 16 || r < 0 || r >= 16 {
			want = 0
		}
		require.InDelta(t, want, energy(j), 1e-3*unit, "frame at (x %g, y %g)", x[j], y[j])
	}
}

func TestRunSubPixel(t *testing.T) {
	ds := run(t, Options{Setup: dotScene([]float64{70.25}, []float64{40.5}), NPhotons: 1000})
	psi := make([]complex128, 256)
	for _, tap := range []struct {
		r, c int
		w    float64
	}{{7, 7, 0.5 * 0.25}, {7, 8, 0.5 * 0.75}, {8, 7, 0.5 * 0.25}, {8, 8, 0.5 * 0.75}} {
		psi[tap.r*16+tap.c] = complex(tap.w, 0) * complex128(ds.Probe[tap.r*16+tap.c])
	}
	for i, w := range dft(psi, 16) {
		require.InDelta(t, w, ds.Frame(0)[i], 1e-3)
	}
}

// A phase ramp moves the direct beam to the side to which it rises.
func TestRunOrientation(t *testing.T) {
	const n = 32
	s := &data.Dataset{N: n, Modes: 1, X: []float64{20}, Y: []float64{20}, Object: &data.Image{Rows: 40, Cols: 50}}
	for range n * n {
		s.Probe = append(s.Probe, 1)
	}
	for i := range 40 * 50 {
		s.Object.Pix = append(s.Object.Pix, complex64(cmplx.Rect(1, 2*math.Pi*float64(3*(i%50)-2*(i/50))/n)))
	}
	frame := run(t, Options{Setup: s, NPhotons: 500}).Frame(0)
	require.InDelta(t, 500, frame[(n/2-2)*n+n/2+3], 1e-2)
}

func TestRunScans(t *testing.T) {
	for _, kind := range Scans() {
		for _, size := range []int{0, 90, 300} {
			for _, step := range []float64{0, 3} {
				opt := Options{Scan: kind, ObjectSize: size, Step: step, Frames: 60, Object: Siemens}
				ds := run(t, opt)
				o := ds.Object
				if size != 0 {
					require.Equal(t, []int{size, size}, []int{o.Rows, o.Cols})
				}
				require.NoError(t, newWindow(o.Rows, o.Cols, ds.N).check(ds.X, ds.Y))
				loX, hiX := bounds(ds.X)
				loY, hiY := bounds(ds.Y)
				require.InDelta(t, float64(o.Cols)/2, (loX+hiX)/2, 1, "the scan is centred")
				require.InDelta(t, float64(o.Rows)/2, (loY+hiY)/2, 1, "the scan is centred")
				if step != 0 && kind != Random {
					require.InDelta(t, step, data.MedianStep(ds.X, ds.Y), 0.4*step)
				}
				if kind == Raster {
					require.NotEqual(t, ds.X[0], ds.X[8], "no perfect grid")
				}
			}
		}
	}
	small := run(t, Options{ObjectSize: 48, Frames: 100}) // the default step would not fit
	lo, hi := bounds(small.X)
	require.InDelta(t, 16, lo, 1)
	require.InDelta(t, 32, hi, 1)
	require.InDelta(t, 0.7, run(t, Options{Frames: 200}).Overlap(), 0.05)

	ds := run(t, Options{Scan: Raster, Jitter: -1, Step: 3})
	require.Equal(t, 3.0, data.MedianStep(ds.X, ds.Y), "a perfect grid when asked for")
	one := run(t, Options{Frames: 1, ObjectSize: 32})
	require.Equal(t, []float64{16, 16}, []float64{one.X[0], one.Y[0]})
}

func TestRunSetup(t *testing.T) {
	first := run(t, Options{Frames: 40, Scan: Random, Seed: 5, NPhotons: 100})
	first.XStart, first.YStart = slices.Clone(first.X), slices.Clone(first.Y)
	first.ScanIndex = make([]int64, 40)
	first.ScanIndex[39] = 1
	probe := slices.Clone(first.Probe)

	ds := run(t, Options{Setup: first, NPhotons: 400})
	require.Equal(t, first.X, ds.X)
	require.Equal(t, first.Y, ds.Y)
	require.Equal(t, first.XStart, ds.XStart)
	require.Equal(t, first.ScanIndex, ds.ScanIndex)
	require.Same(t, first.Object, ds.Object)
	require.Equal(t, probe, first.Probe, "the setup is left alone")
	for i, p := range probe {
		require.InDelta(t, 0, cmplx.Abs(complex128(ds.Probe[i]-2*p)), 1e-4)
	}

	some := run(t, Options{Setup: first, Frames: 10, Seed: 2})
	for j, from := range data.Subsample(40, 10, 2) {
		require.Equal(t, first.X[from], some.X[j])
		require.Equal(t, first.YStart[from], some.YStart[j])
	}

	mixed := run(t, Options{Setup: first, Scan: Spiral, Frames: 20, Object: DeadLeaves})
	require.Equal(t, 20, mixed.Len())
	require.NotEqual(t, first.Object.Pix, mixed.Object.Pix)
	require.Nil(t, mixed.XStart)

	synthetic := run(t, Options{Setup: &data.Dataset{N: 32, X: first.X, Y: first.Y}})
	require.Equal(t, first.X, synthetic.X, "positions without an object")
	require.Equal(t, 1, synthetic.Modes)
}

func TestRunNotes(t *testing.T) {
	require.Len(t, run(t, Options{Noise: true, NPhotons: 1e6}).Notes, 2)
	bright := run(t, Options{Noise: true, NPhotons: 1e12})
	require.Contains(t, bright.Notes[2], "2^24")
	require.InEpsilon(t, 1e12, bright.Dose, 1e-4)

	s := dotScene([]float64{70}, []float64{40})
	for i := range s.Probe {
		s.Probe[i] = 1
	}
	require.Contains(t, run(t, Options{Setup: s}).Notes[2], "twin")
}

func TestRunErrors(t *testing.T) {
	dot := func(x, y float64) *data.Dataset { return dotScene([]float64{70, x}, []float64{40, y}) }
	dark := dot(70, 40)
	clear(dark.Probe)
	broken := dot(70, 40)
	broken.Path, broken.Probe, broken.Y = "setup.npz", broken.Probe[1:], broken.Y[1:]
	broken.Object = &data.Image{Rows: 3, Cols: 3}
	elsewhere := dotScene([]float64{20}, []float64{20})
	for _, tc := range []struct {
		name string
		opt  Options
		want []string
	}{
		{"numbers", Options{
			N: 15, Frames: -1, Step: -2, Jitter: 2, NPhotons: -5, Workers: -1, ObjectSize: -1,
		}, []string{"N = 15", "-1 frames", "step -2", "jitter 2", "-5 photons", "-1 workers", "object size -1"}},
		{"names", Options{Object: "cat", Scan: "walk"}, []string{`"cat"`, `"walk"`, "lines", "spiral"}},
		{"probe", Options{Probe: ProbeOptions{Modes: 9}}, []string{"9 probe modes"}},
		{"file without setup", Options{Object: File, Scan: File}, []string{`object "file" needs`, `scan "file" needs`}},
		{"setup", Options{Setup: broken, N: 32, Probe: ProbeOptions{Modes: 1}, ObjectSize: 100}, []string{
			"setup.npz: N = 16, not 32", "255 elements", "2 x and 1 y", "0 pixels, want 3×3", "synthetic one out", "its own size",
		}},
		{"more frames than positions", Options{Setup: dot(70, 40), Frames: 3}, []string{"3 frames", "2 positions"}},
		{"dark probe", Options{Setup: dark}, []string{"probe is dark"}},
		{"dark object", Options{Setup: elsewhere}, []string{"mean energy 0"}},
		{"outside", Options{Setup: dot(70, 93)}, []string{"1 of 2 frames", "frame 1", "y 93", "[8, 92]"}},
		{"synthetic scan outside", Options{N: 32, ObjectSize: 64, Step: 20}, []string{"leave the object", "smaller step"}},
		{"no room", Options{N: 64, ObjectSize: 64}, []string{"64×64", "no room"}},
		{"not pixels", Options{Setup: &data.Dataset{N: 32, X: []float64{1e9}, Y: []float64{20}}}, []string{"1e+09", "object pixels"}},
		{"tiny object", Options{N: 16, ObjectSize: 20}, []string{"at least 32"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Run(context.Background(), tc.opt)
			for _, w := range tc.want {
				require.ErrorContains(t, err, w)
			}
		})
	}
}

func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Run(ctx, Options{})
	require.ErrorIs(t, err, context.Canceled)
}

// A measured probe, object and scan.
func TestRunMeasuredSetup(t *testing.T) {
	const path = "../../shared/data/run1084.npz"
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no measured data: %v", err)
	}
	setup, err := data.LoadSetup(path, data.LoadOptions{})
	require.NoError(t, err)
	ds := run(t, Options{Setup: setup, NPhotons: 1e6, Noise: true, Frames: 50})
	require.Equal(t, 64, ds.N)
	require.InEpsilon(t, 1e6, ds.Dose, 0.01)
	require.Greater(t, physics.TwinAsymmetry(ds.Probe, 64), 0.05)

	all := run(t, Options{Setup: setup, NPhotons: 1e6})
	require.Equal(t, setup.X, all.X)
	require.InDelta(t, 0.97, all.Overlap(), 0.01)
}

// dft returns |F(psi)|², F the unitary transform, by its definition, the direct beam at [n/2, n/2].
func dft(psi []complex128, n int) []float64 {
	dst := make([]float64, n*n)
	for u := range n {
		for v := range n {
			var sum complex128
			for i, p := range psi {
				phase := -2 * math.Pi * float64((u-n/2)*(i/n)+(v-n/2)*(i%n)) / float64(n)
				sum += p * cmplx.Rect(1, phase)
			}
			a := cmplx.Abs(sum) / float64(n)
			dst[u*n+v] = a * a
		}
	}
	return dst
}
