package data

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/fft"
)

// TestOrientation compares with the NumPy expressions, of which those with a reversed axis are rolled by one:
// numpy.roll(a[::-1], 1, axis=0), and so on, of a = arange(16).reshape(4, 4).
func TestOrientation(t *testing.T) {
	for o, want := range [Orientations][]float32{
		AsStored:      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		FlipY:         {0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7},
		FlipX:         {0, 3, 2, 1, 4, 7, 6, 5, 8, 11, 10, 9, 12, 15, 14, 13},
		Rot180:        {0, 3, 2, 1, 12, 15, 14, 13, 8, 11, 10, 9, 4, 7, 6, 5},
		Transpose:     {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
		Rot90:         {0, 4, 8, 12, 3, 7, 11, 15, 2, 6, 10, 14, 1, 5, 9, 13},
		Rot270:        {0, 12, 8, 4, 1, 13, 9, 5, 2, 14, 10, 6, 3, 15, 11, 7},
		AntiTranspose: {0, 12, 8, 4, 3, 15, 11, 7, 2, 14, 10, 6, 1, 13, 9, 5},
	} {
		o := Orientation(o)
		src := make([]float32, 16)
		for i := range src {
			src[i] = float32(i)
		}
		dst, back := make([]float32, 16), make([]float32, 16)
		o.Apply(dst, src, 4)
		require.Equal(t, want, dst, o)
		require.Equal(t, src[10], dst[10], "the direct beam stays")
		o.Inverse().Apply(back, dst, 4)
		require.Equal(t, src, back, o)

		shifted, turned := make([]float32, 16), make([]float32, 16)
		fft.Shift(shifted, src, 4, 4)
		o.Apply(turned, shifted, 4)
		fft.Unshift(back, turned, 4, 4)
		require.Equal(t, want, back, "the same with the direct beam elsewhere: %v", o)

		parsed, err := ParseOrientation(o.String())
		require.NoError(t, err)
		require.Equal(t, o, parsed)
	}
	_, err := ParseOrientation("sideways")
	require.EqualError(t, err, `orientation "sideways" is none of as stored, flip_y, flip_x, rot180, transpose, rot90, rot270, anti-transpose`)
	require.Equal(t, "Orientation(8)", Orientation(8).String())
	require.Panics(t, func() { Orientation(8).Apply(make([]float32, 4), make([]float32, 4), 2) })
	require.Panics(t, func() { FlipX.Apply(make([]float32, 9), make([]float32, 9), 3) })
	require.Panics(t, func() { FlipX.Apply(make([]float32, 4), make([]float32, 3), 2) })
}

func TestOriented(t *testing.T) {
	d := measuredScene(5, 16, 1e5, true)
	path := writeArrays(t, fileOf(d))
	d.Mask = make([]bool, 256)
	d.Mask[3*16+5] = true
	stream, err := Load(path, LoadOptions{Stream: true})
	require.NoError(t, err)
	defer stream.Close()
	want := make(Intensity, 256)
	for o := range Orientation(Orientations) {
		got, err := d.Oriented(o)
		require.NoError(t, err)
		fromFile, err := stream.Oriented(o)
		require.NoError(t, err)
		require.True(t, fromFile.InMemory())
		require.Equal(t, got.Frames, fromFile.Frames)
		require.Nil(t, fromFile.Mask)
		for i := range 5 {
			o.Apply(want, d.Frame(i), 16)
			require.Equal(t, want, got.Frame(i))
		}
		require.Equal(t, o.source(3, 5, 16) == 3*16+5, got.Mask[3*16+5])
		require.Len(t, indices(got.Mask), 1)
		back, err := got.Oriented(o.Inverse())
		require.NoError(t, err)
		require.Equal(t, d, back)
	}
	require.NoError(t, stream.Close())
	_, err = stream.Oriented(FlipX)
	require.Error(t, err, "the file is closed")
}
