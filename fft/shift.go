package fft

import "fmt"

// Shift copies the h×w plane src into dst with frequency zero moved from [0,0] to [h/2,w/2] (fftshift).
// The planes must not overlap.
func Shift[T any](dst, src []T, h, w int) { roll(dst, src, h, w, h/2, w/2) }

// Unshift undoes Shift: it moves frequency zero from [h/2,w/2] to [0,0] (ifftshift). For odd sides this is
// not the same as Shift.
func Unshift[T any](dst, src []T, h, w int) { roll(dst, src, h, w, h-h/2, w-w/2) }

// roll writes dst[(r+dr) mod h, (c+dc) mod w] = src[r,c] for 0 ≤ dr ≤ h, 0 ≤ dc ≤ w.
func roll[T any](dst, src []T, h, w, dr, dc int) {
	if len(dst) != h*w || len(src) != h*w {
		panic(fmt.Sprintf("fft: shift of planes of %d and %d pixels as %d×%d", len(dst), len(src), h, w))
	}
	for r := range h {
		from := src[r*w : (r+1)*w]
		to := dst[(r+dr)%h*w:][:w]
		copy(to[dc:], from)
		copy(to, from[w-dc:])
	}
}
