// Package arch holds the test of which package may import which.
package arch

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// floors of the house, from the ground up. A package imports only from its own floor and from those below.
var floors = [][]string{
	{"internal/atomicfile", "internal/rng", "internal/usage", "internal/kernel", "internal/littleendian", "internal/pool", "internal/identity"},
	{"autodiff", "fft", "data", "ckpt", "render"},
	{"layers", "physics", "optim", "metrics"},
	{"model"},
	{"train", "recon", "simulate"},
	{"refine"},
	{"doctor", "bench"},
	{"cmd/ptycho", "bench/quality"},
}

// testOnly packages are imported by tests alone.
var testOnly = map[string]bool{"internal/testutil": true, "internal/arch": true, "internal/race": true}

func TestImportsPointDownwards(t *testing.T) {
	floor := map[string]int{}
	for i, f := range floors {
		for _, p := range f {
			floor[p] = i
		}
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "ptycho/...").Output()
	require.NoError(t, err)
	found := 0
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], "ptycho/")
		if testOnly[pkg] {
			continue
		}
		at, ok := floor[pkg]
		require.True(t, ok, "package %s has no floor", pkg)
		found++
		for _, imp := range fields[1:] {
			dep, ours := strings.CutPrefix(imp, "ptycho/")
			if !ours {
				continue
			}
			require.False(t, testOnly[dep], "%s imports %s", pkg, dep)
			require.LessOrEqual(t, floor[dep], at, "%s imports %s, which is above it", pkg, dep)
		}
	}
	require.Equal(t, len(floor), found)
}

// The parts know no files, and the tape knows neither convolutions nor Fourier transforms.
func TestWhatPackagesDoNotKnow(t *testing.T) {
	for pkg, not := range map[string][]string{
		"autodiff": {"layers", "physics", "fft", "internal/kernel", "data"},
		"data":     {"autodiff", "physics", "model"},
		"ckpt":     {"autodiff", "data"},
		"optim":    {"autodiff", "data"},
		"layers":   {"physics", "data", "fft"},
	} {
		out, err := exec.Command("go", "list", "-deps", "ptycho/"+pkg).Output()
		require.NoError(t, err)
		for _, n := range not {
			require.NotContains(t, strings.Fields(string(out)), "ptycho/"+n, pkg)
		}
	}
}
