//go:build (!amd64 && !arm64) || purego

package kernel

// machineImplementations returns the assembly implementations this machine can run, best last: none.
func machineImplementations() []*implementation { return nil }
