package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ptycho/autodiff"
	"ptycho/ckpt"
)

// Format and FormatVersion identify a checkpoint of a network.
const (
	Format        = "ptycho-model"
	FormatVersion = "1"
)

// Save stores the network at path, whole or not at all. Equal networks and equal extra metadata give equal
// bytes. Convolution weights are stored in the order [Out,In,K,K].
func (n *Network) Save(path string, extra map[string]string) error {
	cfg, err := json.Marshal(n.Config)
	if err != nil {
		return err
	}
	f := &ckpt.File{Meta: map[string]string{}}
	maps.Copy(f.Meta, extra)
	maps.Copy(f.Meta, map[string]string{"format": Format, "format_version": FormatVersion, "config": string(cfg)})
	for _, p := range n.Params.All() {
		shape, v := toFile(p.Shape, n.Params.View(p))
		f.Tensors = append(f.Tensors, ckpt.Tensor{Name: p.Name, Shape: shape, Data: v})
	}
	if n.probeParam == nil {
		f.Tensors = append(f.Tensors, ckpt.Tensor{Name: ProbeName, Shape: probeShape(&n.Config), Data: n.probe})
	}
	return ckpt.Write(path, f)
}

// Load reads a network that Save stored, from a file or from a run directory (see Resolve), and returns it
// with the file's metadata. A missing, unexpected, mis-shaped or damaged tensor is an error that names it, and a
// configuration of another size than the file's is one before anything of that size is allocated.
func Load(path string) (*Network, map[string]string, error) {
	path, err := Resolve(path)
	if err != nil {
		return nil, nil, err
	}
	f, err := ckpt.Read(path)
	if err != nil {
		return nil, nil, err
	}
	if f.Meta["format"] != Format {
		return nil, nil, fmt.Errorf("%s: metadata format: expected %q, found %q; this is not a checkpoint of a network", path, Format, f.Meta["format"])
	}
	if v := f.Meta["format_version"]; v != FormatVersion {
		return nil, nil, fmt.Errorf("%s: metadata format_version: expected %s, found %q; read it with the version of the program that wrote it", path, FormatVersion, v)
	}
	var cfg Config
	d := json.NewDecoder(strings.NewReader(f.Meta["config"]))
	d.DisallowUnknownFields()
	if err := d.Decode(&cfg); err != nil {
		return nil, nil, fmt.Errorf("%s: metadata config: %w", path, err)
	}
	if err := cfg.Validate(); err != nil {
		return nil, nil, fmt.Errorf("%s: metadata config: %w", path, err)
	}
	probe := f.Tensor(ProbeName)
	if probe == nil || !slices.Equal(probe.Shape, []int(probeShape(&cfg))) {
		return nil, nil, fmt.Errorf("%s: tensor %s: expected shape %v, found none of it", path, ProbeName, probeShape(&cfg))
	}
	if err := f.Has(widest(&cfg)); err != nil {
		return nil, nil, err
	}
	n, err := New(cfg, probe.Data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := f.Want(n.specs()); err != nil {
		return nil, nil, err
	}
	for _, p := range n.Params.All() {
		fromFile(p.Shape, n.Params.View(p), f.Tensor(p.Name).Data)
	}
	n.Params.Updated()
	return n, f.Meta, nil
}

// widest returns the tensor at the end of the encoder, which grows with the square of the filters as the whole
// network does: that is at most 23 times as large, so that a file which holds this tensor bounds the memory.
func widest(c *Config) ckpt.Spec {
	filters := scaled(encoderFilters[c.N], c.Filters)
	i := len(filters) - 1
	return ckpt.Spec{Name: fmt.Sprintf("encoder.%d.conv2.weight", i), Shape: []int{filters[i], filters[i], 3, 3}}
}

// specs returns the tensors of the network's checkpoint.
func (n *Network) specs() []ckpt.Spec {
	var s []ckpt.Spec
	for _, p := range n.Params.All() {
		s = append(s, ckpt.Spec{Name: p.Name, Shape: fileShape(p.Shape)})
	}
	if n.probeParam == nil {
		s = append(s, ckpt.Spec{Name: ProbeName, Shape: probeShape(&n.Config)})
	}
	return s
}

// isConv reports whether a tensor is a convolution weight, [K,K,In,Out] with K = 1 or 3. The probe,
// [modes,2,N,N], is none.
func isConv(s autodiff.Shape) bool { return len(s) == 4 && s[0] == s[1] && s[0]%2 == 1 }

func fileShape(s autodiff.Shape) []int {
	if isConv(s) {
		return []int{s[3], s[2], s[0], s[1]}
	}
	return s
}

// toFile returns shape and elements of a parameter as the file holds them.
func toFile(s autodiff.Shape, v []float32) ([]int, []float32) {
	if !isConv(s) {
		return s, v
	}
	out := make([]float32, len(v))
	reorder(s, func(inside, file int) { out[file] = v[inside] })
	return fileShape(s), out
}

func fromFile(s autodiff.Shape, dst, v []float32) {
	if !isConv(s) {
		copy(dst, v)
		return
	}
	reorder(s, func(inside, file int) { dst[inside] = v[file] })
}

// reorder calls f with the index of every element of a convolution weight in [K,K,In,Out] and in
// [Out,In,K,K].
func reorder(s autodiff.Shape, f func(inside, file int)) {
	taps, in, out := s[0]*s[1], s[2], s[3]
	for t := range taps {
		for i := range in {
			for o := range out {
				f((t*in+i)*out+o, (o*in+i)*taps+t)
			}
		}
	}
}

// The files of a run directory that hold a network.
const (
	BestFile = "checkpoints/best.safetensors"
	LastFile = "checkpoints/last.safetensors"
)

// Resolve returns the checkpoint file that path stands for: the file itself, or in a run directory the best
// or else the last checkpoint.
func Resolve(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("model %s: %w; give the output directory of ptycho train, or a checkpoint file", path, err)
	}
	if !st.IsDir() {
		return path, nil
	}
	for _, name := range []string{BestFile, LastFile, filepath.Base(BestFile), filepath.Base(LastFile)} {
		file := filepath.Join(path, filepath.FromSlash(name))
		if _, err := os.Stat(file); err == nil {
			return file, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("%s: expected a checkpoint, %s or %s, found none; give the output directory of ptycho train, or a file", path, BestFile, LastFile)
}
