package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// chapter is a part of the document.
type chapter struct {
	title, text string
	cases       []testCase
}

// testCase is something to measure.
type testCase struct {
	name, what string
	must       []bound
	run        func(context.Context, *program) (figures, error)
}

// bound is what a quantity must be: at most, or at least, a limit.
type bound struct {
	quantity string // name, or "name, unit"
	limit    float64
	least    bool
}

func atMost(quantity string, limit float64) bound  { return bound{quantity, limit, false} }
func atLeast(quantity string, limit float64) bound { return bound{quantity, limit, true} }

func (b bound) String() string {
	name, unit, _ := strings.Cut(b.quantity, ", ")
	sign := "≤"
	if b.least {
		sign = "≥"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s", name, sign, number(b.limit), unit))
}

// holds tells whether v is within the bound, which NaN never is.
func (b bound) holds(v float64) bool { return b.least && v >= b.limit || !b.least && v <= b.limit }

// figure is a quantity that was measured.
type figure struct {
	quantity string // name, or "name, unit"
	value    float64
}

func (f figure) String() string {
	name, unit, _ := strings.Cut(f.quantity, ", ")
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", name, number(f.value), unit))
}

// number writes v with three digits, whole numbers with all of them.
func number(v float64) string {
	if math.Abs(v) >= 1000 || v == math.Trunc(v) && math.Abs(v) < 1e6 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// figures is what a case came to.
type figures struct {
	values   []figure
	table    *table // nil for none
	pictures []picture
}

func (f *figures) add(quantity string, value float64) {
	f.values = append(f.values, figure{quantity, value})
}

// table is figures that need two dimensions.
type table struct {
	title  string
	header []string
	rows   [][]string
}

// picture is a PNG file that the program has drawn.
type picture struct{ name, path, caption string }

// errAbsent is how a case ends whose data are absent.
var errAbsent = errors.New("absent")

// result is how a case went.
type result struct {
	figures
	missed []string // the bounds that do not hold
	err    error
}

func (r result) skipped() bool { return errors.Is(r.err, errAbsent) }

func (r result) bad() bool { return r.err != nil && !r.skipped() || len(r.missed) > 0 }

// measure runs the case, and says in the log how it went.
func (t testCase) measure(ctx context.Context, p *program) (r result) {
	p.say("== %s: %s", t.name, t.what)
	if r.figures, r.err = t.run(ctx, p); r.err == nil {
		r.missed = missed(t.must, r.values)
	}
	for _, f := range r.values {
		p.say("   %v", f)
	}
	switch {
	case r.skipped():
		p.say("   SKIPPED: %v", r.err)
	case r.err != nil:
		p.say("   FAILED: %v", r.err)
	case r.missed != nil:
		p.say("   MISSED: expected %s", strings.Join(r.missed, ", "))
	}
	return r
}

// missed returns the bounds that figures do not keep. A bound on what was not measured is missed.
func missed(must []bound, values []figure) (names []string) {
	for _, b := range must {
		v := math.NaN()
		for _, f := range values {
			if f.quantity == b.quantity {
				v = f.value
			}
		}
		if !b.holds(v) {
			names = append(names, b.String())
		}
	}
	return names
}
