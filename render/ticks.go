package render

import (
	"math"
	"strconv"
	"strings"
)

// pixelStep returns the distance between axis ticks in image pixels: 1, 2 or 5 times a power of ten, so
// that labels are at least gap apart on paper when a pixel takes scale there.
func pixelStep(scale, gap float64) int {
	for step := 1; ; step *= 10 {
		for _, m := range []int{1, 2, 5} {
			if float64(step*m)*scale >= gap {
				return step * m
			}
		}
	}
}

// axisTicks returns where an axis of n pixels, the first of which is number first, has ticks: at the multiples of
// step, or at its first pixel when there are none.
func axisTicks(first, n, step int) []int {
	var ticks []int
	for i := first + ((step - first%step) % step); i < first+n; i += step {
		ticks = append(ticks, i)
	}
	if ticks == nil {
		ticks = []int{first}
	}
	return ticks
}

// pixelLabel returns the label of pixel i.
func pixelLabel(i int) string { return strings.ReplaceAll(strconv.Itoa(i), "-", "−") }

// barTicks is the number of labels at the colour bar.
const barTicks = 5

// barLabels returns the labels of evenly spaced values from lo to hi, all with the same number of digits,
// as few as show the spacing.
func barLabels(lo, hi float64) []string {
	step := (hi - lo) / (barTicks - 1)
	digits := 2 - int(math.Floor(math.Log10(step)))
	form, top := byte('f'), max(math.Abs(lo), math.Abs(hi))
	if top >= 1e5 || top < 1e-3 {
		form = 'e'
		digits += int(math.Floor(math.Log10(top)))
	}
	digits = max(digits, 0)
	labels := make([]string, barTicks)
	for i := range labels {
		v := lo + float64(i)*step
		if math.Abs(v) < 1e-9*step {
			v = 0
		}
		labels[i] = strconv.FormatFloat(v, form, digits, 64)
	}
	for form == 'f' && strings.Contains(labels[0], ".") && trimmable(labels) {
		for i, s := range labels {
			labels[i] = strings.TrimSuffix(s[:len(s)-1], ".")
		}
	}
	for i, s := range labels {
		labels[i] = strings.ReplaceAll(s, "-", "−")
	}
	return labels
}

// trimmable tells whether all labels end in zero.
func trimmable(labels []string) bool {
	for _, s := range labels {
		if !strings.HasSuffix(s, "0") {
			return false
		}
	}
	return true
}
