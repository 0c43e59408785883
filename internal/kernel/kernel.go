// Package kernel holds the vector kernels behind plain Go functions over slices: convolution of channels-last
// images, the matrix product of gonum's blas32, Fourier transforms, and the arithmetic of everything between them.
//
// Every function has a plain-Go implementation, "generic", which is the specification, and faster ones written in
// assembly for particular processors. One of them is in use at a time: the best this machine can run, or the one
// named by the environment variable PTYCHO_KERNEL. Results are the same bits for any GOMAXPROCS; between
// implementations they differ by rounding. Where gonum computes, in generic and in small products, the rounding also
// depends on how the slices are aligned to 16 bytes.
package kernel

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/gonum"
)

// EnvVar is the environment variable that names the implementation to use. It is read once, at program start.
const EnvVar = "PTYCHO_KERNEL"

// An implementation is one named set of kernels.
type implementation struct {
	name  string
	tiles *tileSet // nil for generic
	fft   *fftSet  // nil for generic
	elem  *elemSet // nil for generic
	peak  peakLoop
}

var (
	// implementations lists what this machine can run, generic first, best last.
	implementations = append([]*implementation{{name: "generic"}}, machineImplementations()...)

	// active is the implementation in use.
	active atomic.Pointer[implementation]

	envErr error
)

func init() { envErr = fromEnv() }

// fromEnv puts the implementation that the environment names in use, or else the best.
func fromEnv() error {
	activate(implementations[len(implementations)-1])
	name := os.Getenv(EnvVar)
	if name == "" {
		return nil
	}
	if err := Use(name); err != nil {
		return fmt.Errorf("%w (environment variable %s); using %q", err, EnvVar, Name())
	}
	return nil
}

// Name returns the name of the implementation in use: "generic", "avx2", "avx512" or "neon".
func Name() string { return active.Load().name }

// Available returns the names of the implementations this machine can run, generic first and the best last.
func Available() []string {
	names := make([]string, len(implementations))
	for i, im := range implementations {
		names[i] = im.name
	}
	return names
}

// Use makes the named implementation the one in use, for plans made afterwards and for Sgemm. It returns an error
// and changes nothing if the machine cannot run it. Use must not run at the same time as any other function of this
// package or of blas32.
func Use(name string) error {
	for _, im := range implementations {
		if im.name == name {
			activate(im)
			return nil
		}
	}
	return fmt.Errorf("kernel: implementation %q is unknown or not supported by this machine; have %s",
		name, strings.Join(Available(), ", "))
}

// EnvError returns the error of applying PTYCHO_KERNEL at program start, or nil. After an error the best
// implementation is in use.
func EnvError() error { return envErr }

// activate puts im in use and gives blas32 the matrix product that goes with it.
func activate(im *implementation) {
	active.Store(im)
	if im.tiles == nil {
		blas32.Use(gonum.Implementation{})
		return
	}
	blas32.Use(Float32{})
}
