// Package bench measures what the program can do on a machine: its vector kernels beside the peak of a core, and
// whole training steps and inferences on simulated scans, in the code that a user runs.
package bench
