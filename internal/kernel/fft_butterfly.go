package kernel

// butterfly computes one radix-r butterfly between rows of n elements: source row j begins at j·step, result
// row j at j·n. Result j > 0 is multiplied by the j-th twiddle factor, w[2j−2] + i·w[2j−1].
type butterfly func(dst, src planes, n, step int, w []float32)

// fftRow returns the n elements of x from i.
func fftRow(x []float32, i, n int) []float32 { return x[i : i+n : i+n] }

// mulComplex returns (ar + i·ai)·(br + i·bi).
func mulComplex(ar, ai, br, bi float32) (re, im float32) { return ar*br - ai*bi, ar*bi + ai*br }

func bf2(dst, src planes, n, step int, w []float32) {
	ar, ai := fftRow(src.re, 0, n), fftRow(src.im, 0, n)
	br, bi := fftRow(src.re, step, n)[:len(ar)], fftRow(src.im, step, n)[:len(ar)]
	xr, xi := fftRow(dst.re, 0, n)[:len(ar)], fftRow(dst.im, 0, n)[:len(ar)]
	yr, yi := fftRow(dst.re, n, n)[:len(ar)], fftRow(dst.im, n, n)[:len(ar)]
	ai = ai[:len(ar)]
	wr, wi := w[0], w[1]
	for i := range ar {
		sr, si := ar[i]+br[i], ai[i]+bi[i]
		dr, di := ar[i]-br[i], ai[i]-bi[i]
		xr[i], xi[i] = sr, si
		yr[i], yi[i] = mulComplex(dr, di, wr, wi)
	}
}

func bf3(dst, src planes, n, step int, w []float32) {
	ar, ai := fftRow(src.re, 0, n), fftRow(src.im, 0, n)
	br, bi := fftRow(src.re, step, n)[:len(ar)], fftRow(src.im, step, n)[:len(ar)]
	cr, ci := fftRow(src.re, 2*step, n)[:len(ar)], fftRow(src.im, 2*step, n)[:len(ar)]
	xr, xi := fftRow(dst.re, 0, n)[:len(ar)], fftRow(dst.im, 0, n)[:len(ar)]
	yr, yi := fftRow(dst.re, n, n)[:len(ar)], fftRow(dst.im, n, n)[:len(ar)]
	zr, zi := fftRow(dst.re, 2*n, n)[:len(ar)], fftRow(dst.im, 2*n, n)[:len(ar)]
	ai = ai[:len(ar)]
	const sin60 = 0.86602540378443864676
	w1r, w1i, w2r, w2i := w[0], w[1], w[2], w[3]
	for i := range ar {
		sr, si := br[i]+cr[i], bi[i]+ci[i]
		dr, di := sin60*(br[i]-cr[i]), sin60*(bi[i]-ci[i])
		mr, mi := ar[i]-0.5*sr, ai[i]-0.5*si
		xr[i], xi[i] = ar[i]+sr, ai[i]+si
		yr[i], yi[i] = mulComplex(mr+di, mi-dr, w1r, w1i)
		zr[i], zi[i] = mulComplex(mr-di, mi+dr, w2r, w2i)
	}
}

func bf4(dst, src planes, n, step int, w []float32) {
	a0r, a0i := fftRow(src.re, 0, n), fftRow(src.im, 0, n)
	a1r, a1i := fftRow(src.re, step, n)[:len(a0r)], fftRow(src.im, step, n)[:len(a0r)]
	a2r, a2i := fftRow(src.re, 2*step, n)[:len(a0r)], fftRow(src.im, 2*step, n)[:len(a0r)]
	a3r, a3i := fftRow(src.re, 3*step, n)[:len(a0r)], fftRow(src.im, 3*step, n)[:len(a0r)]
	y0r, y0i := fftRow(dst.re, 0, n)[:len(a0r)], fftRow(dst.im, 0, n)[:len(a0r)]
	y1r, y1i := fftRow(dst.re, n, n)[:len(a0r)], fftRow(dst.im, n, n)[:len(a0r)]
	y2r, y2i := fftRow(dst.re, 2*n, n)[:len(a0r)], fftRow(dst.im, 2*n, n)[:len(a0r)]
	y3r, y3i := fftRow(dst.re, 3*n, n)[:len(a0r)], fftRow(dst.im, 3*n, n)[:len(a0r)]
	a0i = a0i[:len(a0r)]
	w1r, w1i, w2r, w2i, w3r, w3i := w[0], w[1], w[2], w[3], w[4], w[5]
	for i := range a0r {
		sr, si := a0r[i]+a2r[i], a0i[i]+a2i[i]
		dr, di := a0r[i]-a2r[i], a0i[i]-a2i[i]
		tr, ti := a1r[i]+a3r[i], a1i[i]+a3i[i]
		er, ei := a1i[i]-a3i[i], a3r[i]-a1r[i] // −i·(a1 − a3)
		y0r[i], y0i[i] = sr+tr, si+ti
		y1r[i], y1i[i] = mulComplex(dr+er, di+ei, w1r, w1i)
		y2r[i], y2i[i] = mulComplex(sr-tr, si-ti, w2r, w2i)
		y3r[i], y3i[i] = mulComplex(dr-er, di-ei, w3r, w3i)
	}
}

func bf5(dst, src planes, n, step int, w []float32) {
	a0r, a0i := fftRow(src.re, 0, n), fftRow(src.im, 0, n)
	a1r, a1i := fftRow(src.re, step, n)[:len(a0r)], fftRow(src.im, step, n)[:len(a0r)]
	a2r, a2i := fftRow(src.re, 2*step, n)[:len(a0r)], fftRow(src.im, 2*step, n)[:len(a0r)]
	a3r, a3i := fftRow(src.re, 3*step, n)[:len(a0r)], fftRow(src.im, 3*step, n)[:len(a0r)]
	a4r, a4i := fftRow(src.re, 4*step, n)[:len(a0r)], fftRow(src.im, 4*step, n)[:len(a0r)]
	y0r, y0i := fftRow(dst.re, 0, n)[:len(a0r)], fftRow(dst.im, 0, n)[:len(a0r)]
	y1r, y1i := fftRow(dst.re, n, n)[:len(a0r)], fftRow(dst.im, n, n)[:len(a0r)]
	y2r, y2i := fftRow(dst.re, 2*n, n)[:len(a0r)], fftRow(dst.im, 2*n, n)[:len(a0r)]
	y3r, y3i := fftRow(dst.re, 3*n, n)[:len(a0r)], fftRow(dst.im, 3*n, n)[:len(a0r)]
	y4r, y4i := fftRow(dst.re, 4*n, n)[:len(a0r)], fftRow(dst.im, 4*n, n)[:len(a0r)]
	a0i = a0i[:len(a0r)]
	const (
		cos72, sin72   = 0.30901699437494742410, 0.95105651629515357212
		cos144, sin144 = -0.80901699437494742410, 0.58778525229247312917
	)
	w = w[:8]
	for i := range a0r {
		sr, si := a1r[i]+a4r[i], a1i[i]+a4i[i]
		tr, ti := a2r[i]+a3r[i], a2i[i]+a3i[i]
		dr, di := a1r[i]-a4r[i], a1i[i]-a4i[i]
		er, ei := a2r[i]-a3r[i], a2i[i]-a3i[i]
		pr, pi := a0r[i]+cos72*sr+cos144*tr, a0i[i]+cos72*si+cos144*ti
		qr, qi := a0r[i]+cos144*sr+cos72*tr, a0i[i]+cos144*si+cos72*ti
		ur, ui := sin72*di+sin144*ei, -(sin72*dr + sin144*er) // −i·(sin72·d + sin144·e)
		vr, vi := sin144*di-sin72*ei, -(sin144*dr - sin72*er)
		y0r[i], y0i[i] = a0r[i]+sr+tr, a0i[i]+si+ti
		y1r[i], y1i[i] = mulComplex(pr+ur, pi+ui, w[0], w[1])
		y2r[i], y2i[i] = mulComplex(qr+vr, qi+vi, w[2], w[3])
		y3r[i], y3i[i] = mulComplex(qr-vr, qi-vi, w[4], w[5])
		y4r[i], y4i[i] = mulComplex(pr-ur, pi-ui, w[6], w[7])
	}
}
