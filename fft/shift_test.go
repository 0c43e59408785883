package fft_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/fft"
)

func TestShift(t *testing.T) {
	tests := []struct {
		h, w          int
		src, shifted  []int
		unshifted     []int
		zeroFrequency int
	}{
		{1, 4, []int{0, 1, 2, 3}, []int{2, 3, 0, 1}, []int{2, 3, 0, 1}, 2},
		{1, 5, []int{0, 1, 2, 3, 4}, []int{3, 4, 0, 1, 2}, []int{2, 3, 4, 0, 1}, 2},
		{3, 1, []int{0, 1, 2}, []int{2, 0, 1}, []int{1, 2, 0}, 1},
		{2, 3, []int{0, 1, 2, 3, 4, 5}, []int{5, 3, 4, 2, 0, 1}, []int{4, 5, 3, 1, 2, 0}, 4},
		{1, 1, []int{7}, []int{7}, []int{7}, 0},
	}
	for _, tt := range tests {
		dst, back := make([]int, len(tt.src)), make([]int, len(tt.src))
		fft.Shift(dst, tt.src, tt.h, tt.w)
		require.Equal(t, tt.shifted, dst)
		require.Equal(t, tt.src[0], dst[tt.zeroFrequency])
		fft.Unshift(back, dst, tt.h, tt.w)
		require.Equal(t, tt.src, back)
		fft.Unshift(dst, tt.src, tt.h, tt.w)
		require.Equal(t, tt.unshifted, dst)
	}
}

func TestShiftPanicsOnWrongLength(t *testing.T) {
	require.Panics(t, func() { fft.Shift(make([]int, 3), make([]int, 4), 2, 2) })
	require.Panics(t, func() { fft.Unshift(make([]int, 4), make([]int, 3), 2, 2) })
}
