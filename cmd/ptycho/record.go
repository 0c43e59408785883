package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"ptycho/internal/atomicfile"
	"ptycho/internal/kernel"
	"ptycho/internal/usage"
	"ptycho/model"
	"ptycho/refine"
	"ptycho/train"
)

// resolved is the configuration that a run really had.
type resolved struct {
	Model  *model.Config   `json:"model,omitempty"`
	Train  *train.Config   `json:"train,omitempty"`
	Refine *refine.Options `json:"refine,omitempty"`
	Flags  map[string]any  `json:"flags"` // by name, defaults and configuration file included
}

// runRecord is what run.json holds: how a result was made, and on what.
type runRecord struct {
	Command  string   `json:"command"`
	Args     []string `json:"args"`
	Version  string   `json:"version"`
	Go       string   `json:"go"`
	Platform string   `json:"platform"`
	Kernel   string   `json:"kernel"`
	Cores    int      `json:"cores"`
	attempt
	Earlier []attempt         `json:"earlier_starts,omitempty"` // of a run that was resumed, the first one first
	Inputs  map[string]string `json:"inputs_sha256"`
	Config  resolved          `json:"config"`
	Results map[string]any    `json:"results,omitempty"`
	Notes   []string          `json:"notes,omitempty"`
}

// attempt is the work of one process on a run.
type attempt struct {
	Started    time.Time  `json:"started"`
	Finished   *time.Time `json:"finished"`     // null while the run goes on, or when it was interrupted or failed
	Wall       float64    `json:"wall_seconds"` // until the record was written, as are the next two
	CPU        float64    `json:"cpu_seconds"`
	PeakMemory int64      `json:"peak_rss_bytes"`
}

func newRunRecord(command string, o *output) *runRecord {
	return &runRecord{
		Command: command, Args: o.args, Config: resolved{Flags: o.values}, Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Kernel: kernel.Name(), Cores: runtime.GOMAXPROCS(0), attempt: attempt{Started: time.Now()}, Inputs: map[string]string{},
	}
}

// inputs adds the SHA-256 of files; empty names are left out.
func (r *runRecord) inputs(paths ...string) error {
	for _, p := range paths {
		if p == "" {
			continue
		}
		sum, err := fileSum(p)
		if err != nil {
			return fmt.Errorf("%w; check the path", err)
		}
		r.Inputs[p] = sum
	}
	return nil
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// resume takes over the earlier starts of the run in dir that is resumed, as far as there is a record of them.
func (r *runRecord) resume(dir string) {
	var before runRecord
	b, err := os.ReadFile(filepath.Join(dir, r.name(dir)))
	if err == nil && json.Unmarshal(b, &before) == nil && before.Command == r.Command {
		r.Earlier = append(before.Earlier, before.attempt)
	}
}

// write stores the record in dir; a record with results is that of a finished run.
func (r *runRecord) write(dir string) error {
	now, u := time.Now(), usage.Now()
	r.Wall, r.CPU, r.PeakMemory = now.Sub(r.Started).Seconds(), u.CPU.Seconds(), u.Peak
	if r.Results != nil {
		r.Finished = &now
	}
	return writeJSON(filepath.Join(dir, r.name(dir)), r)
}

func writeJSON(path string, v any) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	})
}

// writable makes the output directory and sees that files can be made in it, before anything is computed.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("output directory %s: %w; choose one that can be written", dir, err)
	}
	f, err := os.CreateTemp(dir, ".writable")
	if err != nil {
		return fmt.Errorf("output directory %s: %w; choose one that can be written", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// name returns the file for the record: run.json, or COMMAND.json beside the record of another command, as when
// a reconstruction is written into the run directory of its training.
func (r *runRecord) name(dir string) string {
	var other struct {
		Command string `json:"command"`
	}
	b, err := os.ReadFile(filepath.Join(dir, "run.json"))
	if err == nil && json.Unmarshal(b, &other) == nil && other.Command != "" && other.Command != r.Command {
		return r.Command + ".json"
	}
	return "run.json"
}
