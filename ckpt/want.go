package ckpt

import (
	"fmt"
	"slices"
	"strings"
)

// Spec is what a caller expects of one tensor. An empty DType stands for F32.
type Spec struct {
	Name  string
	Shape []int
	DType DType
}

func (s Spec) dtype() DType {
	if s.DType == "" {
		return F32
	}
	return s.DType
}

// MismatchError lists how the tensors of a file differ from those a program expects.
type MismatchError struct {
	Path    string   // the file
	Missing []string // names that are expected but not in the file
	Extra   []string // names in the file that are not expected
	Shaped  []string // tensors of the wrong shape or type, each with expected and found
}

// Error implements error.
func (e *MismatchError) Error() string {
	var b strings.Builder
	path := e.Path
	if path == "" {
		path = "checkpoint"
	}
	fmt.Fprintf(&b, "ckpt: %s does not fit the configured network", path)
	for _, part := range []struct {
		what  string
		names []string
	}{{"missing", e.Missing}, {"unexpected", e.Extra}, {"wrong shape or type", e.Shaped}} {
		if len(part.names) > 0 {
			fmt.Fprintf(&b, "\n  %s (%d): %s", part.what, len(part.names), strings.Join(part.names, ", "))
		}
	}
	b.WriteString("\n  use the configuration that the checkpoint was trained with, or train anew")
	return b.String()
}

// Want checks that f holds exactly the tensors of specs, in any order. The error is a *MismatchError with
// every missing, unexpected and mis-shaped tensor. It panics when specs name a tensor twice.
func (f *File) Want(specs []Spec) error {
	e := f.compare(specs)
	wanted := make(map[string]bool, len(specs))
	for _, s := range specs {
		if wanted[s.Name] {
			panic(fmt.Sprintf("ckpt: tensor %q is wanted twice", s.Name))
		}
		wanted[s.Name] = true
	}
	for _, t := range f.Tensors {
		if !wanted[t.Name] {
			e.Extra = append(e.Extra, fmt.Sprintf("%q", t.Name))
		}
	}
	return e.orNil()
}

// Has checks that f holds the tensors of specs, whatever else it holds. The error is a *MismatchError.
func (f *File) Has(specs ...Spec) error { return f.compare(specs).orNil() }

// compare lists which tensors of specs are missing or mis-shaped.
func (f *File) compare(specs []Spec) *MismatchError {
	e := &MismatchError{Path: f.Path}
	byName := make(map[string]*Tensor, len(f.Tensors))
	for i := range f.Tensors {
		byName[f.Tensors[i].Name] = &f.Tensors[i]
	}
	for _, s := range specs {
		t := byName[s.Name]
		switch {
		case t == nil:
			e.Missing = append(e.Missing, fmt.Sprintf("%q", s.Name))
		case t.DType() != s.dtype() || !slices.Equal(t.Shape, s.Shape):
			e.Shaped = append(e.Shaped, fmt.Sprintf("%q (expected %s %v, found %s %v)",
				s.Name, s.dtype(), s.Shape, t.DType(), t.Shape))
		}
	}
	return e
}

func (e *MismatchError) orNil() error {
	if len(e.Missing)+len(e.Extra)+len(e.Shaped) == 0 {
		return nil
	}
	return e
}
