//go:build race

package race

// Enabled tells that the race detector is on, under which a sync.Pool forgets at random.
const Enabled = true
