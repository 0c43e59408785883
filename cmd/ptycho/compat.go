package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// settings are the flags that one source gives, the command line or a configuration file.
type settings struct {
	command string
	dashes  string                // before the names of flags in this source
	own     map[string]*kong.Flag // the command's flags, by all their names
	given   map[string]setting    // by a flag's own name
	notes   []string              // what has no effect, and why
	errs    []error
}

// setting is a value of a flag, and under which name and as what it was given.
type setting struct{ name, was, value string }

func newSettings(app *kong.Application, command, dashes string) *settings {
	return &settings{command: command, dashes: dashes, own: commandFlags(app, command), given: map[string]setting{}}
}

// set takes down that a flag is given. Two names, its own ones or those of old flags that become it, must not
// give it different values.
func (s *settings) set(f *kong.Flag, now setting) {
	before, ok := s.given[f.Name]
	if ok && before.name != now.name && !sameValue(before.value, now.value) {
		s.errs = append(s.errs, fmt.Errorf("%s%s %s and %s%s %s are the same flag; give one of them",
			s.dashes, before.name, before.was, s.dashes, now.name, now.was))
	}
	s.given[f.Name] = now
}

// translate returns the flag that an old one with a value becomes here, or an empty name when it has no effect.
func (s *settings) translate(old *oldFlag, name, value string) (flag, newValue string) {
	becomes, ok := old.becomes[whatever]
	listed := false
	for v, b := range old.becomes {
		if v != whatever && sameValue(v, value) {
			becomes, ok, listed = b, true, true
		}
	}
	given := s.dashes + name
	if old.takes != aSwitch && value != "" {
		given += " " + value
	}
	switch {
	case !ok:
		s.errs = append(s.errs, fmt.Errorf("%s: %s%s", given, old.why, old.choices()))
	case becomes == "" && !listed:
		s.notes = append(s.notes, given+" has no effect: "+old.why)
	}
	if becomes == "" {
		return "", ""
	}
	flag, newValue, _ = strings.Cut(strings.ReplaceAll(becomes, whatever, value), "=")
	newValue, _ = s.modern(s.own[flag], name, newValue)
	s.set(s.own[flag], setting{name, value, newValue})
	return flag, newValue
}

// modern returns what an old value of a flag, given under some name, is here, and whether it was one.
func (s *settings) modern(f *kong.Flag, name, value string) (string, bool) {
	for _, old := range oldValues() {
		if f.Name == old.flag && strings.EqualFold(value, old.value) {
			s.notes = append(s.notes, fmt.Sprintf("%s%s %s is %s: %s", s.dashes, name, value, old.becomes, old.why))
			return old.becomes, true
		}
	}
	return value, false
}

// choices says which values an old flag may have.
func (f *oldFlag) choices() string {
	if len(f.becomes) == 0 {
		return ""
	}
	return "; expected " + strings.Join(slices.Sorted(maps.Keys(f.becomes)), " or ")
}

// err returns everything that is wrong with the flags.
func (s *settings) err() error { return errors.Join(s.errs...) }

// findOld returns the old flag of a command with a name in canonical spelling, or nil.
func findOld(command, name string) *oldFlag {
	return oldNames()[[2]string{command, name}]
}

// commandFlags returns the flags of a command, or without one those of the program, by all their names.
func commandFlags(app *kong.Application, command string) map[string]*kong.Flag {
	flags := map[string]*kong.Flag{}
	for _, n := range append([]*kong.Node{app.Node}, app.Children...) {
		if n.Name != command && n != app.Node {
			continue
		}
		for _, f := range n.Flags {
			for _, name := range append([]string{f.Name}, f.Aliases...) {
				flags[name] = f
			}
		}
	}
	return flags
}

// sameValue reports whether two texts are the same word, number or truth value.
func sameValue(a, b string) bool {
	if x, err := strconv.ParseFloat(a, 64); err == nil {
		if y, err := strconv.ParseFloat(b, 64); err == nil {
			return x == y
		}
	}
	x, ok := truth(a)
	y, ok2 := truth(b)
	return strings.EqualFold(a, b) || ok && ok2 && x == y
}

// truth reads a word for true or false.
func truth(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true, true
	case "false", "no", "off", "0":
		return false, true
	}
	return false, false
}
