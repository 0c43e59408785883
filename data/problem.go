package data

import (
	"errors"
	"strings"
)

// Problem is one thing that is wrong with a file: where it is, what was expected and found there, and
// what to do about it. Key is empty when the file as a whole is meant.
type Problem struct {
	File, Key, Expected, Found, Remedy string
}

// Error returns the problem in one line.
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString("expected " + p.Expected + ", found " + p.Found)
	if p.Remedy != "" {
		b.WriteString("; " + p.Remedy)
	}
	return b.String()
}

// Problems is everything that is wrong with one file.
type Problems []Problem

// Error returns one line a problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems one by one, for errors.As.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// at returns err as a Problem of the given file and key.
func at(err error, file, key string) Problem {
	var p Problem
	if !errors.As(err, &p) {
		p = Problem{Expected: "readable data", Found: err.Error(), Remedy: "write or copy the file again"}
	}
	p.File, p.Key = file, key
	return p
}
