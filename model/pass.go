package model

import (
	"fmt"
	"math"

	"ptycho/autodiff"
	"ptycho/data"
	"ptycho/fft"
	"ptycho/physics"
)

// Mode says what a Pass is for.
type Mode int

// The modes of a Pass, by growing cost.
const (
	Infer    Mode = iota // object patches only
	Evaluate             // also the expected counts and the losses
	Train                // also gradients
)

// Sample is one group of frames.
type Sample struct {
	Frames []data.Intensity // Channels frames of photon counts, DC at [N/2,N/2]
	X, Y   []float64        // their probe positions, object pixels
	Floor  float64          // mean over the frames of physics.PoissonFloor

	// Amplitude and Phase are the true object under each frame in the network's own unit, [N,N,outputs];
	// nil unless the loss needs them.
	Amplitude, Phase []float32

	read []data.Intensity // memory for frames that are not in memory already
}

// Pass is one worker's workspace: a compiled tape through the network with its inputs. Passes of one
// network may run at the same time as long as nobody writes to its parameters.
type Pass struct {
	net   *Network
	mode  Mode
	batch int
	tape  *autodiff.Tape

	input, counts    autodiff.Value
	labelA, labelPhi autodiff.Value
	amp, phi, lambda autodiff.Value
	layout           *physics.Layout
	nll              *physics.PoissonNLL
	nllTerm          int
	floors           []float64
	frame            data.Amplitude // scratch
	scale, meanCount float64        // of the data at hand
}

// IntensityScale returns the photon scale S of data with the given mean number of photons in a frame of
// side n: S²·(n/2)² = dose.
func IntensityScale(dose float64, n int) float64 { return math.Sqrt(dose) / (float64(n) / 2) }

// PassOptions describes a Pass.
type PassOptions struct {
	Mode   Mode
	Batch  int     // samples at a time; 0 is 1
	Canvas int     // side of the canvas of a group, physics.CanvasSide; 0 is N, enough for single frames
	Dose   float64 // mean photons a frame of the data; 0 is that of the training data
	Cores  int     // that share the work on one sample; 0 is 1
}

// NewPass returns a workspace for some samples at a time. It panics on a canvas smaller than a frame.
// Params.Updated must be called after the last NewPass and before the first Forward.
func (n *Network) NewPass(opt PassOptions) *Pass {
	c, mode, batch := &n.Config, opt.Mode, max(opt.Batch, 1)
	t := autodiff.NewTape(n.Params, mode == Train)
	t.Share(opt.Cores)
	p := &Pass{net: n, mode: mode, batch: batch, tape: t, floors: make([]float64, batch), frame: make(data.Amplitude, c.N*c.N)}
	p.scale, p.meanCount = c.IntensityScale, c.MeanCount
	if opt.Dose > 0 {
		p.scale, p.meanCount = IntensityScale(opt.Dose, c.N), opt.Dose/float64(c.N*c.N)
	}
	p.layout = physics.NewLayout(batch, c.Channels(), c.N, max(opt.Canvas, c.N))
	p.input = t.Input(autodiff.Shape{batch, c.N, c.N, c.Channels()}, false)
	p.amp, p.phi = n.object(t, p.input)
	t.Keep(p.amp)
	t.Keep(p.phi)
	var probe autodiff.Value
	if mode != Infer {
		probe = p.forwardModel()
	}
	t.Compile()
	if mode != Infer && n.probeParam == nil {
		copy(t.Data(probe), n.probe)
	}
	return p
}

// forwardModel records the physics and the losses, and returns the probe.
func (p *Pass) forwardModel() (probe autodiff.Value) {
	n, c, t := p.net, &p.net.Config, p.tape
	if n.probeParam != nil {
		probe = t.Param(*n.probeParam)
	} else {
		probe = t.Input(probeShape(c), false)
	}
	field := physics.Polar(t, p.amp, p.phi)
	object := field
	switch {
	case c.ObjectBig && c.Channels() > 1:
		overlap := physics.Overlap(t, p.layout, n.weights)
		object = physics.Extract(t, p.layout, physics.Merge(t, p.layout, n.weights, field, overlap))
	case c.Channels() > 1:
		object = physics.Extract(t, p.layout, physics.Pad(t, field, p.layout.M))
	}
	waves := physics.FarField(t, n.plan, object, probe)
	p.lambda = physics.Detect(t, waves, c.ProbeModes, p.scale)
	t.Keep(p.lambda)
	frames := p.batch * c.Channels()
	p.counts = t.Input(autodiff.Shape{frames, c.N, c.N}, false)
	p.losses(field)
	return probe
}

// losses records the terms of the loss; the Poisson likelihood always, as the monitor of any training.
func (p *Pass) losses(field autodiff.Value) {
	c, t, l := &p.net.Config, p.tape, p.net.Config.Loss
	eps := physics.PoissonEpsilon(p.meanCount)
	supervised := c.ModelType == "supervised"
	nll := l.NLL
	if supervised {
		nll = 0
	}
	p.nll = &physics.PoissonNLL{Epsilon: eps, Norm: p.meanCount}
	p.nllTerm = len(t.Terms())
	t.AddLoss("nll", nll, p.nll, p.lambda, p.counts)
	if !supervised && l.MAE > 0 {
		t.AddLoss("mae", l.MAE, &physics.AmplitudeLoss{Epsilon: eps, Norm: math.Sqrt(p.meanCount)}, p.lambda, p.counts)
	}
	if !supervised && l.MSE > 0 {
		t.AddLoss("amp-mse", l.MSE, &physics.AmplitudeLoss{Squared: true, Epsilon: eps, Norm: p.meanCount}, p.lambda, p.counts)
	}
	if l.Realspace > 0 && l.TV > 0 {
		s := t.Shape(field)
		t.AddLoss("tv", l.Realspace*l.TV, &physics.TotalVariation{Images: s[0], H: s[2], W: s[3]}, field)
	}
	if !c.needsLabels() {
		return
	}
	p.labelA = t.Input(t.Shape(p.amp), false)
	p.labelPhi = t.Input(t.Shape(p.phi), false)
	wa, wp := l.Realspace*l.RealspaceMAE, l.Realspace*l.RealspaceMAE
	if supervised {
		wa, wp = supervisedAmplitude, supervisedPhase
	}
	t.AddLoss("amplitude", wa, physics.MeanAbsolute{}, p.amp, p.labelA)
	t.AddLoss("phase", wp, physics.MeanAbsolute{}, p.phi, p.labelPhi)
}

// weights of the supervised loss, those of the original program.
const (
	supervisedAmplitude = 2
	supervisedPhase     = 4
)

// Set loads sample b of the batch. It panics when the sample does not have the network's number of frames or, in a
// pass with the forward model, does not fit the canvas.
func (p *Pass) Set(b int, s Sample) {
	c := &p.net.Config
	ch, pix := c.Channels(), c.N*c.N
	if len(s.Frames) != ch || len(s.X) != ch || len(s.Y) != ch {
		panic(fmt.Sprintf("model: sample of %d frames for %d channels", len(s.Frames), ch))
	}
	x := p.tape.Data(p.input)[b*pix*ch:][:pix*ch]
	for k, f := range s.Frames {
		for i, v := range f.Amplitude(p.frame, 1/p.scale) {
			x[i*ch+k] = v
		}
	}
	if p.mode == Infer {
		return
	}
	p.layout.Set(b, s.X, s.Y)
	counts := p.tape.Data(p.counts)
	for k, f := range s.Frames {
		fft.Unshift(counts[(b*ch+k)*pix:][:pix], f, c.N, c.N)
	}
	p.floors[b] = s.Floor
	if c.needsLabels() {
		m := pix * c.Outputs()
		copy(p.tape.Data(p.labelA)[b*m:][:m], s.Amplitude)
		copy(p.tape.Data(p.labelPhi)[b*m:][:m], s.Phase)
	}
}

// Forward runs the network on the loaded samples and returns the loss, a mean over the samples.
func (p *Pass) Forward() float64 {
	if p.nll != nil {
		p.nll.Floor = 0
		for _, f := range p.floors {
			p.nll.Floor += f / float64(p.batch)
		}
	}
	return p.tape.Forward()
}

// Backward adds scale times the gradient of the loss to grad, which has the layout of Params.Data.
func (p *Pass) Backward(scale float64, grad []float32) { p.tape.Backward(scale, grad) }

// Excess returns by how much the Poisson negative log-likelihood of the last Forward exceeds the smallest
// possible one, in nats a pixel.
func (p *Pass) Excess() float64 {
	return p.tape.Terms()[p.nllTerm].Value*p.nll.Norm - p.nll.Floor
}

// Terms returns the terms of the loss in the last Forward.
func (p *Pass) Terms() []autodiff.Term { return p.tape.Terms() }

// Object returns the amplitude and the phase of the last Forward, [batch,N,N,outputs]. They share memory
// with the pass.
func (p *Pass) Object() (amplitude, phase []float32) {
	return p.tape.Data(p.amp), p.tape.Data(p.phi)
}

// Expected returns the expected photon counts of the last Forward, [batch·Channels,N,N], DC at [0,0]. They
// share memory with the pass.
func (p *Pass) Expected() []float32 { return p.tape.Data(p.lambda) }

// Memory returns the bytes that the pass needs for activations and gradients.
func (p *Pass) Memory() int { return p.tape.Memory() }
