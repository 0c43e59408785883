package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// program is the binary with the directories it works in.
type program struct {
	binary, data, work string
	log                io.Writer

	made map[string]made // by the name of the file or directory
}

// made is something that several cases use.
type made struct {
	seconds float64
	err     error
}

// newProgram makes the directory to work in, a temporary one unless it has a name.
func newProgram(binary, data, work string, log io.Writer) (*program, error) {
	path, err := filepath.Abs(binary)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return nil, fmt.Errorf("-binary %s: expected the built program: %w; run make build", binary, err)
	}
	if work == "" {
		work, err = os.MkdirTemp("", "ptycho-quality-")
	} else {
		err = os.MkdirAll(work, 0o777)
	}
	if err != nil {
		return nil, fmt.Errorf("-work: %w", err)
	}
	return &program{binary: path, data: data, work: work, log: log, made: map[string]made{}}, nil
}

func (p *program) say(format string, args ...any) { fmt.Fprintf(p.log, format+"\n", args...) }

// path returns the path of a file or directory to work with.
func (p *program) path(name string) string { return filepath.Join(p.work, name) }

// input returns the path of a file of the measured data, errAbsent unless it is there.
func (p *program) input(name string) (string, error) {
	path := filepath.Join(p.data, name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is %w; give its directory with -data", path, errAbsent)
	} else if err != nil {
		return "", err
	}
	return path, nil
}

// once makes what has this name unless it was made before, and returns its path and the seconds that it took.
func (p *program) once(name string, f func(path string) error) (path string, seconds float64, err error) {
	path = p.path(name)
	m, ok := p.made[name]
	if !ok {
		began := time.Now()
		m.err = f(path)
		m.seconds = time.Since(began).Seconds()
		p.made[name] = m
	}
	return path, m.seconds, m.err
}

// command runs the program and returns what it printed and the seconds it took.
func (p *program) command(ctx context.Context, args ...string) (stdout []byte, seconds float64, err error) {
	p.say("   %s %s", filepath.Base(p.binary), strings.Join(args, " "))
	c := exec.CommandContext(ctx, p.binary, args...)
	var out, diagnostics bytes.Buffer
	c.Stdout, c.Stderr = &out, &diagnostics
	began := time.Now()
	err = c.Run()
	seconds = time.Since(began).Seconds()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(diagnostics.String()), "\n")
		err = fmt.Errorf("ptycho %s: %w: %s", args[0], err, lines[len(lines)-1])
	}
	return out.Bytes(), seconds, err
}

// reconstruction is what run.json and metrics.json say of one.
type reconstruction struct {
	dir   string
	total float64 // seconds that the command took

	run struct {
		Version    string  `json:"version"`
		PeakMemory float64 `json:"peak_rss_bytes"`
		Results    struct {
			Frames  float64 `json:"frames"`
			Seconds float64 `json:"seconds"`
			Sweep   float64 `json:"seconds_a_sweep"`
			Error   float64 `json:"error"`
		} `json:"results"`
	}
	metrics struct {
		GaugeAndPlane *scores `json:"gauge_and_plane"`
		Registered    *scores `json:"registered"`
		Halves        *struct {
			Resolution map[string]struct {
				Pixels  float64 `json:"full_period_pixels"`
				Crossed bool    `json:"crossed"`
			} `json:"resolution"`
		} `json:"half_sets"`
	}
}

// scores are those of a comparison with a known object.
type scores struct {
	E float64 `json:"e"`
}

// reconstruct runs refine or infer on a scan, with its output in the directory of this name.
func (p *program) reconstruct(ctx context.Context, command, name, scan string, args ...string) (r *reconstruction, err error) {
	r = &reconstruction{dir: p.path(name)}
	if _, r.total, err = p.command(ctx, append([]string{command, "--test_data", scan, "--output_dir", r.dir}, args...)...); err != nil {
		return nil, err
	}
	if err := readJSON(filepath.Join(r.dir, "run.json"), &r.run); err != nil {
		return nil, err
	}
	// A scan without a known object, and without a refinement, has no scores.
	if err := readJSON(filepath.Join(r.dir, "metrics.json"), &r.metrics); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return r, nil
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// e returns the distance from the known object after one complex factor and a phase plane, and after a shift where one is open.
func (r *reconstruction) e() (float64, error) {
	switch m := r.metrics; {
	case m.Registered != nil:
		return m.Registered.E, nil
	case m.GaugeAndPlane != nil:
		return m.GaugeAndPlane.E, nil
	}
	return 0, fmt.Errorf("%s: metrics.json: expected scores against a known object, found none", r.dir)
}

// distance reconstructs and returns E.
func (p *program) distance(ctx context.Context, command, name, scan string, args ...string) (*reconstruction, float64, error) {
	r, err := p.reconstruct(ctx, command, name, scan, args...)
	if err != nil {
		return nil, 0, err
	}
	e, err := r.e()
	return r, e, err
}
