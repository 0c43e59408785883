// Package rng derives independent, reproducible random streams from one seed.
//
// A stream is named, not drawn in turn: the numbers of (seed, "poisson", frame 7) do not depend on
// what was drawn before, on the number of workers or on where a resumed run starts again.
package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// New returns the random stream called name, number index, of the given seed.
func New(seed uint64, name string, index uint64) *rand.Rand {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], seed)
	binary.LittleEndian.PutUint64(b[8:], index)
	return rand.New(rand.NewChaCha8(sha256.Sum256(append(b[:], name...))))
}
