package recon

import (
	"fmt"
	"math"

	"ptycho/data"
	"ptycho/internal/kernel"
	"ptycho/physics"
)

// Canvas collects object patches, each at its own absolute position in object pixels, as a weighted mean.
type Canvas struct {
	Rows, Cols int
	Row, Col   int // of element [0,0] in the object frame of the scan

	n       int
	weights []float32 // of the pixels of a patch, n×n
	sum     [2][]float32
	weight  []float32
	tmp     []float32
}

// NewCanvas returns a canvas that holds patches of side n at all positions x (columns) and y (rows) of their
// centres.
func NewCanvas(x, y []float64, n int, weights []float32) (*Canvas, error) {
	if len(x) == 0 || len(x) != len(y) || len(weights) != n*n {
		panic(fmt.Sprintf("recon: %d and %d positions, %d weights for patches of side %d", len(x), len(y), len(weights), n))
	}
	row0, row1 := span(y, n)
	col0, col1 := span(x, n)
	c := &Canvas{Rows: row1 - row0, Cols: col1 - col0, Row: row0, Col: col0, n: n, weights: weights}
	const limit = 1 << 28
	if c.Rows > limit/c.Cols {
		return nil, fmt.Errorf("the scan spans %d×%d object pixels, more than memory is made for; are its positions in pixels?", c.Rows, c.Cols)
	}
	for i := range c.sum {
		c.sum[i] = make([]float32, c.Rows*c.Cols)
	}
	c.weight = make([]float32, c.Rows*c.Cols)
	c.tmp = make([]float32, n*n)
	return c, nil
}

// span returns the first pixel and the one past the last that windows of side n around v touch.
func span(v []float64, n int) (from, to int) {
	low, high := v[0], v[0]
	for _, x := range v {
		low, high = min(low, x), max(high, x)
	}
	return int(math.Floor(low)) - n/2, int(math.Ceil(high)) - n/2 + n
}

// Add puts a patch, n×n planes, with its centre (element [n/2,n/2]) at (x, y).
func (c *Canvas) Add(re, im []float32, x, y float64) {
	top, left := y-float64(c.Row)-float64(c.n/2), x-float64(c.Col)-float64(c.n/2)
	for k, plane := range [2][]float32{re, im} {
		kernel.Mul(c.tmp, plane, c.weights)
		physics.Scatter(c.sum[k], c.Rows, c.Cols, c.tmp, c.n, top, left)
	}
	physics.Scatter(c.weight, c.Rows, c.Cols, c.weights, c.n, top, left)
}

// Object returns the weighted mean of the patches and the summed weights. Where the weight is below 1e-6 of
// its maximum nothing was measured: both are zero there.
func (c *Canvas) Object() (object *data.Image, coverage []float32) {
	object = &data.Image{Rows: c.Rows, Cols: c.Cols, Pix: make([]complex64, c.Rows*c.Cols)}
	coverage = make([]float32, len(c.weight))
	top := float32(0)
	for _, w := range c.weight {
		top = max(top, w)
	}
	for i, w := range c.weight {
		if w > 1e-6*top {
			object.Pix[i] = complex(c.sum[0][i]/w, c.sum[1][i]/w)
			coverage[i] = w
		}
	}
	return object, coverage
}
