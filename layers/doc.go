// Package layers holds the parts of a convolutional network: layers with named parameters and the
// differentiable ops behind them. Activations are channels-last, [B,H,W,C].
package layers
