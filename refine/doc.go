// Package refine reconstructs an object from a scan by iteration: the object, and if asked for the probe and its modes,
// the positions, the exposure of every frame and a background, are moved until the physics of package physics predicts
// the measured frames.
//
// It descends along gradients of the likelihood: in small batches of frames first, each step scaled pixel by pixel with
// the power that lights it, then, as a polish, over all frames at once.
package refine
