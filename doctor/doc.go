// Package doctor examines a scan before anything is trained on it: the file, the detector, the beam, the positions and the
// probe, each by itself and, by short trial refinements, together. What can be repaired it repairs.
package doctor
