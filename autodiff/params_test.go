package autodiff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/autodiff"
)

// fill adds a tensor of rows×2 elements that count from first.
func fill(p *autodiff.Params, name string, rows int, first float32) {
	p.New(name, autodiff.Shape{rows, 2}, func(v []float32) {
		for i := range v {
			v[i] = first + float32(i)
		}
	})
}

func TestDeferredParamsAreTheSame(t *testing.T) {
	want, got := autodiff.NewParams(), autodiff.NewParams()
	for _, p := range []*autodiff.Params{want, got} {
		fill(p, "before", 1, 5)
	}
	got.Defer()
	for _, p := range []*autodiff.Params{want, got} {
		fill(p, "a", 3, 10)
		p.New("zero", autodiff.Shape{3}, nil)
		fill(p, "b", 40, 100)
	}
	require.Len(t, got.Data, 2, "nothing is made yet")
	got.Allocate()
	require.Equal(t, want.Data, got.Data)
	require.Equal(t, want.All(), got.All())
	for _, p := range []*autodiff.Params{want, got} {
		fill(p, "after", 1, 1)
	}
	require.Equal(t, want.Data, got.Data)
}
