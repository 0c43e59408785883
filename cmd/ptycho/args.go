package main

import (
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// normalise brings the spellings of flags that users of the original program have in their scripts into
// the one that the parser knows: --a_b and -a_b become --a-b, a boolean flag that is followed by true or
// false takes it as its value, and any other flag a negative number.
func normalise(app *kong.Application, args []string) []string {
	flags := flagsByName(app)
	var out []string
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return append(out, args[i:]...)
		}
		if len(a) < 2 || a[0] != '-' {
			out = append(out, a)
			continue
		}
		name, value, hasValue := strings.Cut(strings.TrimLeft(a, "-"), "=")
		name = canonical(name)
		f := flags[name]
		if f == nil && !strings.HasPrefix(a, "--") {
			out = append(out, a)
			continue
		}
		if f != nil && !hasValue && i+1 < len(args) && belongs(f, args[i+1]) {
			i++
			value, hasValue = args[i], true
		}
		if f != nil && f.IsBool() {
			value = strings.ToLower(value)
		}
		a = "--" + name
		if hasValue {
			a += "=" + value
		}
		out = append(out, a)
	}
	return out
}

// flagsByName returns the flags of all commands, also by their other names.
func flagsByName(app *kong.Application) map[string]*kong.Flag {
	flags := map[string]*kong.Flag{}
	for _, n := range append([]*kong.Node{app.Node}, app.Children...) {
		for _, f := range n.Flags {
			for _, name := range append([]string{f.Name}, f.Aliases...) {
				flags[name] = f
			}
		}
	}
	return flags
}

// belongs reports whether the parser would not see that the argument next is the value of flag f.
func belongs(f *kong.Flag, next string) bool {
	if f.IsBool() {
		return isBoolWord(next)
	}
	_, err := strconv.ParseFloat(next, 64)
	return err == nil && next[0] == '-'
}

// canonical is the spelling of a flag's name in the parser: lower case with hyphens, but for the frame side N.
func canonical(name string) string {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	if name == "n" {
		return "N"
	}
	return name
}

func isBoolWord(s string) bool {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no":
		return true
	}
	return false
}

// ignoredFlags are flags of the original program that ask for nothing here: there is one back-end, every run is
// reproducible, history.csv is always written, and there is no MLflow.
type ignoredFlags struct {
	DisableMlflow           bool   `hidden:""`
	Backend                 string `hidden:""`
	Logger                  string `hidden:""`
	Deterministic           bool   `hidden:"" negatable:""`
	EnableCheckpointing     bool   `hidden:""`
	PositionsProvided       bool   `hidden:""`
	IntensityScaleTrainable bool   `hidden:""`
}
