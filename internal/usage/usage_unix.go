//go:build unix

package usage

import (
	"os"
	"regexp"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// Now returns what the process has used so far.
func Now() Usage {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return Usage{}
	}
	unit := int64(1024)
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	u := Usage{CPU: time.Duration(r.Utime.Nano() + r.Stime.Nano()), Peak: int64(r.Maxrss) * unit}
	if own := highWater(); own > 0 {
		u.Peak = own
	}
	return u
}

var highWaterLine = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// highWater returns the largest resident memory as Linux knows it of the process alone, else 0: Getrusage gives that of
// the process from which it was forked, when that was larger.
func highWater() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	m := highWaterLine.FindSubmatch(status)
	if m == nil {
		return 0
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}
