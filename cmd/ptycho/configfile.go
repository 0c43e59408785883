package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// fileResolver gives flags that are not on the command line the values of a configuration file.
type fileResolver struct {
	path   string
	values map[string]any // by canonical flag name
}

// configResolver reads the file that --config names, YAML or JSON; nil without one. Keys are flag names with
// - or _; they may be grouped in sections, whose names do not matter ("train:", "model:").
func configResolver(args []string) (*fileResolver, error) {
	path := ""
	for i, a := range args {
		if a == "--" {
			break
		}
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			path = v
		} else if a == "--config" && i+1 < len(args) {
			path = args[i+1]
		}
	}
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w; check --config", err)
	}
	var top map[string]any
	if err := yaml.Unmarshal(text, &top); err != nil {
		return nil, fmt.Errorf("configuration %s: expected YAML or JSON with flag names as keys: %s", path, yaml.FormatError(err, false, true))
	}
	r := &fileResolver{path: path, values: map[string]any{}}
	if err := r.add(top); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *fileResolver) add(section map[string]any) error {
	for key, v := range section {
		switch v := v.(type) {
		case map[string]any:
			if err := r.add(v); err != nil {
				return err
			}
		case nil:
		default:
			name := canonical(key)
			if _, ok := r.values[name]; ok {
				return fmt.Errorf("configuration %s: key %s is given twice", r.path, key)
			}
			r.values[name] = v
		}
	}
	return nil
}

// Validate implements kong.Resolver: a key that is no flag of any command is an error.
func (r *fileResolver) Validate(app *kong.Application) error {
	known := flagsByName(app)
	var unknown []string
	for k := range r.values {
		if known[k] == nil || k == "config" {
			unknown = append(unknown, k)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return fmt.Errorf("configuration %s: unknown key %s; keys are the names of flags, see ptycho <command> --help", r.path, strings.Join(unknown, ", "))
}

// Resolve implements kong.Resolver. A flag may be given under any of its names, but once.
func (r *fileResolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	found := ""
	for _, name := range append([]string{flag.Name}, flag.Aliases...) {
		if _, ok := r.values[name]; !ok {
			continue
		}
		if found != "" {
			return nil, fmt.Errorf("configuration %s: %s and %s are the same flag; give one of them", r.path, found, name)
		}
		found = name
	}
	if found == "" {
		return nil, nil
	}
	return fmt.Sprint(r.values[found]), nil
}
