// Package model is the physics-informed network: a convolutional encoder and two decoders that turn
// overlapping diffraction frames into object patches, and the ptychographic forward model that turns the
// patches back into expected photon counts, so that it learns from the frames alone.
package model

import (
	"fmt"

	"ptycho/autodiff"
	"ptycho/fft"
	"ptycho/layers"
	"ptycho/physics"
)

// Network is a model with its weights and its probe.
type Network struct {
	Config Config
	Params *autodiff.Params

	encoder          *layers.Stack
	amplitude, phase *decoder
	probe            []float32       // [modes,2,N,N], when it is not a parameter
	probeParam       *autodiff.Param // when it is
	weights          []float32       // of the group merge, those of the present probe
	plan             *fft.Plan
}

// ProbeName is the name of the probe among the tensors of a checkpoint.
const ProbeName = "probe"

// New returns a network with random weights for a normalised probe, [modes,2,N,N] planes.
func New(cfg Config, probe []float32) (*Network, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if want := 2 * cfg.ProbeModes * cfg.N * cfg.N; len(probe) != want {
		return nil, fmt.Errorf("probe of %d values, expected %d", len(probe), want)
	}
	plan, err := fft.NewPlan(cfg.N, cfg.N)
	if err != nil {
		return nil, err
	}
	n := &Network{Config: cfg, Params: autodiff.NewParams(), plan: plan}
	n.Params.Defer()
	filters := scaled(encoderFilters[cfg.N], cfg.Filters)
	n.encoder = layers.NewStack(n.Params, cfg.Seed, "encoder", cfg.Channels(), filters, layers.MaxPool)
	latent := filters[len(filters)-1]
	amp, err := layers.Activation(cfg.AmpActivation)
	if err != nil {
		return nil, err
	}
	pitanh, err := layers.Activation("pitanh")
	if err != nil {
		return nil, err
	}
	n.amplitude = newDecoder(n.Params, &cfg, "amplitude", latent, amp)
	n.phase = newDecoder(n.Params, &cfg, "phase", latent, pitanh)
	n.weights = physics.MergeWeights(probe, cfg.N)
	if cfg.ProbeTrainable {
		p := n.Params.New(ProbeName, probeShape(&cfg), func(v []float32) { copy(v, probe) })
		n.probeParam = &p
		n.Params.OnUpdate(func() { copy(n.weights, physics.MergeWeights(n.Probe(), cfg.N)) })
	} else {
		n.probe = append([]float32(nil), probe...)
	}
	n.Params.Allocate()
	return n, nil
}

func probeShape(c *Config) autodiff.Shape { return autodiff.Shape{c.ProbeModes, 2, c.N, c.N} }

func scaled(filters []int, by int) []int {
	out := make([]int, len(filters))
	for i, f := range filters {
		out[i] = f * by
	}
	return out
}

// Probe returns the normalised probe, [modes,2,N,N], sharing memory with the network.
func (n *Network) Probe() []float32 {
	if n.probeParam != nil {
		return n.Params.View(*n.probeParam)
	}
	return n.probe
}

// Weights returns the number of weights of the network itself, without the probe.
func (n *Network) Weights() int {
	if n.probeParam != nil {
		return len(n.Params.Data) - n.probeParam.Shape.Size()
	}
	return len(n.Params.Data)
}

// decoder turns the latent image into the amplitude or the phase of the object.
type decoder struct {
	trunk  *layers.Stack
	centre *layers.Conv2D // → the object, or its central half if padObject
	act    *autodiff.Map

	border    *layers.DoubleConv // nil without a border
	borderOut *layers.Conv2D
	swish     *autodiff.Map

	padObject bool
	last      int // channels at the end of the trunk
}

// borderChannels of the trunk are set aside for the border of the object.
const borderChannels = 4

func newDecoder(p *autodiff.Params, c *Config, name string, latent int, act *autodiff.Map) *decoder {
	filters := scaled(decoderFilters[c.N], c.Filters)
	d := &decoder{act: act, padObject: c.PadObject, last: filters[len(filters)-1]}
	d.trunk = layers.NewStack(p, c.Seed, name, latent, filters, layers.Upsample)
	wide := c.Filters * 2048 / c.N
	if !c.PadObject {
		d.border = layers.NewDoubleConv(p, c.Seed, name+".full", d.last, wide)
		d.centre = layers.NewConv2D(p, c.Seed, name+".centre", wide, c.Outputs(), 3, false)
		return d
	}
	d.centre = layers.NewConv2D(p, c.Seed, name+".centre", d.last-borderChannels, c.Outputs(), 3, false)
	if c.ProbeBig {
		d.border = layers.NewDoubleConv(p, c.Seed, name+".border", borderChannels, wide)
		d.borderOut = layers.NewConv2D(p, c.Seed, name+".border.out", wide, c.Outputs(), 3, false)
		d.swish, _ = layers.Activation("swish")
	}
	return d
}

// apply records the decoder on the latent image; the result is [B,N,N,outputs].
func (d *decoder) apply(t *autodiff.Tape, latent autodiff.Value) autodiff.Value {
	x := d.trunk.Apply(t, latent)
	if !d.padObject {
		x = layers.Upsample(t, d.border.Apply(t, x))
		return d.act.Apply(t, d.centre.Apply(t, x))
	}
	inner := d.act.Apply(t, d.centre.Apply(t, layers.Channels(t, x, 0, d.last-borderChannels)))
	if d.border == nil {
		return layers.Surround(t, inner, autodiff.Value{}, false)
	}
	b := d.border.Apply(t, layers.Channels(t, x, d.last-borderChannels, d.last))
	outer := d.swish.Apply(t, d.borderOut.Apply(t, layers.Upsample(t, b)))
	return layers.Surround(t, inner, outer, true)
}

// object records the network proper: frames [B,N,N,C] to the amplitude and the phase of the object,
// [B,N,N,outputs] each.
func (n *Network) object(t *autodiff.Tape, x autodiff.Value) (amplitude, phase autodiff.Value) {
	latent := n.encoder.Apply(t, x)
	return n.amplitude.apply(t, latent), n.phase.apply(t, latent)
}
