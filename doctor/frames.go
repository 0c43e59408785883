package doctor

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ptycho/data"
)

// noteWith returns the first note of the Dataset that begins so, and whether there is one.
func noteWith(ds *data.Dataset, begin string) (string, bool) {
	i := slices.IndexFunc(ds.Notes, func(n string) bool { return strings.HasPrefix(n, begin) })
	if i < 0 {
		return "", false
	}
	return ds.Notes[i], true
}

// checkOrigin says where the direct beam is.
func (r *Report) checkOrigin(ds *data.Dataset) {
	const name = "direct beam"
	declared := r.opt.Load.DC
	if declared == "" {
		declared = ds.Metadata.DC
	}
	if _, unseen := noteWith(ds, "the frames do not show whether"); unseen {
		r.say(name, Warn, "declare it with --dc centre or --dc corner", "the frames do not show whether it is at the centre or the corner, "+
			"as neither quarter of the frame holds twice the light of the other")
		return
	}
	_, corner := noteWith(ds, "the direct beam is at [0, 0]")
	r.corner = corner || declared == data.DCCorner
	where, how := "centre", "seen in the frames"
	if r.corner {
		where = "corner, from where frames are shifted by N/2"
	}
	if declared != "" {
		how = "declared"
	}
	r.say(name, OK, "", "at the %s (%s)", where, how)
}

// checkDomain says what the frames hold.
func (r *Report) checkDomain(ds *data.Dataset) {
	note, _ := noteWith(ds, "frames are read as")
	_, why, _ := strings.Cut(note, ": ")
	if ds.DoseFrom == data.DoseAssumed {
		r.say("counts", Warn, "declare --domain, and the dose with --nphotons", "frames hold %s in an unknown unit: %s", ds.Domain, why)
		return
	}
	r.say("counts", OK, "", "frames hold %s: %s", ds.Domain, why)
}

// The doses, in photons a frame and a pixel, below which there is something to say.
const (
	hardlyAny = 10  // a frame
	faint     = 1.0 // a pixel
)

// checkDose says how many photons there are, and whether the beam is steady.
func (r *Report) checkDose(ds *data.Dataset) {
	d := r.defects
	pixel := d.Dose / float64(max(1, r.pixels))
	text := fmt.Sprintf("%.4g photons a frame (%s), %.3g a pixel, brightest %.4g", d.Dose, ds.DoseFrom, pixel, r.peak)
	if r.pixels < ds.N*ds.N {
		text += ", without masked and bad pixels"
	}
	switch {
	case ds.DoseFrom == data.DoseAssumed:
		r.say("photons", Warn, "give the dose with --nphotons; the noise model depends on it", "%s: the unit of the frames is unknown", text)
	case d.Dose < hardlyAny:
		r.say("photons", Fatal, "expose longer, or declare the dose with --nphotons if the frames are in another unit", "%s: too few to reconstruct anything", text)
	case pixel < faint:
		r.say("photons", Note, "use the Poisson likelihood, --loss poisson or auto", "%s: noise dominates", text)
	default:
		r.say("photons", OK, "", "%s", text)
	}
	const steady = 0.2
	if d.DoseSpread > steady {
		r.say("exposure", Note, "fit the exposure of each frame in a refinement", "the photons of the frames differ by %.0f %% rms, by the object or by the beam", 100*d.DoseSpread)
	} else {
		r.say("exposure", OK, "", "the photons of the frames differ by %.1f %% rms", 100*d.DoseSpread)
	}
}

// checkDefects says what is wrong with the detector.
func (r *Report) checkDefects(ds *data.Dataset) {
	d := r.defects
	if n := len(d.Empty); n > 0 {
		r.say("empty frames", Warn, "drop them with their positions (--fix does)", "%d of %d frames are empty, the first is number %d", n, ds.Len(), d.Empty[0])
	} else {
		r.say("empty frames", OK, "", "none of %d", ds.Len())
	}
	var found []string
	add := func(list []int, what string) {
		if len(list) > 0 {
			found = append(found, fmt.Sprintf("%d %s, the first at row %d, column %d", len(list), what, list[0]/d.N, list[0]%d.N))
		}
	}
	add(d.Dead, "dead")
	add(d.Hot, "hot")
	add(d.Saturated, fmt.Sprintf("saturated at %.6g", d.Ceiling))
	if len(d.Gaps) > 0 {
		g := d.Gaps[0]
		found = append(found, fmt.Sprintf("%d gaps, the first of %d×%d pixels at row %d, column %d", len(d.Gaps), g.Rows, g.Cols, g.Row, g.Col))
	}
	masked := 0
	for _, bad := range ds.Mask {
		if bad {
			masked++
		}
	}
	if found == nil {
		r.say("detector", OK, "", "no dead, hot or saturated pixels besides %d that are masked", masked)
		return
	}
	r.say("detector", Warn, "mask them (--fix writes them as key mask)", "bad pixels besides %d that are masked (direct beam at [%d, %d]): %s", masked, d.N/2, d.N/2, strings.Join(found, "; "))
}

// turned returns an image, N×N with the direct beam at [N/2, N/2], turned.
func turned(image []float64, n int, o data.Orientation) []float64 {
	single, out := make([]float32, n*n), make([]float32, n*n)
	for i, v := range image {
		single[i] = float32(math.Min(v, math.MaxFloat32))
	}
	o.Apply(out, single, n)
	wide := make([]float64, n*n)
	for i, v := range out {
		wide[i] = float64(v)
	}
	return wide
}
