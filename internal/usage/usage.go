// Package usage tells what the process has used of the machine.
package usage

import "time"

// Usage is what the process has used so far; fields that the operating system does not tell are zero.
type Usage struct {
	CPU  time.Duration // user and system time
	Peak int64         // largest resident memory, bytes
}
