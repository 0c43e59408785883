package kernel

// transpose writes scale times the transpose of the rows×cols src into the cols×rows dst.
func transpose(dst, src []float32, rows, cols int, scale float32) {
	r := 0
	for ; r+8 <= rows; r += 8 {
		transpose8(dst[r:], src[r*cols:], rows, cols, scale)
	}
	for ; r < rows; r++ {
		for c, v := range src[r*cols : (r+1)*cols] {
			dst[c*rows+r] = scale * v
		}
	}
}

// transpose8 transposes the first eight rows of src, so that what it writes is eight pixels in a row.
func transpose8(dst, src []float32, rows, cols int, scale float32) {
	s0 := src[:cols]
	s1, s2, s3 := src[cols:][:len(s0)], src[2*cols:][:len(s0)], src[3*cols:][:len(s0)]
	s4, s5, s6, s7 := src[4*cols:][:len(s0)], src[5*cols:][:len(s0)], src[6*cols:][:len(s0)], src[7*cols:][:len(s0)]
	for c := range s0 {
		d := (*[8]float32)(dst[c*rows:])
		d[0], d[1], d[2], d[3] = scale*s0[c], scale*s1[c], scale*s2[c], scale*s3[c]
		d[4], d[5], d[6], d[7] = scale*s4[c], scale*s5[c], scale*s6[c], scale*s7[c]
	}
}
