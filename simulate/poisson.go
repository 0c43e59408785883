package simulate

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// poisson draws a number of photons of mean lambda, finite and not negative.
func poisson(r *rand.Rand, lambda float64) float64 {
	switch {
	case lambda < 0:
		panic("simulate: Poisson mean is negative")
	case lambda == 0:
		return 0
	case lambda < 10:
		return distuv.Poisson{Lambda: lambda, Src: r}.Rand()
	case lambda < 40:
		// distuv never returns zero from 10 on; four parts make the same law.
		var k float64
		for range 4 {
			k += distuv.Poisson{Lambda: lambda / 4, Src: r}.Rand()
		}
		return k
	case lambda <= 1e7:
		return distuv.Poisson{Lambda: lambda, Src: r}.Rand()
	case lambda < math.Inf(1):
		// The normal law; its lack of the skewness 1/√λ < 3.2e-4 shows in no scan.
		return math.Round(lambda + math.Sqrt(lambda)*r.NormFloat64())
	}
	panic("simulate: Poisson mean is not finite")
}
