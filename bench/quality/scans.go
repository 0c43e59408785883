package main

import (
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"ptycho/data"
)

// star unpacks the measured Siemens star and returns its path.
func (p *program) star() (string, error) {
	packed, err := p.input("siemens-star-small.npz.bz2")
	if err != nil {
		return "", err
	}
	path, _, err := p.once("siemens.npz", func(path string) error { return unpack(path, packed) })
	return path, err
}

func unpack(path, packed string) error {
	in, err := os.Open(packed)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, bzip2.NewReader(in))
	return errors.Join(err, out.Close())
}

// run1084 simulates the scan of Run 1084 with so many photons a frame and returns its path.
func (p *program) run1084(ctx context.Context, photons float64) (string, error) {
	setup, err := p.input("run1084.npz")
	if err != nil {
		return "", err
	}
	path, _, err := p.once(fmt.Sprintf("run1084-%.0e.npz", photons), func(path string) error {
		_, _, err := p.command(ctx, "simulate", "--input_file", setup, "--output_file", path, "--nphotons", strconv.FormatFloat(photons, 'g', -1, 64), "--seed", "1")
		return err
	})
	return path, err
}

// altered writes a scan that f has changed, without the patches of its object, and returns its path.
func (p *program) altered(name, scan string, f func(*data.Dataset) (*data.Dataset, error)) (string, error) {
	path := p.path(name)
	ds, err := data.Load(scan, data.LoadOptions{})
	if err != nil {
		return "", err
	}
	ds.Patches = nil
	if ds, err = f(ds); err != nil {
		return "", err
	}
	return path, data.Save(path, ds, data.SaveOptions{})
}

// train trains a network on a scan and returns its run directory and the seconds that took.
func (p *program) train(ctx context.Context, name, scan string, args ...string) (dir string, seconds float64, err error) {
	dir = p.path(name)
	_, seconds, err = p.command(ctx, append([]string{"train", "--train_data_file", scan, "--output_dir", dir, "--gridsize", "2"}, args...)...)
	return dir, seconds, err
}
