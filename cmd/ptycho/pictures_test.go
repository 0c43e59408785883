package main

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/data"
	"ptycho/metrics"
	"ptycho/recon"
	"ptycho/render"
)

// TestPicturesCountObjectPixels has a canvas whose element [0,0] lies at row -7, column 1000, of which two rows and three
// columns at the corner were not measured.
func TestPicturesCountObjectPixels(t *testing.T) {
	const rows, cols = 9, 14
	r := &recon.Reconstruction{
		Object:   &data.Image{Rows: rows, Cols: cols, Pix: make([]complex64, rows*cols)},
		Coverage: make([]float32, rows*cols), Origin: [2]int64{-7, 1000},
	}
	for i := range r.Object.Pix {
		r.Object.Pix[i] = complex64(cmplx.Rect(float64(i), 2))
		if i/cols >= 2 && i%cols >= 3 && i != 5*cols+6 {
			r.Coverage[i] = 1
		}
	}
	amp, phase := figures(r)
	for _, f := range []render.Figure{amp, phase} {
		require.Equal(t, []int{-5, 1003, 7, 11}, []int{f.Row, f.Col, f.Rows, f.Cols})
		for i := range f.Values {
			require.Equal(t, i != 3*11+3, f.Mask[i], i)
		}
	}
	require.InDelta(t, 2*cols+3, amp.Values[0], 1e-4)
	require.InDelta(t, 8*cols+13, amp.Values[7*11-1], 1e-4)
	for _, v := range phase.Values {
		require.InDelta(t, 0, v, 1e-6, "the mean phase is turned away")
	}
}

func TestComparisonCountsObjectPixels(t *testing.T) {
	const side = 12
	s := &scores{TruthScores: &TruthScores{Box: recon.Box{R0: 40, R1: 40 + side, C0: -3, C1: -3 + side}}}
	pix := make([]complex128, side*side)
	for i := range pix {
		pix[i] = cmplx.Rect(1+0.01*float64(i), math.Sin(float64(i*i)))
	}
	s.rec, s.truth = metrics.NewImage(side, side, make([]complex128, side*side)), metrics.NewImage(side, side, pix)
	for i, v := range pix {
		s.rec.Pix[i] = 3i * v * cmplx.Rect(1, 0.2*float64(i/side)) // a factor and a plane off
	}
	figs := comparison(s)
	require.Len(t, figs, 4)
	for i, f := range figs {
		require.Equal(t, []int{40, -3, side, side}, []int{f.Row, f.Col, f.Rows, f.Cols})
		require.InDeltaSlice(t, figs[i/2*2].Values, f.Values, 1e-5, "factor and plane are taken out")
		require.Equal(t, figs[i/2*2].Map, f.Map)
	}
	require.InDelta(t, 1+0.01*17, figs[2].Values[17], 1e-5)
	require.InDelta(t, 1.01, *figs[2].VMin, 1e-5, "the 1 % quantile of the known object")
	require.InDelta(t, 2.42, *figs[2].VMax, 1e-5)
}
