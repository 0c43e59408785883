// Package autodiff is a small reverse-mode automatic differentiation engine over float32 tensors.
//
// A computation is recorded once on a [Tape] as a sequence of [Op] values, compiled, and then replayed
// as often as needed: shapes are checked when an op is recorded, and Compile lays every activation
// and gradient out in one block of memory by its lifetime, so that a replay allocates nothing.
//
// Activations are channels-last, [B,H,W,C]. A complex field is held as two planes, [B,2,H,W], real part
// first. Parameters live in one flat vector, [Params]; a backward pass adds into one flat gradient of the
// same layout. Losses are float64 and never pass through a float32 tensor.
//
// The package knows neither convolutions nor Fourier transforms: other packages bring their own ops.
package autodiff
