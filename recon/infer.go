package recon

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"ptycho/data"
	"ptycho/model"
	"ptycho/physics"
)

// Options says how to reconstruct.
type Options struct {
	NGroups int    // groups to use; 0 is one for every frame
	Seed    uint64 // of the choice of groups
	Stitch  string // "probe": patches weighted with the probe's power; "tf": the plain mean of their central 20×20
	Workers int    // 0 is one a core
	Batch   int    // groups that a worker takes at a time; 0 is 16
	Patches bool   // also return the network's patches

	Progress func(done, total int) // called after every chunk of groups; may be nil
}

// StitchModes lists the ways of stitching.
func StitchModes() []string { return []string{"probe", "tf"} }

// tfCrop is the side of the part of a patch that the original program stitches.
const tfCrop = 20

// Reconstruction is an object with what is needed to use it. With the probe it is in absolute units:
// |FFT(Probe·Object)|² (unitary) is the expected number of photons, and Σ|Probe|² the mean dose, so that the
// r.m.s. amplitude of the object under the probe is one.
type Reconstruction struct {
	Object   *data.Image
	Coverage []float32   // summed weight, same shape; 0 where nothing was measured
	Origin   [2]int64    // (row, col) of element [0,0] in the object pixels of the scan
	X, Y     []float64   // positions of the patches that were stitched
	Probe    []complex64 // [Modes,N,N]
	Modes, N int

	// What a refinement has found out, nil otherwise.
	XStart, YStart []float64 // the positions before they were corrected
	Gain           []float64 // of every frame, 1 on average
	Background     []float32 // photons in every frame, N×N, DC at [N/2,N/2]

	Groups  int         // groups that were inferred, 0 in a refinement
	Frames  int         // different frames among them
	Patches []complex64 // len(X) × N × N, if asked for
	Notes   []string    // what was decided on the way, one sentence each
}

// Infer reconstructs the object of a scan: every frame with its nearest neighbours in one group, every patch
// stitched at the position of its own frame. Frames are read while others are computed. Beside the canvas and the
// positions, memory does not grow with the number of frames unless these are in memory or patches are asked for.
func Infer(ctx context.Context, net *model.Network, ds *data.Dataset, opt Options) (*Reconstruction, error) {
	c := &net.Config
	groups, err := ds.Groups(data.GroupOptions{Gridsize: c.Gridsize, NGroups: opt.NGroups, Seed: opt.Seed, Mode: data.GroupNearest})
	if err != nil {
		return nil, err
	}
	src, err := net.NewInferenceSource(ds, groups)
	if err != nil {
		return nil, err
	}
	r := &Reconstruction{N: c.N, Modes: c.ProbeModes, Groups: len(groups)}
	dose := r.scale(net, ds)
	r.positions(c, ds, groups)
	weights, err := stitchWeights(net, opt.Stitch)
	if err != nil {
		return nil, err
	}
	canvas, err := NewCanvas(r.X, r.Y, c.N, weights)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ds.Path, err)
	}
	s := &stitcher{r: r, canvas: canvas, pix: c.N * c.N, outputs: c.Outputs(), keep: opt.Patches}
	if err := s.run(ctx, net, src, dose, opt); err != nil {
		return nil, err
	}
	r.Object, r.Coverage = canvas.Object()
	r.Origin = [2]int64{int64(canvas.Row), int64(canvas.Col)}
	r.units(net, dose)
	return r, nil
}

// scale decides on the dose with which the input is normalised, and notes it when it is not that of the
// training data.
func (r *Reconstruction) scale(net *model.Network, ds *data.Dataset) float64 {
	dose, trained := net.Config.DoseFor(ds.Dose), net.Config.Dose()
	if dose != trained {
		r.Notes = append(r.Notes, fmt.Sprintf("the frames have %.3g photons on average, those of the training %.3g: the input is normalised to this scan", dose, trained))
	}
	return dose
}

// positions lists where each patch belongs: at the position of its frame, or of its group's centre when the
// network predicts one patch a group.
func (r *Reconstruction) positions(c *model.Config, ds *data.Dataset, groups []data.Group) {
	seen := make([]bool, ds.Len())
	for _, g := range groups {
		mx, my := 0.0, 0.0
		for _, f := range g {
			if !seen[f] {
				seen[f] = true
				r.Frames++
			}
			mx += ds.X[f] / float64(len(g))
			my += ds.Y[f] / float64(len(g))
			if c.Outputs() > 1 || len(g) == 1 {
				r.X, r.Y = append(r.X, ds.X[f]), append(r.Y, ds.Y[f])
			}
		}
		if c.Outputs() == 1 && len(g) > 1 {
			r.X, r.Y = append(r.X, mx), append(r.Y, my)
		}
	}
}

func stitchWeights(net *model.Network, mode string) ([]float32, error) {
	n := net.Config.N
	switch mode {
	case "", "probe":
		return physics.MergeWeights(net.Probe(), n), nil
	case "tf":
		w := make([]float32, n*n)
		for r := (n - tfCrop) / 2; r < (n+tfCrop)/2; r++ {
			for c := (n - tfCrop) / 2; c < (n+tfCrop)/2; c++ {
				w[r*n+c] = 1
			}
		}
		return w, nil
	}
	return nil, fmt.Errorf("unknown stitch mode %q; there are %v", mode, StitchModes())
}

// units brings object and probe into absolute units.
func (r *Reconstruction) units(net *model.Network, dose float64) {
	probe := physics.Probe{N: r.N, Modes: r.Modes, Planes: net.Probe()}
	f := math.Sqrt(probe.Power()) / (float64(r.N) / 2)
	for i, v := range r.Object.Pix {
		r.Object.Pix[i] = v * complex(float32(f), 0)
	}
	for i, v := range r.Patches {
		r.Patches[i] = v * complex(float32(f), 0)
	}
	r.Probe = probe.Complex(model.IntensityScale(dose, r.N) / f)
}

// stitcher runs the network over all groups, a chunk at a time, and stitches each chunk in order, so that
// the sum does not depend on the number of workers.
type stitcher struct {
	r       *Reconstruction
	canvas  *Canvas
	pix     int
	outputs int
	keep    bool

	passes  []*model.Pass
	chunk   int       // groups
	patches []float32 // of a chunk, [chunk,outputs,2,N,N]
	errs    []error   // of a chunk
}

func (s *stitcher) run(ctx context.Context, net *model.Network, src *model.Source, dose float64, opt Options) error {
	workers := opt.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	batch := opt.Batch
	if batch == 0 {
		batch = 16
	}
	total := len(src.Groups)
	s.chunk = min(workers*batch, total)
	s.passes = make([]*model.Pass, min(workers, s.chunk))
	for i := range s.passes {
		s.passes[i] = net.NewPass(model.PassOptions{Mode: model.Infer, Dose: dose, Cores: workers / len(s.passes)})
	}
	net.Params.Updated()
	s.patches, s.errs = make([]float32, s.chunk*s.outputs*2*s.pix), make([]error, s.chunk)
	in := readAhead(src, 2*len(s.passes))
	defer in.stop()
	for from := 0; from < total; from += s.chunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(from+s.chunk, total)
		if err := s.predict(in, from, to); err != nil {
			return err
		}
		if err := s.stitch(s.patches, from*s.outputs, to*s.outputs); err != nil {
			return err
		}
		if opt.Progress != nil {
			opt.Progress(to, total)
		}
	}
	return nil
}

// predict runs the network over the groups from … to-1, the next ones to be read.
func (s *stitcher) predict(in *reader, from, to int) error {
	var taken atomic.Int64
	var wg sync.WaitGroup
	for _, pass := range s.passes {
		wg.Go(func() {
			for taken.Add(1) <= int64(to-from) {
				g := <-in.ready
				i := g.number - from
				if s.errs[i] = g.err; g.err == nil {
					pass.Set(0, g.Sample)
				}
				in.free <- g // for the next one, while this is computed
				pass.Forward()
				s.patch(s.patches[i*s.outputs*2*s.pix:], pass)
			}
		})
	}
	wg.Wait()
	for _, err := range s.errs[:to-from] {
		if err != nil {
			return err
		}
	}
	return nil
}

// patch writes the planes of one group's patches, [outputs,2,N,N].
func (s *stitcher) patch(dst []float32, pass *model.Pass) {
	a, phi := pass.Object()
	for k := range s.outputs {
		re, im := dst[2*k*s.pix:][:s.pix], dst[(2*k+1)*s.pix:][:s.pix]
		for i := range re {
			sin, cos := math.Sincos(float64(phi[i*s.outputs+k]))
			v := float64(a[i*s.outputs+k])
			re[i], im[i] = float32(v*cos), float32(v*sin)
		}
	}
}

// stitch adds the patches from … to-1 to the canvas.
func (s *stitcher) stitch(patches []float32, from, to int) error {
	for p := from; p < to; p++ {
		planes := patches[(p-from)*2*s.pix:][:2*s.pix]
		re, im := planes[:s.pix], planes[s.pix:]
		for _, v := range planes {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("the network predicts values that are not finite for patch %d at x=%.2f y=%.2f; the checkpoint is unusable", p, s.r.X[p], s.r.Y[p])
			}
		}
		s.canvas.Add(re, im, s.r.X[p], s.r.Y[p])
		if s.keep {
			for i, v := range re {
				s.r.Patches = append(s.r.Patches, complex(v, im[i]))
			}
		}
	}
	return nil
}
