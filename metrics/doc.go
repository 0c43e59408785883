// Package metrics compares a reconstructed complex object with the true one, with another reconstruction of the same
// object, by registration and Fourier ring correlation, and expected with measured counts.
//
// Ptychography leaves one complex factor of the object undetermined, and with an unknown probe also a phase
// plane. Both are removed on the complex field, before any phase is taken, so that wrapped phase does no
// harm. All images are row-major; all arithmetic is float64.
package metrics
