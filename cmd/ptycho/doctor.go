package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"ptycho/doctor"
)

type doctorCmd struct {
	File string `arg:"" help:"Dataset."`
	JSON bool   `name:"json" help:"For a program."`
	Fix  string `help:"Write the scan with what was found corrected to this NPZ file." placeholder:"FILE"`
	Seed uint64 `help:"Of the trials." default:"42"`

	dataFlags `embed:""`
}

// marks are how a finding begins, by severity.
var marks = map[doctor.Severity]string{doctor.OK: "ok", doctor.Note: "note", doctor.Warn: "warning", doctor.Fatal: "problem"}

// errUnfit is how the examination of a scan ends that is not worth a training.
var errUnfit = errors.New("training on this scan would be pointless before the problems are solved")

// Run examines a scan.
func (c *doctorCmd) Run(ctx context.Context, o *output) error {
	r, err := doctor.Examine(ctx, c.File, doctor.Options{Load: c.options(0), Seed: c.Seed})
	if err != nil {
		return err
	}
	if err := c.print(r, o); err != nil {
		return err
	}
	if c.Fix != "" {
		done, err := r.Fix(c.Fix)
		if err != nil {
			return err
		}
		if done == nil {
			done = []string{"nothing to correct"}
		}
		for _, text := range done {
			o.info(text, "file", c.Fix)
		}
	}
	if r.Fatal() {
		return errUnfit
	}
	return nil
}

func (c *doctorCmd) print(r *doctor.Report, o *output) error {
	if c.JSON {
		e := json.NewEncoder(o.stdout)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			*doctor.Report
			Fatal bool `json:"fatal"`
		}{r, r.Fatal()})
	}
	for _, f := range r.Findings {
		text := f.Text
		if f.Remedy != "" {
			text += "; " + f.Remedy
		}
		if _, err := fmt.Fprintf(o.stdout, "%-8s %-14s %s\n", marks[f.Severity], f.Name, text); err != nil {
			return err
		}
	}
	return nil
}
