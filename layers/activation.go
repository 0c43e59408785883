package layers

import (
	"fmt"
	"math"
	"strings"

	"ptycho/autodiff"
	"ptycho/internal/kernel"
)

var activations = map[string]*autodiff.Map{
	"sigmoid": {
		Func: kernel.Sigmoid,
		Grad: func(dx, dy, _, y []float32) { kernel.LogisticGrad(dx, dy, y, 1, 0, 1) },
	},
	"swish": {
		Func: func(y, x []float32) { kernel.Sigmoid(y, x); kernel.Mul(y, y, x) },
		Grad: func(dx, dy, x, _ []float32) { kernel.SwishGrad(dx, dy, x) },
	},
	"softplus": {
		Func: kernel.Softplus,
		Grad: func(dx, dy, x, _ []float32) { kernel.SoftplusGrad(dx, dy, x) },
	},
	"relu": {
		Func: func(y, x []float32) {
			for i, v := range x {
				y[i] = max(v, 0)
			}
		},
		Grad: func(dx, dy, _, y []float32) { kernel.ReLUGrad(dy, y); kernel.Add(dx, dx, dy) },
	},
	// π·tanh maps to a phase in (−π, π).
	"pitanh": {
		Func: func(y, x []float32) { kernel.Tanh(y, x); kernel.Scale(y, math.Pi) },
		Grad: func(dx, dy, _, y []float32) { kernel.LogisticGrad(dx, dy, y, math.Pi, math.Pi, 1/math.Pi) },
	},
}

// ActivationNames lists what Activation knows.
func ActivationNames() []string { return []string{"sigmoid", "swish", "softplus", "relu", "pitanh"} }

// Activation returns the elementwise function of the given name.
func Activation(name string) (*autodiff.Map, error) {
	if m, ok := activations[name]; ok {
		return m, nil
	}
	return nil, fmt.Errorf("unknown activation %q; there are %s", name, strings.Join(ActivationNames(), ", "))
}
