package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/dustin/go-humanize"

	"ptycho/data"
	"ptycho/internal/atomicfile"
	"ptycho/internal/usage"
	"ptycho/metrics"
	"ptycho/recon"
	"ptycho/refine"
)

type refineCmd struct {
	TestData  string `help:"Scan to reconstruct." required:"" placeholder:"NPZ"`
	OutputDir string `help:"Where to write the reconstruction." default:"refine_outputs" placeholder:"DIR"`
	ModelPath string `help:"Start from what this network reconstructs: a run directory of ptycho train, or a checkpoint file." placeholder:"PATH" xor:"start"`
	Init      string `help:"Start from this reconstruction; by default from an object that is one everywhere." placeholder:"NPZ" xor:"start"`
	Probe     string `help:"Probe to start from: that of the scan's file, of the start (the network or reconstruction), or estimate, a defocused lens whose aperture the mean frame shows (${enum}); auto is start if there is one, else file." enum:"auto,file,start,estimate" default:"auto"`
	Config    string `help:"YAML or JSON file with flag names as keys; flags win." placeholder:"FILE"`

	Iterations int     `help:"Sweeps over all frames." default:"50" group:"Refinement"`
	Polish     int     `help:"Iterations of L-BFGS over all frames at once, after the sweeps." default:"0" group:"Refinement"`
	Loss       string  `help:"Likelihood of the frames: amplitude, poisson, or auto: amplitude from ten photons a pixel on, poisson below (${enum})." enum:"auto,amplitude,poisson" default:"auto" group:"Refinement"`
	BatchSize  int     `help:"Frames a step; 0 makes 32 batches, of 8 frames at least." default:"0" group:"Refinement"`
	Batches    string  `help:"Frames of a batch: sparse, spread over the scan, or compact, neighbours, with half the step (${enum})." enum:"sparse,compact" default:"sparse" group:"Refinement"`
	Step       float64 `help:"Length of the steps at first, in units of the one that would explain a single frame." default:"0.3" group:"Refinement"`
	Momentum   float64 `help:"Part of a step that is kept in the next." default:"0.9" group:"Refinement"`
	Holdout    float64 `help:"Part of the pixels of every frame to leave out; the state that explains them best is the result." default:"0" group:"Refinement"`
	Patience   int     `help:"Sweeps to go on while the held-out pixels are explained worse." default:"8" group:"Refinement"`
	Seed       uint64  `help:"Determines the order of frames and the held-out pixels." default:"42" group:"Refinement"`
	Workers    int     `help:"Frames computed at the same time; does not change the result. 0 is one a core." default:"0" group:"Refinement"`
	Resume     bool    `help:"Go on with the refinement in the output directory that was interrupted." group:"Refinement"`
	Split      bool    `help:"Also refine the even and the odd frames alone and report to which resolution they agree (FRC)." group:"Refinement"`
	Memory     string  `help:"Memory that may be used, such as 1GiB: frames that do not fit are read again in every sweep. By default no limit." placeholder:"SIZE" group:"Refinement"`

	FitProbe      *bool   `help:"Fit the probe; by default when its far field does not look like the mean frame, or --probe-modes adds to it." group:"Unknowns"`
	ProbeModes    int     `help:"Incoherent modes of the probe; 0 is as many as there are at the start." default:"0" group:"Unknowns"`
	FitPositions  bool    `help:"Correct the positions." group:"Unknowns"`
	Affine        bool    `help:"Correct them by one affine map: scale, rotation, shear." group:"Unknowns"`
	MaxShift      float64 `help:"Farthest that a position may move, pixels; 0 is a quarter of the frame." default:"0" group:"Unknowns"`
	FitGain       bool    `help:"Fit the intensity of the beam in every frame." group:"Unknowns"`
	FitBackground bool    `help:"Fit a background that is added to all frames." group:"Unknowns"`
	MaskDefects   bool    `help:"Find dead, hot and saturated pixels and gaps, and leave them out." group:"Unknowns"`
	Mask          string  `help:"NPY file, N×N, true for pixels to leave out besides those of the scan's file." placeholder:"NPY" group:"Unknowns"`

	frameFlags   `embed:""`
	dataFlags    `embed:""`
	pictureFlags `embed:""`
	outputFlags  `embed:""`
}

// Run refines an object.
func (c *refineCmd) Run(ctx context.Context, o *output) error {
	o.setup(c.outputFlags)
	rec := newRunRecord("refine", o)
	memory, err := c.check()
	if err != nil {
		return err
	}
	if memory > 0 {
		debug.SetMemoryLimit(int64(memory))
	}
	opt := c.options(0)
	opt.Stream, opt.Mask = true, c.Mask
	ds, err := load(o, c.TestData, opt)
	if err != nil {
		return err
	}
	defer ds.Close()
	if err := writable(c.OutputDir); err != nil {
		return err
	}
	network, err := c.network()
	if err != nil {
		return err
	}
	if err := rec.inputs(network, c.TestData, c.Init, c.Mask); err != nil {
		return err
	}
	note := func(text string) {
		rec.Notes = append(rec.Notes, text)
		o.info(text)
	}
	ds = c.subsample(ds, 0, c.Seed)
	began := time.Now()
	start, err := c.start(ctx, o, network, ds, note)
	if err != nil {
		return err
	}
	s, err := c.session(ctx, ds, start, memory, note)
	if err != nil {
		return err
	}
	defer s.Close()
	options := s.Options()
	rec.Config.Refine = &options
	o.info("", "loss", options.Loss, "batch", options.BatchSize, "sweeps", options.Iterations, "fit probe", options.FitProbe, "frames in memory", s.kept())
	prepared := time.Now()
	sweeps, err := c.run(ctx, o, s, rec, note)
	if errors.Is(err, errInterrupted) {
		return errors.Join(err, rec.write(c.OutputDir))
	} else if err != nil {
		return err
	}
	pace := time.Since(prepared).Seconds() / float64(max(1, sweeps))
	fit, err := s.Fit()
	if err != nil {
		return err
	}
	total, seconds := refine.Total(fit), time.Since(began).Seconds()
	o.info("", "error", total.Error(), "R", total.R(), "Poisson excess", total.PoissonExcess(), "seconds", seconds, "a sweep", pace)
	r := s.Result()
	if !slices.Equal(start.X, ds.X) || !slices.Equal(start.Y, ds.Y) {
		r.XStart, r.YStart = ds.X, ds.Y // and not those of the refinement that this one goes on from
	}
	rec.Results = map[string]any{"frames": ds.Len(), "seconds": seconds, "error": total.Error(), "r_factor": total.R(), "frames_in_memory": s.kept(), "seconds_a_sweep": pace}
	result := &scores{Scan: c.TestData, Fit: newFitScores(total)}
	result.score(o, r, ds, options.FitProbe || options.FitPositions)
	if err := c.write(r, result, s, rec); err != nil {
		return err
	}
	if c.Split {
		if result.Halves, err = c.split(ctx, o, s, note); errors.Is(err, context.Canceled) {
			return c.interrupted(s, err)
		} else if err != nil {
			o.warn("no comparison of half sets: " + err.Error())
		} else if err := writeJSON(filepath.Join(c.OutputDir, metricsFile), result); err != nil {
			return err
		}
	}
	if err := errors.Join(discard(c.OutputDir, refine.StateFile), atomicfile.Sweep(c.state())); err != nil {
		return err
	}
	if memory > 0 {
		c.reportMemory(o, memory)
		rec.Results["memory_limit_bytes"] = memory
	}
	o.info("", "wrote", filepath.Join(c.OutputDir, recon.ReconstructionFile))
	return rec.write(c.OutputDir)
}

// write stores the result.
func (c *refineCmd) write(r *recon.Reconstruction, result *scores, s *session, rec *runRecord) error {
	if err := c.pictureFlags.write(c.OutputDir, r, result); err != nil {
		return err
	}
	if err := writeSweeps(filepath.Join(c.OutputDir, sweepsFile), s.History()); err != nil {
		return err
	}
	return rec.write(c.OutputDir)
}

// reportMemory compares what was used with what was allowed.
func (c *refineCmd) reportMemory(o *output, limit uint64) {
	peak := uint64(usage.Now().Peak)
	o.info("", "peak memory", humanize.IBytes(peak), "limit", humanize.IBytes(limit))
	if peak > limit {
		o.warn("the program took more memory than --memory allows; give more, or refine a part of the scan with --n_subsample")
	}
}

// check reports what the parser cannot see, and returns the limit of the memory in bytes.
func (c *refineCmd) check() (memory uint64, err error) {
	opt := c.refinement(false)
	errs := []error{opt.Validate()}
	if c.NSubsample < 0 {
		errs = append(errs, fmt.Errorf("n_subsample %d is negative", c.NSubsample))
	}
	if c.Probe == "start" && c.ModelPath == "" && c.Init == "" {
		errs = append(errs, errors.New("--probe start: expected a start, --model_path or --init"))
	}
	if c.Memory != "" {
		if memory, err = humanize.ParseBytes(c.Memory); err != nil || memory == 0 || memory > math.MaxInt64 {
			errs = append(errs, fmt.Errorf("--memory %s: expected a size such as 1GiB or 500MB", c.Memory))
		}
	}
	errs = append(errs, c.pictureFlags.check())
	if err := errors.Join(errs...); err != nil {
		return 0, usageError{fmt.Errorf("%w\nsee ptycho refine --help", err)}
	}
	return memory, nil
}

// refinement returns the options.
func (c *refineCmd) refinement(fitProbe bool) refine.Options {
	opt := refine.Defaults()
	opt.Iterations, opt.Polish, opt.BatchSize, opt.Batches, opt.Loss = c.Iterations, c.Polish, c.BatchSize, c.Batches, c.Loss
	opt.Step, opt.Momentum, opt.Holdout, opt.Patience, opt.Seed, opt.Workers = c.Step, c.Momentum, c.Holdout, c.Patience, c.Seed, c.Workers
	opt.ProbeModes, opt.FitProbe = c.ProbeModes, fitProbe
	opt.FitPositions, opt.Affine, opt.MaxShift = c.FitPositions || c.Affine, c.Affine, c.MaxShift
	opt.FitGain, opt.FitBackground = c.FitGain, c.FitBackground
	return opt
}

// session is a refinement with what it needs.
type session struct {
	*refine.Engine
	frames  *data.Compact
	start   refine.Start
	options refine.Options
}

// kept says how the frames are in memory.
func (s *session) kept() string {
	if !s.frames.Kept() {
		return "no, read in every sweep"
	}
	return fmt.Sprintf("%s, %s", s.frames.Type(), humanize.IBytes(uint64(s.frames.Bytes())))
}

// session prepares the refinement.
func (c *refineCmd) session(ctx context.Context, ds *data.Dataset, start refine.Start, memory uint64, note func(string)) (*session, error) {
	compact := data.CompactOptions{}
	if c.MaskDefects {
		d, err := ds.Defects()
		if err != nil {
			return nil, err
		}
		note(fmt.Sprintf("left out: %d dead pixels (%d gaps), %d hot ones, and %d where they reach the detector's ceiling", len(d.Dead), len(d.Gaps), len(d.Hot), len(d.Saturated)))
		compact.Ceiling, d.Saturated = d.Ceiling, nil // which are measured in other frames
		compact.Mask = d.Mask()
	}
	probe := c.refinement(true)
	if memory > 0 {
		own, err := refine.Footprint(ds.N, start, probe)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ds.Path, err)
		}
		room := int64(memory) - own - ownMemory
		if room <= 0 {
			return nil, fmt.Errorf("--memory %s: expected at least %s for an object of this size; give more, or refine a part of the scan with --n_subsample",
				c.Memory, humanize.IBytes(uint64(int64(memory)-room)))
		}
		compact.Limit = room * 9 / 10 // a tenth is garbage that has not been collected
	}
	frames, err := ds.Compact(compact)
	if err != nil {
		return nil, err
	}
	if c.Probe == "estimate" {
		p, defocus, err := refine.EstimateProbe(ctx, frames, ds.N, ds.X, ds.Y, c.Seed, c.Workers)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ds.Path, err)
		}
		start.Probe, start.Modes = p, 1
		note(fmt.Sprintf("probe estimated from the frames: a lens defocused by %.1f rad at the rim of its aperture", defocus))
	}
	fit, err := c.fitsProbe(ds.N, frames, start, note)
	if err != nil {
		return nil, err
	}
	s := &session{frames: frames, start: start, options: c.refinement(fit)}
	if s.Engine, err = refine.New(frames, ds.N, start, s.options); err != nil {
		return nil, fmt.Errorf("%s: %w", ds.Path, err)
	}
	return s, nil
}

// ownMemory is what the program takes before it has data, bytes.
const ownMemory = 64 << 20

// stateInterval is how often a state is written; tests do not wait so long.
var stateInterval = 30 * time.Second

// run does the sweeps and returns their number. When it is interrupted it leaves a state.
func (c *refineCmd) run(ctx context.Context, o *output, s *session, rec *runRecord, note func(string)) (sweeps int, err error) {
	state := c.state()
	if c.Resume {
		rec.resume(c.OutputDir)
		err := s.Resume(state)
		if errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("%s: expected the state of an interrupted refinement, found none; start anew without --resume", state)
		} else if err != nil {
			return 0, fmt.Errorf("%w, or start anew without --resume", err)
		}
		o.info(fmt.Sprintf("resumed after sweep %d", len(s.History())))
	}
	saved := time.Now()
	err = s.Run(ctx, refine.Watch{
		Note: note,
		Sweep: func(w refine.Sweep) {
			sweeps++
			c.show(o, w)
			if time.Since(saved) > stateInterval {
				if err := s.SaveState(state); err != nil {
					o.warn(err.Error())
				}
				saved = time.Now()
			}
		},
	})
	return sweeps, c.interrupted(s, err)
}

// state is the file from which an interrupted refinement goes on.
func (c *refineCmd) state() string { return filepath.Join(c.OutputDir, refine.StateFile) }

// interrupted leaves a state, if that is why the refinement ends with err.
func (c *refineCmd) interrupted(s *session, err error) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	if err := s.SaveState(c.state()); err != nil {
		return err
	}
	return fmt.Errorf("%w after sweep %d; go on with --resume", errInterrupted, len(s.History()))
}

// show prints how far the refinement is.
func (c *refineCmd) show(o *output, s refine.Sweep) {
	text := fmt.Sprintf("error %.5f  R %.4f", s.Error, s.R)
	o.progress(min(s.Number, c.Iterations), c.Iterations, text)
	const lines = 10
	if every := max(1, c.Iterations/lines); !o.live() && (s.Number%every == 0 || s.Number == 1) || o.flags.Verbose {
		o.info("", "sweep", s.Number, "error", s.Error, "R", s.R)
	}
}

// split refines halves of the scan.
func (c *refineCmd) split(ctx context.Context, o *output, s *session, note func(string)) (*halfScores, error) {
	h, err := refine.Split(ctx, s.frames, s.frames.N(), s.start, s.options, refine.Watch{Note: func(text string) { note("half sets: " + text) }})
	if err != nil {
		return nil, fmt.Errorf("half sets: %w", err)
	}
	r := newHalfScores(h)
	o.info("half sets", "box", fmt.Sprintf("%d×%d", h.Box.R1-h.Box.R0, h.Box.C1-h.Box.C0), "resolution (half-bit)", r.Resolution["half_bit"].String(), "(0.5)", r.Resolution["0.5"].String())
	return r, nil
}

// resolution is where a Fourier ring correlation crosses a threshold.
type resolution struct {
	Frequency float64 `json:"cycles_per_pixel"` // 0 unless crossed
	Pixels    float64 `json:"full_period_pixels"`
	Crossed   bool    `json:"crossed"` // else the pixel limits the resolution
}

func (r resolution) String() string {
	switch {
	case !r.Crossed:
		return "the pixel limits it"
	case r.Frequency == 0:
		return "nothing is resolved"
	}
	return fmt.Sprintf("%.2f pixels", r.Pixels)
}

// halfScores is what the halves of a scan agree on.
type halfScores struct {
	Box        recon.Box             `json:"box"`
	Resolution map[string]resolution `json:"resolution"`
	Frequency  []float64             `json:"frequency"` // of the rings, cycles a pixel
	FRC        []float64             `json:"frc"`
	Samples    []float64             `json:"samples"` // independent ones in each ring
	Error      [2]float64            `json:"error"`   // of either half
}

func newHalfScores(h *refine.Halves) *halfScores {
	s := &halfScores{Box: h.Box, Resolution: map[string]resolution{}, Frequency: h.Curve.Freq, FRC: h.Curve.Corr, Samples: h.Curve.N, Error: h.Error}
	for name, t := range map[string]metrics.Threshold{"0.5": metrics.Level(0.5), "1/7": metrics.Level(1.0 / 7), "half_bit": metrics.HalfBit, "one_bit": metrics.OneBit} {
		r := resolution{}
		if r.Frequency, r.Crossed = h.Curve.Crossing(t); r.Frequency > 0 {
			r.Pixels = 1 / r.Frequency
		}
		s.Resolution[name] = r
	}
	return s
}
