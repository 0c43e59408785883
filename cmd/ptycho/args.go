package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// normalise brings the spellings of flags that users of the original program have in their scripts into
// the one that the parser knows: --a_b and -a_b become --a-b, and a boolean flag that is followed by true or
// false takes it as its value.
func normalise(app *kong.Application, args []string) ([]string, error) {
	flags := map[string]*kong.Flag{}
	for _, n := range append([]*kong.Node{app.Node}, app.Children...) {
		for _, f := range n.Flags {
			flags[f.Name] = f
		}
	}
	var out []string
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return append(out, args[i:]...), nil
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
		if f != nil && f.IsBool() {
			if !hasValue && i+1 < len(args) && isBoolWord(args[i+1]) {
				i++
				value, hasValue = args[i], true
			}
			value = strings.ToLower(value)
		}
		a = "--" + name
		if hasValue {
			a += "=" + value
		}
		out = append(out, a)
	}
	return out, nil
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
