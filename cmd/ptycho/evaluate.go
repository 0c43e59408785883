package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"ptycho/data"
	"ptycho/model"
	"ptycho/train"
)

// testScan is a scan on which the trained network is evaluated.
type testScan struct {
	*data.Dataset
	groups []data.Group
}

// loadTest reads the test scan, before any time is spent on training.
func (c *trainCmd) loadTest(o *output, net *model.Network) (*testScan, error) {
	ds, err := c.load(o, c.TestDataFile, net.Config.N)
	if err != nil {
		return nil, err
	}
	groups, err := ds.Groups(data.GroupOptions{Gridsize: c.Gridsize, NGroups: min(c.NGroups, ds.Len()), Mode: data.GroupNearest, Seed: c.Seed})
	if err != nil {
		return nil, err
	}
	if _, err := net.NewSource(ds, groups); err != nil {
		return nil, err
	}
	return &testScan{ds, groups}, nil
}

// evaluate evaluates the best weights on the test scan.
func (c *trainCmd) evaluate(ctx context.Context, o *output, test *testScan) (map[string]any, error) {
	net, _, err := model.Load(filepath.Join(c.OutputDir, filepath.FromSlash(model.BestFile)))
	if err != nil {
		return nil, err
	}
	loss, excess, err := train.Evaluate(ctx, net, test.Dataset, test.groups, c.Workers)
	if errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("%w in the evaluation on %s; the training is done and its results are in %s", errInterrupted, test.Path, c.OutputDir)
	}
	if err != nil {
		return nil, fmt.Errorf("evaluation after the training, which is done: %w", err)
	}
	o.info("", "test", test.Path, "groups", len(test.groups), "loss", loss, "excess NLL", excess)
	return map[string]any{"file": test.Path, "groups": len(test.groups), "loss": loss, "excess_nll": excess}, nil
}
