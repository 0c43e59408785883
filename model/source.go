package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/stat"

	"ptycho/data"
	"ptycho/internal/littleendian"
	"ptycho/physics"
)

// Source turns the groups of a dataset into samples.
type Source struct {
	Data   *data.Dataset
	Groups []data.Group

	floors     []float64 // by frame
	labels     bool
	labelScale float64 // true amplitude → the network's own unit
	outputs    int
	probe      []float32 // of the network, nil when it is a parameter
}

// NewSource prepares a dataset for a network. It fails when the network needs the true object and the
// dataset does not hold it, and panics when the frames are not in memory.
func (n *Network) NewSource(ds *data.Dataset, groups []data.Group) (*Source, error) {
	if !ds.InMemory() {
		panic("model: the frames to train or evaluate on are not in memory")
	}
	c := &n.Config
	s, err := n.NewInferenceSource(ds, groups)
	if err != nil {
		return nil, err
	}
	s.labels = c.needsLabels()
	used := make([]bool, ds.Len())
	for _, g := range groups {
		for _, f := range g {
			if !used[f] {
				used[f], s.floors[f] = true, physics.PoissonFloor(ds.Frame(f))
			}
		}
	}
	if !s.labels {
		return s, nil
	}
	if ds.Object == nil && ds.Patches == nil {
		return nil, fmt.Errorf("%s: key objectGuess or Y: expected the true object, which this loss needs, found neither; "+
			"train with --model_type pinn and without --realspace_mae_weight", ds.Path)
	}
	if ds.Object == nil && c.Outputs() < c.Channels() {
		return nil, fmt.Errorf("%s: key objectGuess: expected the true object, as patches of single frames do not tell the one patch of a group, "+
			"found none; train with object_big or gridsize 1", ds.Path)
	}
	s.labelScale = s.scaleOfLabels(n.Probe(), c.ProbeModes)
	return s, nil
}

// NewInferenceSource prepares a dataset for a network that is not to be trained or evaluated on it.
func (n *Network) NewInferenceSource(ds *data.Dataset, groups []data.Group) (*Source, error) {
	if ds.N != n.Config.N {
		return nil, fmt.Errorf("%s: key diffraction: expected frames of %d×%d pixels, as the network was trained on, found %d×%d; "+
			"crop or pad the frames and the probe, or train on this scan", ds.Path, n.Config.N, n.Config.N, ds.N, ds.N)
	}
	return &Source{Data: ds, Groups: groups, floors: make([]float64, ds.Len()), outputs: n.Config.Outputs(), probe: n.probe}, nil
}

// Canvas returns the side of a canvas that holds any of the groups, for PassOptions.
func (s *Source) Canvas() int {
	if len(s.Groups) == 0 || len(s.Groups[0]) == 1 {
		return s.Data.N
	}
	return physics.CanvasSide(s.Data.N, data.MaxOffset(s.Groups, s.Data.X, s.Data.Y))
}

// scaleOfLabels returns the factor that gives the true exit waves the mean energy (N/2)² that the network's
// waves have.
func (s *Source) scaleOfLabels(probe []float32, modes int) float64 {
	pix := s.Data.N * s.Data.N
	power := make([]float64, pix)
	for i, v := range probe[:2*modes*pix] {
		power[i%pix] += float64(v) * float64(v)
	}
	re, im := make([]float32, pix), make([]float32, pix)
	sum := 0.0
	for f := range s.Data.Len() {
		s.patch(re, im, f)
		for i, w := range power {
			sum += w * (float64(re[i])*float64(re[i]) + float64(im[i])*float64(im[i]))
		}
	}
	mean := sum / float64(s.Data.Len())
	return float64(s.Data.N) / 2 / math.Sqrt(mean)
}

// patch writes the true object under frame f into re and im, N×N.
func (s *Source) patch(re, im []float32, f int) {
	n := s.Data.N
	if s.Data.Patches != nil {
		for i, v := range s.Data.Patches[f*n*n:][:n*n] {
			re[i], im[i] = real(v), imag(v)
		}
		return
	}
	s.window(re, im, s.Data.X[f], s.Data.Y[f])
}

// window writes the true object around the position x, y into re and im, N×N.
func (s *Source) window(re, im []float32, x, y float64) {
	n, o := s.Data.N, s.Data.Object
	physics.GatherComplex(re, im, n, o.Pix, o.Rows, o.Cols, y-float64(n/2), x-float64(n/2))
}

// Fingerprint returns a SHA-256 of the frames, positions, groups and labels, and of a probe that is not a
// parameter: of all that training sees.
func (s *Source) Fingerprint() string {
	h := sha256.New()
	h.Write(littleendian.Bytes(s.Data.Frames))
	h.Write(littleendian.Bytes(s.Data.X))
	h.Write(littleendian.Bytes(s.Data.Y))
	h.Write(littleendian.Bytes(s.probe))
	for _, g := range s.Groups {
		for _, f := range g {
			h.Write(littleendian.Bytes([]int64{int64(f)}))
		}
	}
	if s.labels {
		h.Write(littleendian.Bytes(s.Data.Patches))
		if s.Data.Object != nil {
			h.Write(littleendian.Bytes(s.Data.Object.Pix))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Fill loads group g into dst, whose slices are used again. Frames in memory are shared with the dataset. It fails when
// a frame cannot be read from its file.
func (s *Source) Fill(dst *Sample, g int) error {
	group := s.Groups[g]
	dst.Frames, dst.X, dst.Y, dst.Floor = dst.Frames[:0], dst.X[:0], dst.Y[:0], 0
	for k, f := range group {
		frame, err := s.frame(dst, k, f)
		if err != nil {
			return err
		}
		dst.Frames = append(dst.Frames, frame)
		dst.X = append(dst.X, s.Data.X[f])
		dst.Y = append(dst.Y, s.Data.Y[f])
		dst.Floor += s.floors[f] / float64(len(group))
	}
	if s.labels {
		s.fillLabels(dst, group)
	}
	return nil
}

// frame returns frame f, number k of a group, in memory that is its own until the next call for dst.
func (s *Source) frame(dst *Sample, k, f int) (data.Intensity, error) {
	if s.Data.InMemory() {
		return s.Data.Frame(f), nil
	}
	for len(dst.read) <= k {
		dst.read = append(dst.read, make(data.Intensity, s.Data.N*s.Data.N))
	}
	return dst.read[k], s.Data.ReadFrame(dst.read[k], f)
}

func (s *Source) fillLabels(dst *Sample, group data.Group) {
	pix := s.Data.N * s.Data.N
	if dst.Amplitude == nil {
		dst.Amplitude, dst.Phase = make([]float32, pix*s.outputs), make([]float32, pix*s.outputs)
	}
	re, im := make([]float32, pix), make([]float32, pix)
	for k := range s.outputs {
		if s.outputs < len(group) { // one patch for the group, in the middle of it
			s.window(re, im, stat.Mean(dst.X, nil), stat.Mean(dst.Y, nil))
		} else {
			s.patch(re, im, group[k])
		}
		for i, v := range re {
			a, phi := cmplx.Polar(complex(float64(v), float64(im[i])))
			dst.Amplitude[i*s.outputs+k] = float32(a * s.labelScale)
			dst.Phase[i*s.outputs+k] = float32(phi)
		}
	}
}
