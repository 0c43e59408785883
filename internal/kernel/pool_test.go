package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A poolRun holds the slices of the kernels of a change of scale: rows of w pixels and of twice as many.
type poolRun struct {
	channels               int
	small, dsmall          []float32
	top, bottom            []float32
	dtop, dbottom          []float32
	enlarged, enlargedNext []float32
}

// newPoolRun fills the rows with few different values, so that maxima are shared, and NaN now and then.
func newPoolRun(w, channels int) *poolRun {
	row := func(seed uint64, pixels int) []float32 {
		x := random(seed, pixels*channels)
		for i := range x {
			x[i] = float32(math.Round(float64(2 * x[i])))
			if i%41 == 40 {
				x[i] = float32(math.NaN())
			}
		}
		return x
	}
	return &poolRun{
		channels: channels,
		small:    row(1, w), dsmall: row(2, w), top: row(3, 2*w), bottom: row(4, 2*w), dtop: row(5, 2*w),
		dbottom: row(6, 2*w), enlarged: row(7, 2*w), enlargedNext: row(8, 2*w),
	}
}

func (p *poolRun) slices() []*[]float32 {
	return []*[]float32{
		&p.small, &p.dsmall, &p.top, &p.bottom, &p.dtop, &p.dbottom, &p.enlarged, &p.enlargedNext,
	}
}

// all runs all kernels, those of the implementation in use.
func (p *poolRun) all() {
	MaxPool(p.small, p.top, p.bottom, p.channels)
	MaxPoolGrad(p.dtop, p.dbottom, p.top, p.bottom, p.small, p.dsmall, p.channels)
	Upsample(p.enlarged, p.enlargedNext, p.small, p.channels)
	UpsampleGrad(p.dsmall, p.top, p.bottom, p.channels)
}

// define does what all does, by the definitions.
func (p *poolRun) define() {
	c := p.channels
	for i := range p.small {
		left, right := i+i/c*c, i+i/c*c+c
		at := []*float32{&p.top[left], &p.top[right], &p.bottom[left], &p.bottom[right]}
		d := []*float32{&p.dtop[left], &p.dtop[right], &p.dbottom[left], &p.dbottom[right]}
		first := 3
		for k := 3; k >= 0; k-- {
			if *at[k] == max(*at[0], *at[1], *at[2], *at[3]) {
				first = k
			}
		}
		p.small[i] = max(*at[0], *at[1], *at[2], *at[3])
		*d[first] += p.dsmall[i]
		p.enlarged[left], p.enlarged[right] = p.small[i], p.small[i]
		p.enlargedNext[left], p.enlargedNext[right] = p.small[i], p.small[i]
		p.dsmall[i] += *at[0] + *at[1] + (*at[2] + *at[3])
	}
}

// same compares the rows; a NaN is a NaN, and zeros are equal.
func (p *poolRun) same(t *testing.T, q *poolRun) {
	t.Helper()
	other := q.slices()
	for i, s := range p.slices() {
		require.Equal(t, fmt.Sprint(values(*s)), fmt.Sprint(values(*other[i])), "slice %d", i)
	}
}

// values returns x without the signs of zeros.
func values(x []float32) []float32 {
	v := slices.Clone(x)
	for i := range v {
		v[i] += 0
	}
	return v
}

var poolSizes = [][2]int{{0, 3}, {1, 1}, {2, 3}, {5, 7}, {4, 8}, {3, 15}, {2, 16}, {3, 17}, {2, 33}, {16, 64}, {1, 70}}

func TestPool(t *testing.T) {
	implemented(t, func(t *testing.T) {
		for _, s := range poolSizes {
			want, got := newPoolRun(s[0], s[1]), newPoolRun(s[0], s[1])
			for i, x := range got.slices() {
				*x = between(*x, (i+s[1])%16)
			}
			want.define()
			got.all()
			want.same(t, got)
			for _, x := range got.slices() {
				if len(*x) > 0 {
					untouched(t, *x)
				}
			}
		}
	})
}

func TestPoolMisuse(t *testing.T) {
	row := func(n int) []float32 { return make([]float32, n) }
	for _, f := range []func(){
		func() { MaxPool(row(6), row(12), row(12), 4) },
		func() { MaxPool(row(6), row(12), row(12), 0) },
		func() { MaxPool(row(6), row(11), row(12), 3) },
		func() { MaxPool(row(6), row(12), row(11), 3) },
		func() { MaxPoolGrad(row(12), row(12), row(12), row(12), row(6), row(5), 3) },
		func() { MaxPoolGrad(row(11), row(12), row(12), row(12), row(6), row(6), 3) },
		func() { MaxPoolGrad(row(12), row(11), row(12), row(12), row(6), row(6), 3) },
		func() { MaxPoolGrad(row(12), row(12), row(12), row(11), row(6), row(6), 3) },
		func() { Upsample(row(12), row(11), row(6), 3) },
		func() { UpsampleGrad(row(6), row(11), row(12), 3) },
		func() { AddRows(row(10), 5, row(8), 4, 2, 6, 1) },
		func() { AddRows(row(11), 5, row(9), 4, 2, 6, 1) },
		func() { AddRows(row(11), -5, row(10), 4, 2, 6, 1) },
	} {
		require.Panics(t, f)
	}
	require.NotPanics(t, func() { AddRows(row(11), 5, row(10), 4, 2, 6, 1) })
	require.NotPanics(t, func() { AddRows(nil, 5, nil, 4, 0, 6, 1) })
	require.NotPanics(t, func() { AddRows(nil, 5, nil, 4, 2, 0, 1) })
}

func TestAddRows(t *testing.T) {
	implemented(t, func(t *testing.T) {
		for rows := range 4 {
			for cols := range 40 {
				ds, ss := cols+rows, cols+3
				dst, src := between(random(1, 4*ds+1), cols%16), random(2, 4*ss+1)
				want := slices.Clone(dst)
				for r := range rows {
					for i := range cols {
						want[r*ds+i] += w32 * src[r*ss+i]
					}
				}
				AddRows(dst, ds, src, ss, rows, cols, w32)
				for i, v := range want {
					require.InDelta(t, v, dst[i], 1e-6, "%d×%d: element %d", rows, cols, i)
				}
				untouched(t, dst)
			}
		}
	})
}
