package physics_test

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
	"ptycho/data"
	"ptycho/fft"
	"ptycho/physics"
)

// Gradient descent on object and probe through the forward model, from the probe of the file and a flat
// object, must explain the measured Siemens star in the orientation in which it is read, and in no mirrored
// or exchanged one.
func TestMeasuredOrientation(t *testing.T) {
	const path = "../../shared/data/siemens-star-small.npz.bz2"
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here: the forward model is not tried on measured frames", path)
	}
	if testing.Short() {
		t.Skip("five descents on measured frames")
	}
	right := descend(t, path, data.LoadOptions{})
	require.Less(t, right, 0.22)
	for name, o := range map[string]data.LoadOptions{
		"x mirrored": {FlipX: true}, "y mirrored": {FlipY: true}, "x and y exchanged": {SwapXY: true}, "turned": {FlipX: true, FlipY: true},
	} {
		require.Greater(t, descend(t, path, o), 1.25*right, name)
	}
}

// descend returns the R-factor Σ|√k−√λ| / Σ√k of the third sweep over all frames.
func descend(t *testing.T, path string, opt data.LoadOptions) float64 {
	ds, err := data.Load(path, opt)
	require.NoError(t, err)
	n, pix := ds.N, ds.N*ds.N
	probe, err := physics.NewProbe(ds.Probe, n, 1, 0, false)
	require.NoError(t, err)
	x0, y0, x1, y1 := ds.X[0], ds.Y[0], ds.X[0], ds.Y[0]
	for i := range ds.X {
		x0, x1, y0, y1 = min(x0, ds.X[i]), max(x1, ds.X[i]), min(y0, ds.Y[i]), max(y1, ds.Y[i])
	}
	side := n + int(math.Ceil(max(x1-x0, y1-y0))) + 2
	canvas := make([]float32, 2*side*side)
	amplitude := float32(probe.ObjectAmplitude())
	for i := range canvas[:side*side] {
		canvas[i] = amplitude
	}

	layout := physics.NewLayout(1, 1, n, side)
	plan, err := fft.NewPlan(n, n)
	require.NoError(t, err)
	tape := autodiff.NewTape(autodiff.NewParams(), true)
	object := tape.Input(autodiff.Shape{1, 2, n, n}, true)
	illumination := tape.Input(autodiff.Shape{1, 2, n, n}, true)
	counts := tape.Input(autodiff.Shape{1, n, n}, false)
	scale := math.Sqrt(ds.Dose) / (float64(n) / 2)
	lambda := physics.Detect(tape, physics.FarField(tape, plan, object, illumination), 1, scale)
	tape.Keep(lambda)
	tape.AddLoss("amp-mse", 1, &physics.AmplitudeLoss{Squared: true, Epsilon: 1e-6, Norm: 1 / float64(pix)}, lambda, counts)
	tape.Compile()
	copy(tape.Data(illumination), probe.Planes)
	patch := make([]float32, pix)
	var diff, sum float64
	for sweep := range 3 {
		diff, sum = 0, 0
		for _, f := range rand.New(rand.NewPCG(1, uint64(sweep))).Perm(ds.Len()) {
			layout.Y[0], layout.X[0] = ds.Y[f]-y0, ds.X[f]-x0
			for p := range 2 {
				physics.Gather(tape.Data(object)[p*pix:][:pix], n, canvas[p*side*side:], side, side, layout.Y[0], layout.X[0])
			}
			fft.Unshift(tape.Data(counts), ds.Frame(f), n, n)
			tape.Forward()
			for i, l := range tape.Data(lambda) {
				k := math.Sqrt(float64(tape.Data(counts)[i]))
				diff, sum = diff+math.Abs(k-math.Sqrt(float64(l))), sum+k
			}
			tape.Backward(1, nil)
			// Steps of the reciprocal Lipschitz constants, 1/(2·S²·max|P|²) for the object and with |O|² for the probe.
			ostep, pstep := step(scale, tape.Data(illumination)), step(scale, tape.Data(object))
			for p := range 2 {
				for i, g := range tape.Grad(object)[p*pix:][:pix] {
					patch[i] = -ostep * g
				}
				physics.Scatter(canvas[p*side*side:], side, side, patch, n, layout.Y[0], layout.X[0])
			}
			for i, g := range tape.Grad(illumination) {
				tape.Data(illumination)[i] -= pstep * g
			}
		}
	}
	t.Logf("%+v: R = %.3f", opt, diff/sum)
	return diff / sum
}

// step returns 1/(2·scale²·max|z|²) for complex planes z.
func step(scale float64, z []float32) float32 {
	top, n := float32(0), len(z)/2
	for i := range n {
		top = max(top, z[i]*z[i]+z[n+i]*z[n+i])
	}
	return 1 / (2 * float32(scale*scale) * top)
}
