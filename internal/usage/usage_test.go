package usage

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNowGrowsWithUse(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the operating system does not tell")
	}
	before := Now()
	buf := make([]byte, 64<<20)
	for i := range buf {
		buf[i] = byte(i * i)
	}
	after := Now()
	runtime.KeepAlive(buf)
	require.GreaterOrEqual(t, after.Peak, int64(64<<20))
	require.Greater(t, after.CPU, before.CPU)
	require.Less(t, after.CPU-before.CPU, time.Minute, "nanoseconds, not another unit")
}
