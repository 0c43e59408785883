package kernel

import "unsafe"

// An fftPass runs one stage of the transform on a strip, as many adjacent columns as there are lanes in a vector. Rows
// are dstRow and srcRow bytes apart. The twiddle factors are those of fftStage.
type fftPass func(dstRe, dstIm *float32, dstRow int, srcRe, srcIm *float32, srcRow int, groups, stride int, twiddles *float32)

// An fftTranspose writes scale times the transposes of square blocks, as wide as a vector, of two planes. Rows are
// dstRow and srcRow bytes apart, blocks dstStep and srcStep.
type fftTranspose func(dstRe, dstIm *float32, dstRow, dstStep int, srcRe, srcIm *float32, srcRow, srcStep, blocks int,
	scale float32)

// An fftSet holds an implementation's kernels of the Fourier transform.
type fftSet struct {
	lanes     int // floats in a vector
	maxBits   int // log2 of the greatest radix
	pass      [9]fftPass
	transpose fftTranspose
}

// vectorFFT takes the image strip by strip through two buffers that stay in the first-level cache: the columns as they
// are, then the rows transposed. In between, the work space holds the strips one after the other, which spares the
// cache the conflicts of rows that are a power of two apart. The last strip overlaps the one before where the length
// is not a multiple of the vector.
type vectorFFT struct {
	*fftSet
	h, w       int
	cols, rows []fftStage
	scale      float32
}

func newVectorFFT(h, w int, set *fftSet) *vectorFFT {
	return &vectorFFT{
		fftSet: set, h: h, w: w, scale: unitary(h, w),
		cols: newStages(h, set.maxBits), rows: newStages(w, set.maxBits),
	}
}

// stripLen is the length of a strip of n rows, each a vector of real and one of imaginary parts.
func (v *vectorFFT) stripLen(n int) int { return 2 * v.lanes * n }

// workLen is room for all strips and two buffers, and to align them.
func (v *vectorFFT) workLen() int {
	strips := (v.w + v.lanes - 1) / v.lanes
	return strips*v.stripLen(v.h) + 2*v.stripLen(max(v.h, v.w)) + alignFloats - 1
}

func (v *vectorFFT) transform(re, im, work []float32) {
	work = aligned(work)
	size := v.stripLen(max(v.h, v.w))
	a, b, strips := v.strip(work), v.strip(work[size:]), v.strip(work[2*size:])
	img := fftRows{&re[0], &im[0], floatBytes * v.w}
	for c := 0; c < v.w; c += v.lanes {
		strip := strips.add(c / v.lanes * v.h * strips.row)
		v.columns(strip, img.add(floatBytes*min(c, v.w-v.lanes)), a, b)
	}
	for r := 0; r < v.h; r += v.lanes {
		r := min(r, v.h-v.lanes)
		v.lines(img.add(r*img.row), strips.add(r*strips.row), a, b)
	}
}

// columns transforms a strip of src along its columns by way of the buffers a and b.
func (v *vectorFFT) columns(dst, src, a, b fftRows) {
	last := len(v.cols) - 1
	for i := range last {
		v.stage(&v.cols[i], a, src)
		src, a, b = a, b, a
	}
	v.stage(&v.cols[last], dst, src)
}

// lines transforms as many rows of the strips from src as there are lanes by way of the buffers a and b.
func (v *vectorFFT) lines(dst, src, a, b fftRows) {
	full, past := v.w/v.lanes, v.w-v.lanes
	size := v.h * src.row
	v.transposes(a, v.lanes*a.row, src, size, full, v.scale)
	if v.w%v.lanes > 0 {
		v.transposes(a.add(past*a.row), 0, src.add(full*size), 0, 1, v.scale)
	}
	for i := range v.rows {
		v.stage(&v.rows[i], b, a)
		a, b = b, a
	}
	v.transposes(dst, v.lanes*floatBytes, a, v.lanes*a.row, full, 1)
	if v.w%v.lanes > 0 {
		v.transposes(dst.add(past*floatBytes), 0, a.add(past*a.row), 0, 1, 1)
	}
}

// transposes transposes blocks that are dstStep and srcStep bytes apart.
func (v *vectorFFT) transposes(dst fftRows, dstStep int, src fftRows, srcStep, blocks int, scale float32) {
	v.transpose(dst.re, dst.im, dst.row, dstStep, src.re, src.im, src.row, srcStep, blocks, scale)
}

// stage runs a stage on a strip.
func (v *vectorFFT) stage(s *fftStage, dst, src fftRows) {
	v.pass[s.radix](dst.re, dst.im, dst.row, src.re, src.im, src.row, s.groups, s.stride, &s.twiddles[0])
}

// strip returns a strip in buf.
func (v *vectorFFT) strip(buf []float32) fftRows {
	return fftRows{&buf[0], &buf[v.lanes], 2 * floatBytes * v.lanes}
}

const floatBytes = 4

// fftRows are rows of complex numbers that are a number of bytes apart.
type fftRows struct {
	re, im *float32
	row    int
}

// add returns the rows from a place that is a number of bytes further on.
func (r fftRows) add(bytes int) fftRows {
	r.re = (*float32)(unsafe.Add(unsafe.Pointer(r.re), bytes))
	r.im = (*float32)(unsafe.Add(unsafe.Pointer(r.im), bytes))
	return r
}
