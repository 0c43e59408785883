package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// normaliser brings the flags that users of the original program have in their scripts into the form that the
// parser knows: --a_b and -a_b become --a-b, a boolean flag that is followed by a word for true or false takes
// it as its value, any other flag a negative number, and old flags become those of this program.
type normaliser struct {
	*settings
	rest, out []string
}

// normalise returns the command line for the parser and notes on flags that have no effect. An error reports
// old flags that are refused, and flags that contradict each other.
func normalise(app *kong.Application, args []string) (out, notes []string, err error) {
	n := &normaliser{settings: newSettings(app, command(app, args), "--"), rest: args}
	for len(n.rest) > 0 && n.rest[0] != "--" {
		if a := n.next(); len(a) < 2 || a[0] != '-' {
			n.out = append(n.out, a)
		} else {
			n.flag(a)
		}
	}
	return append(n.out, n.rest...), n.notes, n.err()
}

// command returns the command that a command line begins with, if any.
func command(app *kong.Application, args []string) string {
	for _, c := range app.Children {
		if len(args) > 0 && c.Name == args[0] {
			return c.Name
		}
	}
	return ""
}

func (n *normaliser) next() string {
	a := n.rest[0]
	n.rest = n.rest[1:]
	return a
}

// flag adds a flag, with its value unless the parser will find that behind it.
func (n *normaliser) flag(a string) {
	name, value, hasValue := strings.Cut(strings.TrimLeft(a, "-"), "=")
	name = canonical(name)
	f, old := n.own[name], findOld(n.command, name)
	switch {
	case f != nil:
		value, hasValue = n.value(f, name, value, hasValue)
	case old != nil:
		if !hasValue {
			value = n.take(old, name)
		}
		if name, value = n.translate(old, name, value); name == "" {
			return
		}
		hasValue = true
	case !strings.HasPrefix(a, "--"):
		n.out = append(n.out, a)
		return
	}
	a = "--" + name
	if hasValue {
		a += "=" + value
	}
	n.out = append(n.out, a)
}

// value completes the value of flag f, given under a name of it, where the parser would not see it, and takes down what f is set to.
func (n *normaliser) value(f *kong.Flag, name, value string, hasValue bool) (string, bool) {
	if !hasValue && len(n.rest) > 0 && belongs(f, n.rest[0]) {
		value, hasValue = n.next(), true
	}
	was := value
	switch {
	case f.IsBool() && hasValue:
		value = boolean(value)
		was = value
	case f.IsBool():
		was = "true"
	case !hasValue && len(n.rest) > 0:
		was = n.rest[0]
	}
	is, old := n.modern(f, name, was)
	if old && !hasValue {
		n.next()
	}
	if old {
		value, hasValue = is, true
	}
	n.set(f, setting{name, was, is})
	return value, hasValue
}

// take returns the value that follows an old flag.
func (n *normaliser) take(old *oldFlag, name string) string {
	follows := func() bool { return len(n.rest) > 0 && (!strings.HasPrefix(n.rest[0], "-") || negative(n.rest[0])) }
	switch old.takes {
	case aSwitch:
		if len(n.rest) > 0 {
			if _, ok := truth(n.rest[0]); ok {
				return n.next()
			}
		}
		return "true"
	case perhaps:
		if !follows() {
			return ""
		}
	case many:
		var values []string
		for follows() {
			values = append(values, n.next())
		}
		return strings.Join(values, " ")
	}
	if !follows() {
		n.errs = append(n.errs, fmt.Errorf("--%s: expected a value", name))
		return ""
	}
	return n.next()
}

// belongs reports whether the parser would not see that the argument next is the value of flag f.
func belongs(f *kong.Flag, next string) bool {
	if f.IsBool() {
		_, ok := truth(next)
		return ok
	}
	return negative(next)
}

// negative reports whether s is a negative number and not a flag.
func negative(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && s[0] == '-'
}

// boolean returns a word for true or false as the parser knows it.
func boolean(s string) string {
	if v, ok := truth(s); ok {
		return strconv.FormatBool(v)
	}
	return s
}

// canonical is the spelling of a flag's name in the parser: lower case with hyphens, but for the frame side N.
func canonical(name string) string {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	if name == "n" {
		return "N"
	}
	return name
}
