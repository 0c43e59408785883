package doctor

import (
	"context"
	"fmt"
	"math"
	"math/cmplx"
	"strings"

	"ptycho/data"
)

// checkOrientation finds out how the detector was turned. As stored, a frame that was turned shows the object at turned
// positions through a turned probe: with g(q) = |F[P·O(r+r_j)]|²(q) for the right frame, and a stored one f(q) = g(M⁻¹q), M a turn
// or a mirror, f(q) = |F[P(M⁻¹r)·O'(r+M r_j)]|², O'(r) = O(M⁻¹r). The flags that turn positions by M thus do the same
// as turning the frames, under a probe that M leaves as it is. Under others they repair positions that are wrong by themselves.
// The error is that of ctx.
func (r *Report) checkOrientation(ctx context.Context, ds *data.Dataset) error {
	err := r.tryOrientations(ctx, ds)
	if err != nil && ctx.Err() == nil {
		r.say(orientation, Warn, "", "cannot tell: the trials failed: %v", err)
		return nil
	}
	return err
}

func (r *Report) tryOrientations(ctx context.Context, ds *data.Dataset) error {
	t := newTrials(ds, r.defects, r.useless(), r.opt)
	if n := t.part.Len(); n < fewFrames {
		r.say(orientation, Note, "", "cannot tell: %d frame(s) are too few for trials", n)
		return nil
	}
	detector, err := t.detectors(ctx)
	if err != nil {
		return err
	}
	d := detector.decide()
	if d.ok && (d.best == data.AsStored || d.pair && opposite(d.best) == data.AsStored) {
		twin, err := t.twin(ctx, detector)
		if err != nil {
			return err
		}
		if reversed := (verdict{best: data.Rot180, ok: true}); twin.ahead(data.Rot180, detector, d.best) >= outright {
			r.sayTurned(verdict{}, reversed, detector, twin, ds)
		} else {
			r.sayAsStored(d, detector, ds)
		}
		return nil
	}
	positions, err := t.positions(ctx, detector)
	if err != nil {
		return err
	}
	r.sayTurned(d, positions.decide(), detector, positions, ds)
	return nil
}

const orientation = "orientation"

// detectors tries all orientations of the detector, and a control.
func (t *trials) detectors(ctx context.Context) (*contest, error) {
	c := &contest{}
	x, y := t.shuffled()
	for m := range c.r {
		for o := range data.Orientation(data.Orientations) {
			var err error
			if c.r[m][o], err = t.try(ctx, o, t.part.X, t.part.Y, m == fitted); err != nil {
				return nil, err
			}
		}
		var err error
		if c.control[m], err = t.try(ctx, data.AsStored, x, y, m == fitted); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// twin tries opposite positions. With the twin of the probe, conj P(−r), which a fit may find, they explain the same frames.
func (t *trials) twin(ctx context.Context, detector *contest) (*contest, error) {
	c := *detector
	x, y := turnPositions(data.Rot180, t.part.X, t.part.Y)
	for m := range c.r {
		var err error
		if c.r[m][data.Rot180], err = t.try(ctx, data.AsStored, x, y, m == fitted); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

// positions tries all orientations of the positions, with frames as stored. It shares the trial of none, and the control.
func (t *trials) positions(ctx context.Context, detector *contest) (*contest, error) {
	c := &contest{control: detector.control}
	for m := range c.r {
		c.r[m][data.AsStored] = detector.r[m][data.AsStored]
		for o := data.FlipY; o < data.Orientations; o++ {
			x, y := turnPositions(o, t.part.X, t.part.Y)
			var err error
			if c.r[m][o], err = t.try(ctx, data.AsStored, x, y, m == fitted); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// flagsOf returns the flags that turn positions by o.
func flagsOf(o data.Orientation) string {
	var flags []string
	for _, f := range []struct {
		bit  data.Orientation
		flag string
	}{{data.FlipX, "--flip_x"}, {data.FlipY, "--flip_y"}, {data.Transpose, "--swap_xy"}} {
		if o&f.bit != 0 {
			flags = append(flags, f.flag)
		}
	}
	return strings.Join(flags, " ")
}

// figures tells what a contest came to.
func (c *contest) figures(o data.Orientation, pair bool) string {
	return fmt.Sprintf("R = %.3f after %d sweeps, at least %.3f otherwise and %.3f at exchanged positions", c.r[fitted][o], trialSweeps, c.next(o, pair), c.control[fitted])
}

// next returns the best R-factor of the orientations besides o, and besides its opposite if they are a pair.
func (c *contest) next(o data.Orientation, pair bool) float64 {
	r := c.r[fitted]
	r[o] = c.control[fitted]
	if pair {
		r[opposite(o)] = c.control[fitted]
	}
	return r[argmin(r)]
}

func (r *Report) sayAsStored(d verdict, c *contest, ds *data.Dataset) {
	r.Orientation = &Orientation{Frames: data.AsStored.String(), Flags: flagsOf(given(r.opt.Load)), Pair: d.pair}
	if !d.pair {
		r.say(orientation, OK, "", "the frames are the right way round: %s", c.figures(d.best, false))
		return
	}
	r.say(orientation, Note, "see with an object whose phase is known", "the frames are the right way round or %v, which cannot be told apart%s: %s", data.Rot180, becauseReal(ds), c.figures(d.best, true))
}

// becauseReal returns why frames and those that were turned half about are explained alike: f(−q) = |F[conj P·conj O]|²(q).
func becauseReal(ds *data.Dataset) string {
	if a := conjugateAsymmetry(ds); a < alike {
		return fmt.Sprintf(", as the probe is real but for %.3f and the complex conjugate object then gives turned frames", a)
	}
	return ""
}

// conjugateAsymmetry returns min_α √(Σ|P−e^{iα}·conj P|² / Σ|P|²) of the first mode of the probe, 0 for one that is real but for a
// constant phase.
func conjugateAsymmetry(ds *data.Dataset) float64 {
	var squares complex128
	var power float64
	for _, z := range ds.Probe[:ds.N*ds.N] {
		p := complex128(z)
		squares += p * p
		power += real(p)*real(p) + imag(p)*imag(p)
	}
	if power == 0 {
		return 0
	}
	return math.Sqrt(max(0, 2-2*cmplx.Abs(squares)/power))
}
