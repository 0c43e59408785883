package recon

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/fft"
	"ptycho/internal/testutil"
	"ptycho/model"
	"ptycho/physics"
	"ptycho/simulate"
)

func infer(t testing.TB, net *model.Network, ds *data.Dataset, opt Options) *Reconstruction {
	r, err := Infer(context.Background(), net, ds, opt)
	require.NoError(t, err)
	return r
}

func TestInferDoesNotDependOnWorkersOrBatch(t *testing.T) {
	ds := scan(t, 13)
	for name, gridsize := range map[string]int{"single frames": 1, "groups": 2} {
		t.Run(name, func(t *testing.T) {
			net := network(t, ds, func(c *model.Config) { c.Gridsize, c.ObjectBig = gridsize, gridsize > 1 })
			want := infer(t, net, ds, Options{Workers: 1, Batch: 1, Patches: true})
			require.Equal(t, 13, want.Groups)
			require.Equal(t, 13, want.Frames)
			require.Len(t, want.Patches, 13*gridsize*gridsize*side*side)
			require.Greater(t, spreadOf(want), 1e-3, "the network's patches are not flat")
			for _, opt := range []Options{{Workers: 1, Batch: 5}, {Workers: 2, Batch: 2}, {Workers: 3}, {Workers: 40}, {}} {
				opt.Patches = true
				require.Equal(t, want, infer(t, net, ds, opt), "%+v", opt)
			}
		})
	}
}

// saved writes a scan to a file; deflated or not is as its values are.
func saved(t testing.TB, ds *data.Dataset, opt data.SaveOptions) string {
	path := filepath.Join(t.TempDir(), "scan.npz")
	require.NoError(t, data.Save(path, ds, opt))
	return path
}

func open(t testing.TB, path string) *data.Dataset {
	ds, err := data.Load(path, data.LoadOptions{Stream: true})
	require.NoError(t, err)
	t.Cleanup(func() { ds.Close() })
	return ds
}

func TestInferFromTheFile(t *testing.T) {
	ds := scan(t, 13)
	for _, layout := range []string{data.LayoutNHW, data.LayoutHWN} {
		for _, gridsize := range []int{1, 2} {
			file := open(t, saved(t, ds, data.SaveOptions{Layout: layout}))
			net := network(t, ds, func(c *model.Config) { c.Gridsize, c.ObjectBig = gridsize, gridsize > 1 })
			want := infer(t, net, ds, Options{Patches: true})
			for _, workers := range []int{1, 2, 5} {
				require.Equal(t, want, infer(t, net, file, Options{Workers: workers, Batch: 2, Patches: true}))
			}
			part := []int{11, 3, 5, 4, 10, 9, 1}
			require.Equal(t, infer(t, net, ds.Select(part), Options{}), infer(t, net, file.Select(part), Options{}))
		}
	}
}

func TestInferReportsFramesThatCannotBeRead(t *testing.T) {
	ds := scan(t, 13)
	file := open(t, saved(t, ds, data.SaveOptions{}))
	require.NoError(t, file.Close())
	_, err := Infer(context.Background(), network(t, ds, nil), file, Options{})
	require.ErrorContains(t, err, "scan.npz: frame 0")
}

// TestInferMemory compares the memory in use while scans of different length over the same area are reconstructed.
func TestInferMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the network 2200 times")
	}
	base := scan(t, 200)
	net := network(t, base, nil)
	peak := func(repeat int) (most uint64) {
		index := make([]int, 0, repeat*base.Len())
		for i := range repeat * base.Len() {
			index = append(index, i%base.Len())
		}
		path := saved(t, base.Select(index), data.SaveOptions{})
		sample := func() {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
		ds := open(t, path)
		sample()
		calls := 0
		infer(t, net, ds, Options{Progress: func(int, int) {
			if calls++; calls%5 == 0 {
				sample()
			}
		}})
		require.NoError(t, ds.Close())
		return most
	}
	short, long := peak(1), peak(10)
	require.Less(t, long, short+4<<20, "1800 frames more of 16 kB each, %d and %d bytes in use", short, long)
}

func spreadOf(r *Reconstruction) float64 {
	_, low, high := r.Range()
	return (high - low) / high
}

func TestInferStitchesEveryFrameAtItsPosition(t *testing.T) {
	ds := scan(t, 12)
	r := infer(t, network(t, ds, nil), ds, Options{})
	require.Equal(t, ds.X, r.X)
	require.Equal(t, ds.Y, r.Y)
	c, err := NewCanvas(ds.X, ds.Y, side, flat())
	require.NoError(t, err)
	require.Equal(t, [2]int64{int64(c.Row), int64(c.Col)}, r.Origin)
	require.Equal(t, []int{c.Rows, c.Cols}, []int{r.Object.Rows, r.Object.Cols})

	r = infer(t, network(t, ds, nil), ds, Options{NGroups: 5, Seed: 8})
	require.Equal(t, 5, r.Groups)
	require.Len(t, r.X, 5)
	other := infer(t, network(t, ds, nil), ds, Options{NGroups: 5, Seed: 9})
	require.NotEqual(t, r.X, other.X, "the seed chooses the groups")
}

func TestInferOnePatchAGroup(t *testing.T) {
	ds := scan(t, 12)
	net := network(t, ds, func(c *model.Config) { c.Gridsize, c.ObjectBig = 2, false })
	r := infer(t, net, ds, Options{Patches: true})
	groups, err := data.MakeGroups(ds.X, ds.Y, data.GroupOptions{Gridsize: 2, Mode: data.GroupNearest})
	require.NoError(t, err)
	require.Len(t, r.X, 12)
	require.Len(t, r.Patches, 12*side*side)
	for i, g := range groups {
		mx, my := 0.0, 0.0
		for _, f := range g {
			mx, my = mx+ds.X[f]/4, my+ds.Y[f]/4
		}
		require.InDelta(t, mx, r.X[i], 1e-9)
		require.InDelta(t, my, r.Y[i], 1e-9)
	}
}

func TestStitchModes(t *testing.T) {
	ds := scan(t, 12)
	net := network(t, ds, nil)
	w, err := stitchWeights(net, "tf")
	require.NoError(t, err)
	for i, v := range w {
		r, c := i/side, i%side
		want := r >= 22 && r < 42 && c >= 22 && c < 42
		require.Equal(t, want, v == 1, "row %d, column %d", r, c)
		require.Equal(t, !want, v == 0)
	}
	tf := infer(t, net, ds, Options{Stitch: "tf"})
	sum := 0.0
	for _, v := range tf.Coverage {
		sum += float64(v)
	}
	require.InEpsilon(t, 12*20*20, sum, 1e-5)
	probe := infer(t, net, ds, Options{Stitch: "probe"})
	require.Equal(t, probe, infer(t, net, ds, Options{}), "the default")
	require.NotEqual(t, probe.Object, tf.Object)
	_, err = Infer(context.Background(), net, ds, Options{Stitch: "mean"})
	require.ErrorContains(t, err, `unknown stitch mode "mean"; there are [probe tf]`)
}

func TestInferNormalisesToTheDoseOfTheScan(t *testing.T) {
	ds := scan(t, 6)
	net := network(t, ds, nil)
	same := infer(t, net, ds, Options{})
	require.Empty(t, same.Notes)

	four, sixteen := infer(t, net, brighter(ds, 4), Options{}), infer(t, net, brighter(ds, 16), Options{})
	require.Len(t, four.Notes, 1)
	require.Contains(t, four.Notes[0], "4e+05 photons on average, those of the training 1e+05")
	require.Equal(t, four.Object, sixteen.Object, "only the unit of the frames differs")
	for i, v := range four.Probe {
		require.InDelta(t, real(2*v), real(sixteen.Probe[i]), 1e-30)
		require.InDelta(t, imag(2*v), imag(sixteen.Probe[i]), 1e-30)
	}
	testutil.CloseNorm(t, amplitudes(four), amplitudes(same), 1e-5, "against the dose of the training")

	slightly := infer(t, net, brighter(ds, 1.03), Options{})
	require.Empty(t, slightly.Notes, "differences within the tolerance are left to the network")
}

func amplitudes(r *Reconstruction) []float64 {
	a := make([]float64, len(r.Object.Pix))
	for i, v := range r.Object.Pix {
		a[i] = math.Hypot(float64(real(v)), float64(imag(v)))
	}
	return a
}

func TestProbeCarriesTheDose(t *testing.T) {
	ds := scan(t, 6)
	for _, k := range []float32{1, 0.1, 30} {
		d := brighter(ds, k)
		r := infer(t, network(t, ds, nil), d, Options{})
		sum := 0.0
		for _, v := range r.Probe {
			sum += float64(real(v))*float64(real(v)) + float64(imag(v))*float64(imag(v))
		}
		require.InEpsilon(t, d.Dose, sum, 1e-5)
	}
}

// TestUnits gives units the object that a perfect network predicts: with the probe it must predict the photons.
func TestUnits(t *testing.T) {
	for name, modes := range map[string]int{"one mode": 1, "two modes": 2} {
		t.Run(name, func(t *testing.T) {
			ds, err := simulate.Run(context.Background(), simulate.Options{
				N: side, Frames: 9, Step: 6, NPhotons: 3e4, Seed: 5, Probe: simulate.ProbeOptions{Modes: modes},
			})
			require.NoError(t, err)
			net := network(t, ds, nil)
			f := complex(float32(net.Config.ProbeDivisor/net.Config.IntensityScale), 0)
			own := &data.Image{Rows: ds.Object.Rows, Cols: ds.Object.Cols}
			for _, v := range ds.Object.Pix {
				own.Pix = append(own.Pix, f*v)
			}
			r := &Reconstruction{Object: own, N: side, Modes: modes}
			r.units(net, ds.Dose)

			got, frame := make([]float64, side*side), make([]float64, side*side)
			for j := range ds.Len() {
				r.expected(t, got, ds.X[j], ds.Y[j])
				for i, v := range ds.Frame(j) {
					frame[i] = float64(v)
				}
				testutil.CloseNorm(t, got, frame, 1e-4, "frame", j)
			}
		})
	}
}

// expected writes the photons that the reconstruction expects at (x, y), the direct beam in the centre.
func (r *Reconstruction) expected(t testing.TB, dst []float64, x, y float64) {
	plan, err := fft.NewPlan(r.N, r.N)
	require.NoError(t, err)
	pix := r.N * r.N
	re, im := make([]float32, pix), make([]float32, pix)
	physics.GatherComplex(re, im, r.N, r.Object.Pix, r.Object.Rows, r.Object.Cols, y-float64(r.N/2), x-float64(r.N/2))
	sum := make([]float64, pix)
	for m := range r.Modes {
		wr, wi := make([]float32, pix), make([]float32, pix)
		for i := range wr {
			w := complex(re[i], im[i]) * r.Probe[m*pix+i]
			wr[i], wi[i] = real(w), imag(w)
		}
		plan.Forward(wr, wi, make([]float32, plan.WorkLen()))
		for i := range sum {
			sum[i] += float64(wr[i])*float64(wr[i]) + float64(wi[i])*float64(wi[i])
		}
	}
	for i, v := range sum {
		row, col := (i/r.N+r.N/2)%r.N, (i%r.N+r.N/2)%r.N
		dst[row*r.N+col] = v
	}
}

func TestInferRefuses(t *testing.T) {
	ds := scan(t, 6)
	small, err := simulate.Run(context.Background(), simulate.Options{N: 128, Frames: 4, NPhotons: 1e4})
	require.NoError(t, err)
	small.Path = "other.npz"
	_, err = Infer(context.Background(), network(t, ds, nil), small, Options{})
	require.ErrorContains(t, err, "other.npz: key diffraction: expected frames of 64×64 pixels")
	require.ErrorContains(t, err, "found 128×128")

	two := network(t, ds, func(c *model.Config) { c.Gridsize, c.ObjectBig = 2, true })
	_, err = Infer(context.Background(), two, ds.Select([]int{0, 1, 2}), Options{})
	require.ErrorContains(t, err, "groups of 4 frames, but there are only 3 frames")

	wide := *ds
	wide.X = make([]float64, ds.Len())
	for i, x := range ds.X {
		wide.X[i] = 100 * x
	}
	_, err = Infer(context.Background(), two, &wide, Options{})
	require.ErrorContains(t, err, "groups do not overlap")

	_, err = Infer(context.Background(), network(t, ds, nil), ds, Options{NGroups: 7})
	require.ErrorContains(t, err, "7 groups asked for")

	broken := network(t, ds, nil)
	broken.Params.Data[10] = float32(math.NaN())
	_, err = Infer(context.Background(), broken, ds, Options{})
	require.ErrorContains(t, err, "not finite for patch 0 at x=")
	require.ErrorContains(t, err, "the checkpoint is unusable")
}

func TestInferStopsWhenCancelled(t *testing.T) {
	ds := scan(t, 12)
	ctx, cancel := context.WithCancel(context.Background())
	var seen []int
	_, err := Infer(ctx, network(t, ds, nil), ds, Options{Workers: 2, Batch: 2, Progress: func(done, total int) {
		require.Equal(t, 12, total)
		if seen = append(seen, done); done == 8 {
			cancel()
		}
	}})
	require.True(t, errors.Is(err, context.Canceled))
	require.Equal(t, []int{4, 8}, seen)
}

func TestSave(t *testing.T) {
	ds := scan(t, 5)
	net := network(t, ds, nil)
	r := infer(t, net, ds, Options{Patches: true})
	path := filepath.Join(t.TempDir(), ReconstructionFile)
	require.NoError(t, r.Save(path))
	a, err := data.ReadNPZ(path)
	require.NoError(t, err)
	rows, cols := r.Object.Rows, r.Object.Cols
	require.NotEqual(t, rows, cols)
	want := map[string]data.Array{
		"object":   {Name: "object", Shape: []int{rows, cols}, Data: r.Object.Pix},
		"coverage": {Name: "coverage", Shape: []int{rows, cols}, Data: r.Coverage},
		"origin":   {Name: "origin", Shape: []int{2}, Data: []int64{r.Origin[0], r.Origin[1]}},
		"xcoords":  {Name: "xcoords", Shape: []int{5}, Data: ds.X},
		"ycoords":  {Name: "ycoords", Shape: []int{5}, Data: ds.Y},
		"probe":    {Name: "probe", Shape: []int{side, side}, Data: r.Probe},
		"patches":  {Name: "patches", Shape: []int{5, side, side}, Data: r.Patches},
	}
	require.Equal(t, want, a)

	r = infer(t, net, ds, Options{})
	r.Probe, r.Modes = append(r.Probe, r.Probe...), 2
	require.NoError(t, r.Save(path))
	a, err = data.ReadNPZ(path)
	require.NoError(t, err)
	require.Equal(t, []int{2, side, side}, a["probe"].Shape)
	require.NotContains(t, a, "patches")
	require.Error(t, r.Save(filepath.Join(path, "below-a-file.npz")))
}

// TestOneGroupOnManyCores lets the cores share the work on one group.
func TestOneGroupOnManyCores(t *testing.T) {
	ds := scan(t, 6)
	net := network(t, ds, nil)
	want := infer(t, net, ds, Options{NGroups: 1, Workers: 1})
	for _, workers := range []int{2, 7} {
		require.Equal(t, want, infer(t, net, ds, Options{NGroups: 1, Workers: workers}))
	}
}
