package train

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/model"
	"ptycho/optim"
	"ptycho/physics"
	"ptycho/simulate"
)

const side = 64

// scan simulates a small scan.
func scan(frames int) (*data.Dataset, error) {
	return simulate.Run(context.Background(), simulate.Options{N: side, Frames: frames, Step: 5, NPhotons: 1e5, Noise: true, Seed: 3})
}

// network returns a network for ds with random weights.
func network(ds *data.Dataset, gridsize int) (*model.Network, error) {
	probe, err := physics.NewProbe(ds.Probe, ds.N, ds.Modes, 0, false)
	if err != nil {
		return nil, err
	}
	return model.New(model.Config{
		N: ds.N, Gridsize: gridsize, Filters: 1, ModelType: "pinn", AmpActivation: "sigmoid", ObjectBig: gridsize > 1, ProbeBig: true, PadObject: true,
		ProbeModes: ds.Modes, ProbeScale: probe.Scale, ProbeDivisor: probe.Divisor,
		IntensityScale: model.IntensityScale(ds.Dose, ds.N), MeanCount: ds.Dose / float64(ds.N*ds.N),
		Loss: model.LossConfig{NLL: 1}, Seed: 1,
	}, probe.Planes)
}

// tiny returns a trainer of two epochs of three batches, the last of which is short, for 12 groups and 3 that validate.
func tiny(dir string, gridsize int) (*Trainer, error) {
	ds, err := scan(15)
	if err != nil {
		return nil, err
	}
	return trainer(dir, ds, gridsize)
}

func trainer(dir string, ds *data.Dataset, gridsize int) (*Trainer, error) {
	net, err := network(ds, gridsize)
	if err != nil {
		return nil, err
	}
	groups, err := data.MakeGroups(ds.X, ds.Y, data.GroupOptions{Gridsize: gridsize, Seed: 2})
	if err != nil {
		return nil, err
	}
	src, err := net.NewSource(ds, groups)
	if err != nil {
		return nil, err
	}
	t := &Trainer{Net: net, Source: src, Dir: dir, Config: Defaults()}
	t.Config.Epochs, t.Config.BatchSize, t.Config.Workers, t.Config.ValFraction = 2, 5, 2, 0.15
	t.Config.Schedule = optim.ScheduleConfig{Name: "constant"}
	if gridsize > 1 {
		t.Canvas = physics.CanvasSide(ds.N, data.MaxOffset(groups, ds.X, ds.Y))
	}
	return t, nil
}

// run trains in dir, with changes to the tiny trainer, and returns the outcome.
func run(t testing.TB, dir string, change func(*Trainer)) *Result {
	tr, err := tiny(dir, 1)
	require.NoError(t, err)
	if change != nil {
		change(tr)
	}
	res, err := tr.Run(context.Background())
	require.NoError(t, err)
	return res
}

// long skips a test of several trainings where time is short.
func long(t testing.TB) {
	if testing.Short() {
		t.Skip("several trainings")
	}
}

// weights returns the bytes of both checkpoints and of the state in dir.
func weights(t testing.TB, dir string) map[string]string {
	files := map[string]string{}
	for _, name := range []string{model.BestFile, model.LastFile, StateFile} {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		require.NoError(t, err)
		files[name] = string(b)
	}
	return files
}

// requireSame compares two run directories but for the clock.
func requireSame(t testing.TB, want, got string) {
	w, g := weights(t, want), weights(t, got)
	for name := range w {
		require.True(t, w[name] == g[name], "%s differs", name)
	}
	hw, err := ReadHistory(want)
	require.NoError(t, err)
	hg, err := ReadHistory(got)
	require.NoError(t, err)
	require.Len(t, hg, len(hw))
	for i := range hw {
		hw[i].Seconds, hw[i].PatternsPerSecond, hg[i].Seconds, hg[i].PatternsPerSecond = 0, 0, 0, 0
		require.Equal(t, hw[i].Record(), hg[i].Record())
	}
	requireClean(t, got)
}

// requireClean finds no files but those that belong to a run.
func requireClean(t testing.TB, dir string) {
	var found []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			found = append(found, filepath.ToSlash(rel))
		}
		return err
	}))
	require.Subset(t, []string{model.BestFile, model.LastFile, StateFile, HistoryFile}, found)
}
