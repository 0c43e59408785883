// Package simulate makes ptychographic scans whose truth is known: an object, a probe, the positions of a
// scan and the photons that a detector would count.
//
// Frame j is drawn from a Poisson law of mean Σ_m |F[s·P_m·O_j]|², where O_j is the N×N window of the
// object around position j, P_m the incoherent modes of the probe, F the unitary Fourier transform and s the
// one number that makes the mean frame hold the photons asked for. Every random choice comes from a
// stream named after what it decides, so one seed fixes the whole scan, whatever the number of workers.
package simulate
