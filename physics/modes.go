package physics

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
)

// Orthogonalise replaces the incoherent modes of a probe, planes [modes,2,n,n], in place by orthogonal ones with
// the same mutual intensity Σ_m P_m(r)·conj P_m(r'), so that no diffraction pattern changes, and returns their
// powers Σ|P_m|², which fall. The modes are the principal components of the given ones. A new mode has a real and
// positive overlap with the old mode that contributes most to it, so that results do not jump in phase.
func Orthogonalise(planes []float32, modes, n int) (power []float64) {
	p := splitModes(planes, modes, n)
	gram := make([]complex128, modes*modes)
	for j := range p {
		for k := range j + 1 {
			gram[j*modes+k] = inner(p[j], p[k])
			gram[k*modes+j] = cmplx.Conj(gram[j*modes+k])
		}
	}
	power, vectors := eigen(gram, modes)
	out := make([]complex128, n*n)
	for m, u := range vectors {
		clear(out)
		for k, w := range u {
			addScaled(out, p[k], w)
		}
		putMode(planes, m, out)
	}
	return power
}

// AddModes returns a probe of want modes made from the given one, planes [modes,2,n,n]: its modes, made
// orthogonal (Orthogonalise), followed by new ones that hold the given share of the total power each and are orthogonal
// to all others. They are the strongest mode times polynomials of rising degree in x and y about its centroid. The
// total power stays what it was. Modes that a probe of few pixels cannot carry are zero. It panics when want is below
// modes or the new modes' shares do not leave power for the old ones.
func AddModes(planes []float32, modes, n, want int, share float64) []float32 {
	added := want - modes
	if added < 0 || !(share >= 0 && share*float64(added) < 1) {
		panic(fmt.Sprintf("physics: %d modes from %d with a share of %g each", want, modes, share))
	}
	out := make([]float32, want*2*n*n)
	copy(out, planes)
	total := 0.0
	for _, v := range Orthogonalise(out[:modes*2*n*n], modes, n) {
		total += v
	}
	p := splitModes(out, modes, n)
	p = append(p, excited(p, n, added)...)
	for m, mode := range p {
		scale := math.Sqrt(1 - share*float64(len(p)-modes))
		if m >= modes {
			scale = math.Sqrt(share * total)
		}
		scaleWave(mode, scale)
		putMode(out, m, mode)
	}
	return out
}

// excited returns up to count modes of power one, orthogonal to each other and to the orthogonal modes p: p[0] times
// the monomials x, y, x², xy, y², … about its centroid, without what the earlier modes hold of them. Monomials of
// which nothing is left are passed over.
func excited(p [][]complex128, n, count int) (added [][]complex128) {
	const negligible = 1e-6 // in power: what rounding leaves of a mode that is already there
	x, y := coordinates(p[0], n)
	for degree := 1; degree < 2*n && len(added) < count; degree++ {
		for b := 0; b <= degree && len(added) < count; b++ {
			mode := slices.Clone(p[0])
			for i := range mode {
				mode[i] *= complex(math.Pow(x[i%n], float64(degree-b))*math.Pow(y[i/n], float64(b)), 0)
			}
			before := powerOf(mode)
			for range 2 { // the second time against rounding
				remove(mode, p)
				remove(mode, added)
			}
			if after := powerOf(mode); after > negligible*before {
				scaleWave(mode, 1/math.Sqrt(after))
				added = append(added, mode)
			}
		}
	}
	return added
}

// coordinates returns the columns and rows of an n×n mode counted from its centroid in units of its r.m.s. radius.
func coordinates(mode []complex128, n int) (x, y []float64) {
	var sum, sx, sy, sr float64
	for i, v := range mode {
		w, c, r := real(v)*real(v)+imag(v)*imag(v), float64(i%n), float64(i/n)
		sum, sx, sy, sr = sum+w, sx+w*c, sy+w*r, sr+w*(c*c+r*r)
	}
	if sum == 0 {
		return make([]float64, n), make([]float64, n)
	}
	cx, cy := sx/sum, sy/sum
	radius := math.Sqrt(max(sr/sum-cx*cx-cy*cy, 1))
	for i := range n {
		x, y = append(x, (float64(i)-cx)/radius), append(y, (float64(i)-cy)/radius)
	}
	return x, y
}
