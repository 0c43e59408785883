package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"

	"ptycho/data"
	"ptycho/doctor"
	"ptycho/internal/rng"
)

// orientations has the doctor name all ways in which frames can be turned, and name none where the probe is useless.
func orientations(ctx context.Context, p *program) (f figures, err error) {
	star, err := p.star()
	if err != nil {
		return f, err
	}
	f.table = &table{title: "What the doctor says of the Siemens star", header: []string{"frames turned by", "finding", "seconds"}}
	var right, named int
	var longest float64
	examine := func(what string, alter func(*data.Dataset) (*data.Dataset, error)) (*doctor.Orientation, error) {
		scan, err := p.altered("turned.npz", star, alter)
		if err != nil {
			return nil, err
		}
		found, text, seconds, err := p.orientation(ctx, scan)
		f.table.rows = append(f.table.rows, []string{what, text, number(seconds)})
		longest = max(longest, seconds)
		return found, err
	}
	for o := range data.Orientation(data.Orientations) {
		found, err := examine(o.String()+", probe of the file", func(ds *data.Dataset) (*data.Dataset, error) { return ds.Oriented(o) })
		if err != nil {
			return f, err
		}
		if names(found, o.Inverse()) {
			right++
		}
	}
	for _, u := range useless {
		found, err := examine("as stored, "+u.name, func(ds *data.Dataset) (*data.Dataset, error) {
			ds.Probe, ds.Modes = u.probe(ds.N), 1
			return ds, nil
		})
		if err != nil {
			return f, err
		}
		if found != nil {
			named++
		}
	}
	f.add("named right, of 8", float64(right))
	f.add("named with useless probes", float64(named))
	f.add("longest, s", longest)
	return f, nil
}

// useless are probes that have nothing to do with any scan.
var useless = []struct {
	name  string
	probe func(n int) []complex64
}{
	{"probe of noise", func(n int) []complex64 {
		r := rng.New(1, "probe", 0)
		v := make([]complex64, n*n)
		for i := range v {
			v[i] = complex(float32(r.NormFloat64()), float32(r.NormFloat64()))
		}
		return v
	}},
	{"probe that is one everywhere", func(n int) []complex64 {
		v := make([]complex64, n*n)
		for i := range v {
			v[i] = 1
		}
		return v
	}},
}

// orientation returns what the doctor finds out on the orientation of a scan, nil where it cannot tell, how it says so, and the
// seconds it takes. It ends with an exit code when it finds a problem.
func (p *program) orientation(ctx context.Context, scan string) (found *doctor.Orientation, text string, seconds float64, err error) {
	out, seconds, err := p.command(ctx, "doctor", "--json", scan)
	var ended *exec.ExitError
	if err != nil && (!errors.As(err, &ended) || ended.ExitCode() != 1) {
		return nil, "", seconds, err
	}
	var r doctor.Report
	if bad := json.Unmarshal(out, &r); bad != nil {
		return nil, "", seconds, errors.Join(err, fmt.Errorf("ptycho doctor --json: %w", bad))
	}
	for _, f := range r.Findings {
		if f.Name == "orientation" {
			return r.Orientation, f.Text, seconds, nil
		}
	}
	return nil, "", seconds, fmt.Errorf("ptycho doctor %s: expected a finding on the orientation, found none", scan)
}

// names tells whether o, and nothing else, was found to be done to the frames.
func names(found *doctor.Orientation, o data.Orientation) bool {
	return found != nil && *found == (doctor.Orientation{Frames: o.String()})
}
