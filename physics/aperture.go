package physics

import "math"

// An aperture is the part of the far field that the probe reaches by itself: a bright disk, or an annulus when
// the optics have a central stop.
type aperture struct {
	open           []bool  // the bright pixels
	radius, cy, cx float64 // outer radius and centre in pixels, the shadow of a stop included
}

// apertureLevel is the intensity of the rim of an aperture relative to its typical intensity: scattering of the
// object stays below it in a mean frame, the unevenness of most optics above.
const apertureLevel = 0.15

// ApertureOf returns the outer radius and the centre, in pixels, of the bright disk or annulus in the mean frame of
// a scan, [n,n] with the direct beam at [n/2,n/2]: the far field of the probe. The radius is that of a disk of equal
// area. It is zero for a frame without photons.
func ApertureOf(mean []float64, n int) (radius, cy, cx float64) {
	a := findAperture(mean, n)
	return a.radius, a.cy, a.cx
}

func findAperture(mean []float64, n int) aperture {
	smooth := smooth3(mean, n)
	sum, squares := 0.0, 0.0
	for _, v := range smooth {
		sum, squares = sum+v, squares+v*v
	}
	bright := make([]bool, n*n)
	if sum > 0 {
		for i, v := range smooth {
			bright[i] = v > apertureLevel*squares/sum
		}
	}
	a := aperture{open: strongest(bright, smooth, n), cy: float64(n / 2), cx: float64(n / 2)}
	area, sy, sx := 0.0, 0.0, 0.0
	for i, outside := range surroundings(a.open, n) {
		if !outside {
			area, sy, sx = area+1, sy+float64(i/n), sx+float64(i%n)
		}
	}
	if area > 0 {
		a.radius, a.cy, a.cx = math.Sqrt(area/math.Pi), sy/area, sx/area
	}
	return a
}

// smooth3 returns the n×n image blurred by the binomial weights 1, 2, 1 in both directions; negative values, which
// were not measured, count as zero, as does what is outside.
func smooth3(image []float64, n int) []float64 {
	weights := [3]float64{0.25, 0.5, 0.25}
	out := make([]float64, n*n)
	for i, v := range image {
		for dy, wy := range weights {
			for dx, wx := range weights {
				if r, c := i/n+dy-1, i%n+dx-1; v > 0 && r >= 0 && r < n && c >= 0 && c < n {
					out[r*n+c] += wy * wx * v
				}
			}
		}
	}
	return out
}

// strongest returns the connected part of set that holds the largest sum of the weights.
func strongest(set []bool, weight []float64, n int) []bool {
	seen := make([]bool, n*n)
	best, top := make([]bool, n*n), 0.0
	for i := range set {
		if !set[i] || seen[i] {
			continue
		}
		part, sum := make([]bool, n*n), 0.0
		flood(set, seen, n, i, func(j int) { part[j], sum = true, sum+weight[j] })
		if sum > top {
			best, top = part, sum
		}
	}
	return best
}

// surroundings returns the pixels that can be reached from the border of the n×n image without crossing set.
func surroundings(set []bool, n int) []bool {
	empty, seen := make([]bool, n*n), make([]bool, n*n)
	for i, v := range set {
		empty[i] = !v
	}
	for i := range n {
		for _, j := range [4]int{i, (n-1)*n + i, i * n, i*n + n - 1} {
			flood(empty, seen, n, j, func(int) {})
		}
	}
	return seen
}

// flood calls visit for the pixels of set that are connected to start by their edges and marks them as seen.
func flood(set, seen []bool, n, start int, visit func(i int)) {
	stack := []int{}
	push := func(i int, inside bool) {
		if inside && set[i] && !seen[i] {
			seen[i] = true
			stack = append(stack, i)
		}
	}
	push(start, true)
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		visit(i)
		push(i-1, i%n > 0)
		push(i+1, i%n < n-1)
		push(i-n, i >= n)
		push(i+n, i < n*n-n)
	}
}
