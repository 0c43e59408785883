package kernel

import "fmt"

// BlendRows writes w00·src[r,c] + w01·src[r,c+1] + w10·src[r+1,c] + w11·src[r+1,c+1] to dst[r,c], of rows × cols elements;
// the rows of both begin a stride apart. It panics when what is read or written reaches beyond its slice.
func BlendRows(dst []float32, dstStride int, src []float32, srcStride, rows, cols int, w00, w01, w10, w11 float32) {
	if rows <= 0 || cols <= 0 {
		return
	}
	if len(dst) < (rows-1)*dstStride+cols || len(src) < rows*srcStride+cols+1 || dstStride < 0 || srcStride < 0 {
		panic(fmt.Sprintf("kernel: BlendRows of %d×%d with strides %d and %d in slices of %d and %d",
			rows, cols, dstStride, srcStride, len(dst), len(src)))
	}
	elem().blendRows(dst, dstStride, src, srcStride, rows, cols, w00, w01, w10, w11)
}

func blendRowsGeneric(dst []float32, dstStride int, src []float32, srcStride, rows, cols int, w00, w01, w10, w11 float32) {
	for r := range rows {
		d, s, below := dst[r*dstStride:][:cols], src[r*srcStride:][:cols+1], src[(r+1)*srcStride:][:cols+1]
		for i := range d {
			d[i] = w00*s[i] + w01*s[i+1] + w10*below[i] + w11*below[i+1]
		}
	}
}
