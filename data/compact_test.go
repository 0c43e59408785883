package data

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/fft"
)

// wantCompact returns what Compact is to read of frame i.
func wantCompact(d *Dataset, i int, opt CompactOptions) []float32 {
	n := d.N
	turned, dst := make([]float32, n*n), make([]float32, n*n)
	frame := slices.Clone(d.Frame(i))
	for p, v := range frame {
		masked := opt.Mask != nil && opt.Mask[p] || d.Mask != nil && d.Mask[p]
		if masked || !(v >= 0) || opt.Ceiling > 0 && v >= opt.Ceiling {
			frame[p] = -1
		}
	}
	opt.Orientation.Apply(turned, frame, n)
	fft.Unshift(dst, turned, n, n)
	return dst
}

func TestCompact(t *testing.T) {
	const n, side = 6, 16
	mask := func(pixels ...int) []bool {
		m := make([]bool, side*side)
		for _, p := range pixels {
			m[p] = true
		}
		return m
	}
	set := func(v float32) func(*Dataset) { return func(d *Dataset) { d.Frames[2*side*side+37] = v } }
	small, all, most := int64(2*n*side*side), int64(4*n*side*side), int64(2*(n+1)*side*side)
	for name, c := range map[string]struct {
		change func(*Dataset)
		opt    CompactOptions
		kind   string
		bytes  int64
	}{
		"counts":                  {func(*Dataset) {}, CompactOptions{}, "uint16", small},
		"large":                   {set(65534), CompactOptions{}, "uint16", small},
		"too large":               {set(65535), CompactOptions{}, "uint16 and float32", most},
		"far too large":           {set(1 << 20), CompactOptions{}, "uint16 and float32", most},
		"beyond integers":         {set(3e38), CompactOptions{}, "uint16 and float32", most},
		"a fraction":              {set(0.5), CompactOptions{}, "uint16 and float32", most},
		"not measured":            {set(-1), CompactOptions{}, "uint16", small},
		"NaN":                     {set(float32(math.NaN())), CompactOptions{}, "uint16", small},
		"too large, not measured": {set(1 << 20), CompactOptions{Ceiling: 1 << 20}, "uint16", small},
		"ceiling":                 {func(*Dataset) {}, CompactOptions{Ceiling: 100}, "uint16", small},
		"fractions":               {func(d *Dataset) { rescale(d.Frames, 0.7) }, CompactOptions{Orientation: Rot90, Mask: mask(5)}, "float32", all},
		"masks": {
			func(d *Dataset) { d.Mask = mask(0, 17) },
			CompactOptions{Mask: mask(17, 200, 136), Orientation: FlipY},
			"uint16", small,
		},
		"turned": {func(*Dataset) {}, CompactOptions{Orientation: Rot270, Limit: small}, "uint16", small},
	} {
		t.Run(name, func(t *testing.T) {
			d := measuredScene(n, side, 1e5, true)
			c.change(d)
			kept, err := d.Compact(c.opt)
			require.NoError(t, err)
			require.Equal(t, []any{n, side, c.kind, c.bytes, true}, []any{kept.Len(), kept.N(), kept.Type(), kept.Bytes(), kept.Kept()})
			opt := c.opt
			opt.Limit = c.bytes - 1
			passed, err := d.Compact(opt)
			require.NoError(t, err)
			require.Equal(t, []any{n, side, "", int64(0), false}, []any{passed.Len(), passed.N(), passed.Type(), passed.Bytes(), passed.Kept()})
			got := make([]float32, side*side)
			for i := range n {
				want := wantCompact(d, i, c.opt)
				for _, frames := range []*Compact{kept, passed} {
					require.NoError(t, frames.Read(got, i))
					require.Equal(t, want, got)
				}
			}
		})
	}
}

// TestCompactStream compares with frames in memory, by several goroutines.
func TestCompactStream(t *testing.T) {
	const n, side = 40, 32
	d := measuredScene(n, side, 1e5, true)
	for _, deflate := range []bool{false, true} {
		members := map[string][]byte{}
		for name, a := range fileOf(d) {
			members[name] = encoded(t, a)
		}
		stream, err := Load(writeMembers(t, deflate, members), LoadOptions{Stream: true})
		require.NoError(t, err)
		part := stream.Select([]int{7, 3, 30})
		for _, opt := range []CompactOptions{{}, {Limit: 1}} {
			c, err := stream.Compact(opt)
			require.NoError(t, err)
			require.Equal(t, opt.Limit == 0, c.Kept())
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					got := make([]float32, side*side)
					for i := range n {
						if err := c.Read(got, i); err != nil || !slices.Equal(wantCompact(d, i, opt), got) {
							t.Errorf("frame %d differs: %v", i, err)
						}
					}
				})
			}
			wg.Wait()
			got := make([]float32, side*side)
			few, err := part.Compact(opt)
			require.NoError(t, err)
			require.Equal(t, 3, few.Len())
			require.NoError(t, few.Read(got, 1))
			require.Equal(t, wantCompact(d, 3, opt), got)
		}
		c, err := stream.Compact(CompactOptions{Limit: 1})
		require.NoError(t, err)
		require.NoError(t, stream.Close())
		_, err = stream.Compact(CompactOptions{})
		require.ErrorContains(t, err, "frame ")
		require.Error(t, c.Read(make([]float32, side*side), 0), "the file is closed")
	}
}

func TestCompactMemory(t *testing.T) {
	const n, side = 300, 64
	d := measuredScene(1, side, 1e5, true)
	frame := d.Frames
	d.Frames, d.X, d.Y = nil, make([]float64, n), make([]float64, n)
	for range n {
		d.Frames = append(d.Frames, frame...)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c, err := d.Compact(CompactOptions{})
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	const few = 4 * side * side * 10
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(c.Bytes()+few*int64(runtime.GOMAXPROCS(0))))
	dst := make([]float32, side*side)
	require.Zero(t, testing.AllocsPerRun(10, func() {
		if err := c.Read(dst, 17); err != nil {
			panic(err)
		}
	}))
}

func TestCompactErrors(t *testing.T) {
	d := measuredScene(3, 16, 1e5, true)
	_, err := d.Compact(CompactOptions{Mask: make([]bool, 64)})
	require.ErrorContains(t, err, "expected a mask of 16×16 pixels, found 64 elements")
	c, err := d.Compact(CompactOptions{})
	require.NoError(t, err)
	require.Panics(t, func() { _ = c.Read(make([]float32, 255), 0) })
	d.Frames = nil
	_, err = d.Compact(CompactOptions{})
	require.ErrorContains(t, err, "expected 3 frames, found none")
}

func BenchmarkCompactRead(b *testing.B) {
	d := measuredScene(2, 128, 1e5, true)
	c, err := d.Compact(CompactOptions{})
	require.NoError(b, err)
	dst := make([]float32, 128*128)
	for b.Loop() {
		_ = c.Read(dst, 1)
	}
}
