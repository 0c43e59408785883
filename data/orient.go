package data

import (
	"fmt"
	"slices"
	"strings"
)

// Orientation is one of the eight ways in which a detector image can be turned and mirrored. Its value says what is to
// be done to a stored frame: first exchange rows and columns (4), then reverse the rows (1), then the columns (2).
//
// The direct beam stays where it is, at [N/2, N/2] as well as at [0, 0]: on a frame of even side, reversing an axis takes
// element i to (N−i) mod N, which is NumPy's roll(frame[::-1], 1, axis=0) for the rows. That is what becomes of a frame
// when the detector is mirrored and the image centred again. The expressions below leave this roll out.
type Orientation int

// The orientations, as NumPy expressions.
const (
	AsStored      Orientation = iota // frame
	FlipY                            // frame[::-1]
	FlipX                            // frame[:, ::-1]
	Rot180                           // frame[::-1, ::-1]
	Transpose                        // frame.T
	Rot90                            // rot90(frame) = frame.T[::-1]
	Rot270                           // rot90(frame, 3) = frame.T[:, ::-1]
	AntiTranspose                    // frame.T[::-1, ::-1]
)

// Orientations is their number.
const Orientations = 8

var orientationNames = [Orientations]string{"as stored", "flip_y", "flip_x", "rot180", "transpose", "rot90", "rot270", "anti-transpose"}

// String returns the name, as in "flip_y".
func (o Orientation) String() string {
	if o < 0 || o >= Orientations {
		return fmt.Sprintf("Orientation(%d)", int(o))
	}
	return orientationNames[o]
}

// ParseOrientation returns the orientation of a name that String gives. An error names all of them.
func ParseOrientation(name string) (Orientation, error) {
	if i := slices.Index(orientationNames[:], name); i >= 0 {
		return Orientation(i), nil
	}
	return 0, fmt.Errorf("orientation %q is none of %s", name, strings.Join(orientationNames[:], ", "))
}

// Inverse returns the orientation that undoes o.
func (o Orientation) Inverse() Orientation {
	switch o {
	case Rot90:
		return Rot270
	case Rot270:
		return Rot90
	}
	return o
}

// source returns which pixel of an n×n frame comes to row r and column c.
func (o Orientation) source(r, c, n int) int {
	if o&FlipY != 0 {
		r = (n - r) % n
	}
	if o&FlipX != 0 {
		c = (n - c) % n
	}
	if o&Transpose != 0 {
		r, c = c, r
	}
	return r*n + c
}

// Apply writes the n×n frame src, turned, to dst, which must not share its memory. The direct beam may be at [n/2, n/2] or at
// [0, 0]. It panics on an odd side, other lengths, and a value that is no orientation.
func (o Orientation) Apply(dst, src []float32, n int) { turn(dst, src, n, o) }

func turn[T any](dst, src []T, n int, o Orientation) {
	if o < 0 || o >= Orientations || n%2 != 0 || len(dst) != n*n || len(src) != n*n {
		panic(fmt.Sprintf("data: cannot turn %d values into %d×%d ones: %v", len(src), n, n, o))
	}
	for r := range n {
		for c := range n {
			dst[r*n+c] = src[o.source(r, c, n)]
		}
	}
}

// Oriented returns d with its frames, and the mask, turned, and the frames in memory. All else is shared with d, known patches
// included: it is the detector that is turned, not the object. An error is that of ReadFrame.
func (d *Dataset) Oriented(o Orientation) (*Dataset, error) {
	s := *d
	s.stream = nil
	pix := d.N * d.N
	s.Frames = make(Intensity, d.Len()*pix)
	frame := make(Intensity, pix)
	for i := range d.Len() {
		if err := d.ReadFrame(frame, i); err != nil {
			return nil, err
		}
		o.Apply(s.Frame(i), frame, d.N)
	}
	if d.Mask != nil {
		s.Mask = make([]bool, pix)
		turn(s.Mask, d.Mask, d.N, o)
	}
	return &s, nil
}
