package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ptycho/ckpt"
	"ptycho/data"
	"ptycho/model"
	"ptycho/recon"
)

type inspectCmd struct {
	File string `arg:"" help:"Dataset, checkpoint, run directory or reconstruction."`
	JSON bool   `name:"json" help:"For a program."`

	dataFlags `embed:""`
}

// field is one line of a description.
type field struct {
	Name  string
	Value any
}

// Run describes a file.
func (c *inspectCmd) Run(_ context.Context, o *output) error {
	fields, err := c.describe()
	if err != nil {
		return err
	}
	if c.JSON {
		m := map[string]any{}
		for _, f := range fields {
			m[strings.ReplaceAll(f.Name, " ", "_")] = f.Value
		}
		e := json.NewEncoder(o.stdout)
		e.SetIndent("", "  ")
		return e.Encode(m)
	}
	for _, f := range fields {
		text := brief(f.Value)
		if list, ok := f.Value.([]string); ok {
			text = strings.Join(list, "\n"+strings.Repeat(" ", 18))
		}
		if text != "" {
			fmt.Fprintf(o.stdout, "%-16s  %s\n", f.Name, text)
		}
	}
	return nil
}

// describe finds out what kind of file it is.
func (c *inspectCmd) describe() ([]field, error) {
	st, err := os.Stat(c.File)
	if err != nil {
		return nil, fmt.Errorf("%w; give a dataset, a checkpoint, a run directory or a reconstruction", err)
	}
	if st.IsDir() || strings.HasSuffix(c.File, ".safetensors") {
		return describeCheckpoint(c.File)
	}
	load := data.Load
	if z, err := data.OpenNPZ(c.File); err == nil {
		reconstruction := z.Has("object") && z.Has("coverage")
		if !z.Has("diffraction") && !z.Has("diff3d") && !z.Has("data") {
			load = data.LoadSetup
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		if reconstruction {
			return describeReconstruction(c.File)
		}
	}
	opt := c.options(0)
	opt.Stream = true
	ds, err := load(c.File, opt)
	if err != nil {
		return nil, err
	}
	defer ds.Close()
	return c.describeDataset(ds), nil
}

func (c *inspectCmd) describeDataset(ds *data.Dataset) []field {
	f := []field{{"kind", "dataset"}, {"file", c.File}}
	if ds.InMemory() {
		f = append(f, field{"frames", "none: probe, object and positions only"})
	} else {
		f = append(f, field{"frames", fmt.Sprintf("%d of %d×%d, stored as %s", ds.Len(), ds.N, ds.N, ds.Domain)},
			field{"photons a frame", fmt.Sprintf("%.4g (%s), brightest pixel %.4g", ds.Dose, ds.DoseFrom, ds.Peak)})
	}
	if ds.Probe != nil {
		f = append(f, field{"probe", fmt.Sprintf("%d×%d, %d mode(s), diameter %.1f px (D4σ)", ds.N, ds.N, ds.Modes, data.Diameter(ds.Probe, ds.N))})
	}
	if ds.Len() > 0 {
		f = append(f, field{"positions", fmt.Sprintf("x %.2f … %.2f, y %.2f … %.2f px, nearest neighbour %.2f px", slices.Min(ds.X), slices.Max(ds.X), slices.Min(ds.Y), slices.Max(ds.Y), data.MedianStep(ds.X, ds.Y))},
			field{"overlap", fmt.Sprintf("%.0f %%", 100*ds.Overlap())})
	}
	if ds.Object != nil {
		f = append(f, field{"known object", fmt.Sprintf("%d×%d", ds.Object.Rows, ds.Object.Cols)})
	}
	if ds.Metadata.Generator != "" {
		f = append(f, field{"written by", ds.Metadata.Generator})
	}
	return append(f, field{"notes", ds.Notes})
}

func describeCheckpoint(path string) ([]field, error) {
	path, err := model.Resolve(path)
	if err != nil {
		return nil, err
	}
	raw, err := ckpt.Read(path)
	if err != nil {
		return nil, err
	}
	if raw.Meta["format"] != model.Format {
		var names []string
		for _, t := range raw.Tensors {
			names = append(names, fmt.Sprintf("%s %v", t.Name, t.Shape))
		}
		return []field{{"kind", "tensors"}, {"file", path}, {"format", raw.Meta["format"]}, {"tensors", names}}, nil
	}
	net, meta, err := model.Load(path)
	if err != nil {
		return nil, err
	}
	c := &net.Config
	return []field{
		{"kind", "checkpoint"},
		{"file", path},
		{"network", fmt.Sprintf("%s, N=%d, gridsize=%d, n_filters_scale=%d", c.ModelType, c.N, c.Gridsize, c.Filters)},
		{"weights", net.Weights()},
		{"heads", fmt.Sprintf("amplitude %s, phase π·tanh, probe_big %t, object_big %t", c.AmpActivation, c.ProbeBig, c.ObjectBig)},
		{"probe", fmt.Sprintf("%d mode(s), probe_scale %.4g, trainable %t", c.ProbeModes, c.ProbeScale, c.ProbeTrainable)},
		{"intensity scale", c.IntensityScale},
		{"loss", fmt.Sprintf("nll %g, mae %g, amp-mse %g, realspace %g", c.Loss.NLL, c.Loss.MAE, c.Loss.MSE, c.Loss.Realspace)},
		{"trained", fmt.Sprintf("%s epochs, %s steps, best loss %s in epoch %s", meta["epochs"], meta["steps"], meta["best_loss"], meta["best_epoch"])},
		{"seed", c.Seed},
	}, nil
}

func describeReconstruction(path string) ([]field, error) {
	r, err := recon.Load(path)
	if err != nil {
		return nil, err
	}
	covered, low, high := r.Range()
	return []field{
		{"kind", "reconstruction"},
		{"file", path},
		{"size", fmt.Sprintf("%d×%d px, element [0,0] at row %d, column %d", r.Object.Rows, r.Object.Cols, r.Origin[0], r.Origin[1])},
		{"covered", fmt.Sprintf("%.1f %%", 100*covered)},
		{"amplitude", fmt.Sprintf("%.4g … %.4g where covered", low, high)},
		{"patches", len(r.X)},
		{"probe", fmt.Sprintf("%d×%d, %d mode(s)", r.N, r.N, r.Modes)},
		{"run", recordOf(path)},
	}, nil
}

// recordOf returns the record of the command that wrote a reconstruction.
func recordOf(path string) string {
	beside := filepath.Join(filepath.Dir(path), "infer.json")
	if _, err := os.Stat(beside); err == nil {
		return beside
	}
	return filepath.Join(filepath.Dir(path), "run.json")
}
