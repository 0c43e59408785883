//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package train

// lock takes nothing on this system.
func lock(string) (unlock func(), err error) { return func() {}, nil }
