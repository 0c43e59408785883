package recon

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/fft"
	"ptycho/model"
)

// TestReconstructionGivesTheExpectedCounts propagates what a user finds in a file, |F(probe·object)|² in float64, and
// compares it with the counts that the network expects in training: the scale, the sign of the phase and the place of
// every pixel are then those of the forward model. Scores after a complex factor see no scale.
func TestReconstructionGivesTheExpectedCounts(t *testing.T) {
	ds := scan(t, 1)
	ds.X[0], ds.Y[0] = 41, 37 // whole pixels, so that nothing is interpolated
	net := network(t, ds, nil)
	r := infer(t, net, ds, Options{})
	require.Equal(t, [2]int64{37 - side/2, 41 - side/2}, r.Origin)

	field := make([]complex128, side*side)
	for i := range field {
		field[i] = complex128(r.Probe[i]) * complex128(r.Object.Pix[i/side*r.Object.Cols+i%side])
	}
	got := make([]float64, side*side)
	fft.NewDouble(side, side).AddPower(got, field)

	src, err := net.NewSource(ds, [][]int{{0}})
	require.NoError(t, err)
	pass := net.NewPass(model.PassOptions{Mode: model.Evaluate})
	net.Params.Updated()
	var s model.Sample
	require.NoError(t, src.Fill(&s, 0))
	pass.Set(0, s)
	pass.Forward()
	want := make([]float32, side*side)
	fft.Shift(want, pass.Expected(), side, side)
	var sum, off float64
	for i, w := range want {
		sum += float64(w)
		off += max(got[i]-float64(w), float64(w)-got[i])
	}
	require.Less(t, off/sum, 1e-3)
}
