package train

import (
	"context"
	"errors"
	"runtime"

	"ptycho/data"
	"ptycho/model"
)

// Evaluate returns the mean loss of a network over the groups of a scan, and by how much its Poisson
// negative log-likelihood exceeds the smallest possible one, in nats a pixel.
func Evaluate(ctx context.Context, net *model.Network, ds *data.Dataset, groups []data.Group, workers int) (loss, excess float64, err error) {
	src, err := net.NewSource(ds, groups)
	if err != nil {
		return 0, 0, err
	}
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	opt := model.PassOptions{Mode: model.Evaluate, Dose: net.Config.DoseFor(ds.Dose), Canvas: src.Canvas()}
	p := newPool(min(workers, len(groups)), net, opt)
	defer p.Close()
	net.Params.Updated()
	losses, excesses := make([]float64, len(groups)), make([]float64, len(groups))
	err = p.Run(len(groups), func(w *worker, i int) error {
		if err := errors.Join(ctx.Err(), src.Fill(&w.sample, i)); err != nil {
			return err
		}
		w.pass.Set(0, w.sample)
		losses[i] = w.pass.Forward()
		excesses[i] = w.pass.Excess()
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	return mean(losses), mean(excesses), nil
}
