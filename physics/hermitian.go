package physics

import (
	"cmp"
	"math"
	"math/cmplx"
	"slices"
)

// eigen returns the eigenvalues of the Hermitian, positive semidefinite m×m matrix a, falling, and the eigenvector
// of each, whose largest element is real and positive. It uses the cyclic Jacobi method, which is accurate also
// where eigenvalues coincide, and overwrites a.
func eigen(a []complex128, m int) (values []float64, vectors [][]complex128) {
	u := make([]complex128, m*m)
	trace := 0.0
	for i := range m {
		u[i*m+i] = 1
		trace += real(a[i*m+i])
	}
	for sweep, rotated := 0, true; rotated && sweep < 50; sweep++ {
		rotated = false
		for p := range m {
			for q := p + 1; q < m; q++ {
				if cmplx.Abs(a[p*m+q]) > 1e-14*trace {
					rotate(a, u, m, p, q)
					rotated = true
				}
			}
		}
	}
	order := make([]int, m)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(real(a[j*m+j]), real(a[i*m+i])) })
	for _, j := range order {
		v := make([]complex128, m)
		for k := range v {
			v[k] = u[k*m+j]
		}
		values, vectors = append(values, max(0, real(a[j*m+j]))), append(vectors, fixPhase(v))
	}
	return values, vectors
}

// rotate makes a[p,q] zero by a unitary rotation of the p-th and the q-th basis vector, columns of u.
func rotate(a, u []complex128, m, p, q int) {
	size := cmplx.Abs(a[p*m+q])
	e := a[p*m+q] / complex(size, 0)
	tau := real(a[q*m+q]-a[p*m+p]) / (2 * size)
	t := math.Copysign(1, tau) / (math.Abs(tau) + math.Hypot(1, tau))
	c := complex(1/math.Hypot(1, t), 0)
	s := e * complex(t, 0) * c
	turn := func(x, y *complex128, s complex128) { *x, *y = c**x-cmplx.Conj(s)**y, s**x+c**y }
	for k := range m {
		turn(&a[k*m+p], &a[k*m+q], s)
		turn(&u[k*m+p], &u[k*m+q], s)
	}
	for k := range m {
		turn(&a[p*m+k], &a[q*m+k], cmplx.Conj(s))
	}
}

// fixPhase multiplies v by the phase that makes its largest element real and positive.
func fixPhase(v []complex128) []complex128 {
	top := slices.MaxFunc(v, func(x, y complex128) int { return cmp.Compare(cmplx.Abs(x), cmplx.Abs(y)) })
	for k := range v {
		v[k] *= cmplx.Conj(top) / complex(cmplx.Abs(top), 0)
	}
	return v
}
