//go:build !race

// Package race tells tests whether the race detector is on.
package race

// Enabled tells that the race detector is on, under which a sync.Pool forgets at random.
const Enabled = false
