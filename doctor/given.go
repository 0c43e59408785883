package doctor

import "ptycho/data"

// given returns what the flags of opt do to positions.
func given(opt data.LoadOptions) (o data.Orientation) {
	for bit, set := range map[data.Orientation]bool{data.FlipX: opt.FlipX, data.FlipY: opt.FlipY, data.Transpose: opt.SwapXY} {
		if set {
			o |= bit
		}
	}
	return o
}

// combine returns the flags that turn positions as those of opt do and then as o does.
func combine(opt data.LoadOptions, o data.Orientation) (flipX, flipY, swap bool) {
	flipX, flipY, swap = opt.FlipX, opt.FlipY, opt.SwapXY
	x, y := o&data.FlipX != 0, o&data.FlipY != 0
	if swap { // which comes last: a flip of x after it is one of y before it
		x, y = y, x
	}
	return flipX != x, flipY != y, swap != (o&data.Transpose != 0)
}

// flags returns the flags that turn positions as those given do and then as o does, none for none.
func (r *Report) flags(o data.Orientation) string {
	opt := r.opt.Load
	opt.FlipX, opt.FlipY, opt.SwapXY = combine(opt, o)
	return flagsOf(given(opt))
}

// instead returns those flags, and which ones they replace.
func (r *Report) instead(o data.Orientation) string {
	now, before := r.flags(o), flagsOf(given(r.opt.Load))
	switch {
	case before == "":
		return now
	case now == "":
		return "none of " + before
	}
	return now + " instead of " + before
}

// with returns those flags as the end of a sentence.
func (r *Report) with(o data.Orientation) string {
	if now := r.flags(o); now != "" {
		return "with " + now
	}
	return "without flags"
}
