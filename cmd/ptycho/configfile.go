package main

import (
	"fmt"
	"maps"
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
// - or _; they may be grouped in sections, whose names do not matter ("train:", "model:"). Flags that another
// command has and this one has not are passed over. The notes are on flags that have no effect.
func configResolver(app *kong.Application, args []string) (r *fileResolver, notes []string, err error) {
	path := configPath(args)
	if path == "" {
		return nil, nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w; check --config", err)
	}
	var top map[string]any
	if err := yaml.Unmarshal(text, &top); err != nil {
		return nil, nil, usagef("configuration %s: expected YAML or JSON with flag names as keys: %s", path, yaml.FormatError(err, false, true))
	}
	r = &fileResolver{path: path, values: map[string]any{}}
	if err := r.add(top); err != nil {
		return nil, nil, usageError{err}
	}
	if notes, err = r.translate(app, command(app, args)); err != nil {
		return nil, nil, usagef("configuration %s: %w", path, err)
	}
	return r, notes, nil
}

func configPath(args []string) string {
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
	return path
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

// translate replaces old flags of the command. A key that is a flag of any command of this program means that,
// since one file may serve them all.
func (r *fileResolver) translate(app *kong.Application, command string) (notes []string, err error) {
	s, all := newSettings(app, command, ""), allFlags(app)
	for _, name := range slices.Sorted(maps.Keys(r.values)) {
		value := fmt.Sprint(r.values[name])
		if f := s.own[name]; f != nil {
			is, old := s.modern(f, name, value)
			if old {
				r.values[name] = is
			}
			s.set(f, setting{name, value, is})
			continue
		}
		old := findOld(command, name)
		if old == nil || all[name] != nil {
			continue
		}
		if flag, v := s.translate(old, name, value); flag != "" {
			r.values[flag] = v
		}
	}
	return s.notes, s.err()
}

// Validate implements kong.Resolver: a key that is no flag of any command, old ones included, is an error.
func (r *fileResolver) Validate(app *kong.Application) error {
	known := allFlags(app)
	for _, f := range oldFlags() {
		for _, name := range strings.Fields(f.names) {
			known[name] = &kong.Flag{}
		}
	}
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

// Resolve implements kong.Resolver. A flag may be given under any of its names, and yields to one on the command
// line that excludes it.
func (r *fileResolver) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, p := range ctx.Path {
		if p.Flag != nil && !p.Resolved && slices.ContainsFunc(p.Flag.Xor, func(g string) bool { return slices.Contains(flag.Xor, g) }) {
			return nil, nil
		}
	}
	for _, name := range append([]string{flag.Name}, flag.Aliases...) {
		v, ok := r.values[name]
		switch {
		case ok && flag.IsBool():
			return boolean(fmt.Sprint(v)), nil
		case ok:
			return fmt.Sprint(v), nil
		}
	}
	return nil, nil
}

// allFlags returns the flags of all commands, by all their names.
func allFlags(app *kong.Application) map[string]*kong.Flag {
	flags := map[string]*kong.Flag{}
	for _, c := range app.Children {
		maps.Copy(flags, commandFlags(app, c.Name))
	}
	return flags
}
