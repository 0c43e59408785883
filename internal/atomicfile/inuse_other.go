//go:build !windows

package atomicfile

// inUse reports whether a file could not be replaced because a process has it open, which happens on Windows only.
func inUse(error) bool { return false }
