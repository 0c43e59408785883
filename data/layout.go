package data

import "fmt"

// frameAxes says how an array holds frames.
type frameAxes struct {
	n, side int
	last    bool // frame index last, (N, N, n)
	fortran bool // stored first axis fastest
}

// interleaved tells whether neighbours in the file belong to different frames.
func (a frameAxes) interleaved() bool { return a.last != a.fortran }

// place returns the frame of element e in stored order, and its pixel in row-major order.
func (a frameAxes) place(e int) (frame, pixel int) {
	if a.interleaved() {
		frame, pixel = e%a.n, e/a.n
	} else {
		frame, pixel = e/(a.side*a.side), e%(a.side*a.side)
	}
	return frame, a.pixel(pixel)
}

// pixel returns which pixel, in row-major order, is number i in stored order.
func (a frameAxes) pixel(i int) int {
	if a.fortran {
		return i%a.side*a.side + i/a.side
	}
	return i
}

// scatter puts elements in stored order, src[0] being number from, where they belong in (n, N, N).
func scatter[T any](dst, src []T, from int, a frameAxes) {
	if !a.interleaved() && !a.fortran {
		copy(dst[from:], src)
		return
	}
	for i, v := range src {
		frame, pixel := a.place(from + i)
		dst[frame*a.side*a.side+pixel] = v
	}
}

// dropUnitAxes removes trailing, then leading axes of length one while there are more than rank axes.
func dropUnitAxes(shape []int, rank int) []int {
	for len(shape) > rank && shape[len(shape)-1] == 1 {
		shape = shape[:len(shape)-1]
	}
	for len(shape) > rank && shape[0] == 1 {
		shape = shape[1:]
	}
	return shape
}

// findAxes finds the frame axis of an array, the one of length n whose two fellows are equal. Where both
// ends would do, the first is taken and ambiguous is true. A layout other than "" settles it. A negative n
// is unknown: then the layout, or the pair of equal axes, decides.
func findAxes(shape []int, n int, layout string) (axes frameAxes, ambiguous, ok bool) {
	s := dropUnitAxes(shape, 3)
	if len(s) != 3 {
		return frameAxes{}, false, false
	}
	first := s[1] == s[2] && (s[0] == n || n < 0) && layout != LayoutHWN
	last := s[0] == s[1] && (s[2] == n || n < 0) && layout != LayoutNHW
	switch {
	case first:
		return frameAxes{n: s[0], side: s[1]}, last, true
	case last:
		return frameAxes{n: s[2], side: s[0], last: true}, false, true
	}
	return frameAxes{}, false, false
}

// layoutWanted describes to the user what findAxes looks for.
func layoutWanted(n int, layout string) string {
	count := "n"
	if n >= 0 {
		count = fmt.Sprint(n)
	}
	switch layout {
	case LayoutNHW:
		return fmt.Sprintf("shape (%s, N, N)", count)
	case LayoutHWN:
		return fmt.Sprintf("shape (N, N, %s)", count)
	}
	return fmt.Sprintf("shape (%s, N, N) or (N, N, %s)", count, count)
}

// framesLast returns v, (n, N, N), as (N, N, n).
func framesLast[T any](v []T, n, side int) []T {
	dst := make([]T, len(v))
	pixels := side * side
	for k := range n {
		for p, x := range v[k*pixels : (k+1)*pixels] {
			dst[p*n+k] = x
		}
	}
	return dst
}
