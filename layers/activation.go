package layers

import (
	"fmt"
	"math"
	"strings"

	"ptycho/autodiff"
)

func sigmoid(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }

func softplus(x float32) float32 {
	v := float64(x)
	return float32(max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))))
}

var activations = map[string]*autodiff.Map{
	"sigmoid": {
		Func:       sigmoid,
		Derivative: func(_, y float32) float32 { return y * (1 - y) },
	},
	"swish": {
		Func:       func(x float32) float32 { return x * sigmoid(x) },
		Derivative: func(x, _ float32) float32 { s := sigmoid(x); return s * (1 + x*(1-s)) },
	},
	"softplus": {
		Func:       softplus,
		Derivative: func(x, _ float32) float32 { return sigmoid(x) },
	},
	"relu": {
		Func: func(x float32) float32 { return max(x, 0) },
		Derivative: func(x, _ float32) float32 {
			if x > 0 {
				return 1
			}
			return 0
		},
	},
	// π·tanh maps to a phase in (−π, π).
	"pitanh": {
		Func:       func(x float32) float32 { return float32(math.Pi * math.Tanh(float64(x))) },
		Derivative: func(_, y float32) float32 { t := y / math.Pi; return math.Pi * (1 - t*t) },
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
