package model_test

import (
	"fmt"
	"testing"

	"ptycho/model"
	"ptycho/physics"
)

// BenchmarkTrainingPass measures one forward and backward pass of one sample on one core.
func BenchmarkTrainingPass(b *testing.B) {
	for _, c := range []struct{ n, gridsize int }{{64, 1}, {64, 2}, {128, 1}} {
		b.Run(fmt.Sprintf("N=%d/gridsize=%d", c.n, c.gridsize), func(b *testing.B) {
			cfg := pinnConfig(c.n, c.gridsize, 2)
			probe := make([]complex64, c.n*c.n)
			for i := range probe {
				probe[i] = complex(1/float32(1+i%7), 0.1)
			}
			net, err := model.New(cfg, probePlanes(probe, 1))
			if err != nil {
				b.Fatal(err)
			}
			pass := net.NewPass(model.PassOptions{Mode: model.Train, Canvas: physics.CanvasSide(c.n, 4)})
			net.Params.Updated()
			var s model.Sample
			for k := range cfg.Channels() {
				f := make([]float32, c.n*c.n)
				for i := range f {
					f[i] = float32(i % 50)
				}
				s.Frames, s.X, s.Y = append(s.Frames, f), append(s.X, float64(3*(k%2))), append(s.Y, float64(3*(k/2)))
			}
			grad := make([]float32, len(net.Params.Data))
			b.ReportAllocs()
			for b.Loop() {
				pass.Set(0, s)
				pass.Forward()
				pass.Backward(1, grad)
			}
			b.ReportMetric(float64(b.N*cfg.Channels())/b.Elapsed().Seconds(), "patterns/s")
		})
	}
}
