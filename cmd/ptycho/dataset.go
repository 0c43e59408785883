package main

import (
	"errors"
	"fmt"
	"slices"

	"ptycho/data"
)

// dataFlags say how to read a dataset.
type dataFlags struct {
	Domain     string  `help:"What the frames hold, counts or amplitude. By default what the file says of itself, else detected." enum:",counts,amplitude" default:"" placeholder:"counts|amplitude" group:"Data"`
	DC         string  `name:"dc" help:"Where the direct beam is in a frame, centre or corner. By default detected." enum:",centre,corner" default:"" placeholder:"centre|corner" group:"Data"`
	Layout     string  `help:"Axes of the frames, nhw or hwn. By default detected." enum:",nhw,hwn" default:"" placeholder:"nhw|hwn" group:"Data"`
	NPhotons   float64 `name:"nphotons" help:"Mean photons in a frame, where the data do not tell." placeholder:"FLOAT" group:"Data"`
	FlipX      bool    `help:"Negate the x coordinates." group:"Data"`
	FlipY      bool    `help:"Negate the y coordinates." group:"Data"`
	SwapXY     bool    `name:"swap-xy" help:"Exchange x and y coordinates." group:"Data"`
	CoordScale float64 `help:"Multiply the coordinates, for positions that are not in object pixels." default:"1" group:"Data"`
}

func (f *dataFlags) options(n int) data.LoadOptions {
	return data.LoadOptions{
		Domain: f.Domain, DC: f.DC, Layout: f.Layout, NPhotons: f.NPhotons,
		FlipX: f.FlipX, FlipY: f.FlipY, SwapXY: f.SwapXY, CoordScale: f.CoordScale, N: n,
	}
}

// load reads a dataset into memory and tells what was found.
func (f *dataFlags) load(o *output, path string, n int) (*data.Dataset, error) {
	return load(o, path, f.options(n))
}

// stream opens a dataset, whose frames are read when they are needed, and tells what was found.
func (f *dataFlags) stream(o *output, path string) (*data.Dataset, error) {
	opt := f.options(0)
	opt.Stream = true
	return load(o, path, opt)
}

func load(o *output, path string, opt data.LoadOptions) (*data.Dataset, error) {
	ds, err := data.Load(path, opt)
	if err != nil {
		return nil, err
	}
	if err := checkUnit(ds); err != nil {
		return nil, errors.Join(err, ds.Close())
	}
	o.info("", "data", path, "frames", ds.Len(), "N", ds.N, "photons a frame", fmt.Sprintf("%.4g (%s)", ds.Dose, ds.DoseFrom))
	for _, note := range ds.Notes {
		o.info(note, "file", path)
	}
	return ds, nil
}

// checkUnit refuses positions that cannot be in object pixels because all of them lie within one.
func checkUnit(ds *data.Dataset) error {
	rows, cols := slices.Max(ds.Y)-slices.Min(ds.Y), slices.Max(ds.X)-slices.Min(ds.X)
	if ds.Len() < 2 || rows >= 1 || cols >= 1 {
		return nil
	}
	return fmt.Errorf("%s: xcoords, ycoords: expected positions in object pixels, found a scan of %.2g×%.2g pixels; "+
		"divide them by the pixel size with --coord_scale", ds.Path, rows, cols)
}

// frameFlags say which frames of a scan to use.
type frameFlags struct {
	NSubsample         int  `name:"n-subsample" help:"Use only so many frames of the file, chosen at random." placeholder:"INT" group:"Data"`
	SequentialSampling bool `help:"Use the first frames of the file instead: as many as --n-subsample says, else --n-groups." group:"Data"`
}

// subsample keeps the frames of ds to use for a number of groups; all when no number is given or there are no more.
func (f *frameFlags) subsample(ds *data.Dataset, groups int, seed uint64) *data.Dataset {
	count := f.NSubsample
	if count == 0 && f.SequentialSampling {
		count = groups
	}
	if count == 0 || count >= ds.Len() {
		return ds
	}
	frames := data.Subsample(ds.Len(), count, seed)
	if f.SequentialSampling {
		for i := range frames {
			frames[i] = i
		}
	}
	return ds.Select(frames)
}
