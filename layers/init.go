package layers

import (
	"math"

	"ptycho/internal/rng"
)

// GlorotUniform returns an initialiser that draws from U(−a, a), a = √(6/(fanIn+fanOut)) (Glorot & Bengio
// 2010), from the random stream of the given name.
func GlorotUniform(seed uint64, name string, fanIn, fanOut int) func([]float32) {
	return func(w []float32) {
		r := rng.New(seed, "init/"+name, 0)
		a := math.Sqrt(6 / float64(fanIn+fanOut))
		for i := range w {
			w[i] = float32((2*r.Float64() - 1) * a)
		}
	}
}
