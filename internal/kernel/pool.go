package kernel

import "fmt"

// The functions of this file treat one row of a small channels-last image and two rows, top and bottom, of an image
// twice as large. A pixel of the small row has four pixels: 2x and 2x+1 of the top and of the bottom row.

// MaxPool computes dst, [W,C], as the largest of each four pixels of top and bottom, at least [2W,C]; NaN is the
// largest of all. It panics when lengths do not fit.
func MaxPool(dst, top, bottom []float32, channels int) {
	fits("MaxPool", channels, len(dst), len(top), len(bottom))
	elem().maxPool(dst, top, bottom, channels)
}

// MaxPoolGrad adds dy, the gradient of y = MaxPool(top, bottom), to the first of the four pixels, in reading order,
// that has the value y. It panics when lengths do not fit.
func MaxPoolGrad(dtop, dbottom, top, bottom, y, dy []float32, channels int) {
	equalLen("MaxPoolGrad", len(y), len(dy))
	fits("MaxPoolGrad", channels, len(y), len(dtop), len(dbottom), len(top), len(bottom))
	elem().maxPoolGrad(dtop, dbottom, top, bottom, y, dy, channels)
}

// Upsample copies each pixel of src, [W,C], to the four of top and bottom, at least [2W,C]. It panics when lengths do
// not fit.
func Upsample(top, bottom, src []float32, channels int) {
	fits("Upsample", channels, len(src), len(top), len(bottom))
	elem().upsample(top, bottom, src, channels)
}

// UpsampleGrad adds the sum of each four pixels of dtop and dbottom, at least [2W,C], to dsrc, [W,C]. It panics when
// lengths do not fit.
func UpsampleGrad(dsrc, dtop, dbottom []float32, channels int) {
	fits("UpsampleGrad", channels, len(dsrc), len(dtop), len(dbottom))
	elem().upsampleGrad(dsrc, dtop, dbottom, channels)
}

// fits panics unless small elements are whole pixels and all large rows hold twice as many.
func fits(name string, channels, small int, large ...int) {
	if channels < 1 || small%channels != 0 {
		panic(fmt.Sprintf("kernel: %s of %d elements in pixels of %d", name, small, channels))
	}
	for _, n := range large {
		if n < 2*small {
			panic(fmt.Sprintf("kernel: %s of rows of %d and %d elements", name, small, n))
		}
	}
}

func maxPoolGeneric(dst, top, bottom []float32, channels int) {
	for x := 0; x < len(dst); x += channels {
		d := dst[x:][:channels]
		s0, s1 := top[2*x:][:channels], top[2*x+channels:][:channels]
		s2, s3 := bottom[2*x:][:channels], bottom[2*x+channels:][:channels]
		for i := range d {
			d[i] = max(s0[i], s1[i], s2[i], s3[i])
		}
	}
}

func maxPoolGradGeneric(dtop, dbottom, top, bottom, y, dy []float32, channels int) {
	for x := 0; x < len(y); x += channels {
		for i := x; i < x+channels; i++ {
			left, right := i+x, i+x+channels
			switch y[i] {
			case top[left]:
				dtop[left] += dy[i]
			case top[right]:
				dtop[right] += dy[i]
			case bottom[left]:
				dbottom[left] += dy[i]
			default:
				dbottom[right] += dy[i]
			}
		}
	}
}

func upsampleGeneric(top, bottom, src []float32, channels int) {
	for x := 0; x < len(src); x += channels {
		s := src[x:][:channels]
		copy(top[2*x:], s)
		copy(top[2*x+channels:], s)
		copy(bottom[2*x:], s)
		copy(bottom[2*x+channels:], s)
	}
}

func upsampleGradGeneric(dsrc, dtop, dbottom []float32, channels int) {
	for x := 0; x < len(dsrc); x += channels {
		d := dsrc[x:][:channels]
		s0, s1 := dtop[2*x:][:channels], dtop[2*x+channels:][:channels]
		s2, s3 := dbottom[2*x:][:channels], dbottom[2*x+channels:][:channels]
		for i := range d {
			d[i] += s0[i] + s1[i] + (s2[i] + s3[i])
		}
	}
}
