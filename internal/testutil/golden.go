package testutil

import (
	"os"
	"path/filepath"
	"testing"

	"ptycho/data"
)

// File is one NPZ file of golden values. Its methods end the test if a key is missing or of another type.
type File struct {
	t      testing.TB
	name   string
	arrays map[string]data.Array
}

// Golden reads testdata/golden/name of the module that the test belongs to.
func Golden(t testing.TB, name string) *File {
	t.Helper()
	return open(t, filepath.Join(moduleRoot(t), "testdata", "golden", name))
}

func open(t testing.TB, path string) *File {
	t.Helper()
	arrays, err := data.ReadNPZ(path)
	if err != nil {
		t.Fatalf("golden values: %v", err)
	}
	return &File{t, filepath.Base(path), arrays}
}

// moduleRoot returns the nearest directory above the working directory, a package's while it is tested, that
// holds go.mod.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("golden values: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatalf("golden values: no go.mod above the working directory")
		}
		dir = up
	}
}

// Has reports whether the file has the key.
func (f *File) Has(key string) bool {
	_, ok := f.arrays[key]
	return ok
}

// Array returns the array of the key.
func (f *File) Array(key string) data.Array {
	f.t.Helper()
	a, ok := f.arrays[key]
	if !ok {
		f.t.Fatalf("golden values: %s has no %q", f.name, key)
	}
	return a
}

// Shape returns the shape of the array of the key.
func (f *File) Shape(key string) []int {
	f.t.Helper()
	return f.Array(key).Shape
}

// Float32s returns the elements of the key as float32.
func (f *File) Float32s(key string) []float32 {
	f.t.Helper()
	return elements(f, key, data.Array.Float32s)
}

// Float64s returns the elements of the key as float64.
func (f *File) Float64s(key string) []float64 {
	f.t.Helper()
	return elements(f, key, data.Array.Float64s)
}

// Complex64s returns the elements of the key as complex64.
func (f *File) Complex64s(key string) []complex64 {
	f.t.Helper()
	return elements(f, key, data.Array.Complex64s)
}

// Planes returns the real and the imaginary parts of the elements of the key.
func (f *File) Planes(key string) (re, im []float32) {
	f.t.Helper()
	return Planes(f.Complex64s(key))
}

// Ints returns the elements of the key as int.
func (f *File) Ints(key string) []int {
	f.t.Helper()
	return elements(f, key, func(a data.Array) ([]int, error) {
		v, err := a.Int64s()
		n := make([]int, len(v))
		for i, x := range v {
			n[i] = int(x)
		}
		return n, err
	})
}

// Float returns the only element of the key as float64.
func (f *File) Float(key string) float64 {
	f.t.Helper()
	return only(f, key, f.Float64s(key))
}

// Int returns the only element of the key as int.
func (f *File) Int(key string) int {
	f.t.Helper()
	return only(f, key, f.Ints(key))
}

// NHWC returns the elements of a [B,C,H,W] array as float32 in channels-last order, and their shape.
func (f *File) NHWC(key string) (v []float32, b, h, w, c int) {
	f.t.Helper()
	s := f.Shape(key)
	if len(s) != 4 {
		f.t.Fatalf("golden values: %s: %q has shape %v, not [B,C,H,W]", f.name, key, s)
	}
	b, c, h, w = s[0], s[1], s[2], s[3]
	return NHWC(f.Float32s(key), b, c, h, w), b, h, w, c
}

func elements[T any](f *File, key string, convert func(data.Array) ([]T, error)) []T {
	f.t.Helper()
	v, err := convert(f.Array(key))
	if err != nil {
		f.t.Fatalf("golden values: %s: %q: %v", f.name, key, err)
	}
	return v
}

func only[T any](f *File, key string, v []T) T {
	f.t.Helper()
	if len(v) != 1 {
		f.t.Fatalf("golden values: %s: %q has %d elements, not one", f.name, key, len(v))
	}
	return v[0]
}
