//go:build !purego

package kernel

var (
	tilesNEON = &tileSet{
		lanes: 4,
		rows:  []int{0, 12, 12, 8, 6},
		tile:  []tileFunc{nil, tile1NEON, tile2NEON, tile3NEON, tile4NEON},

		winograd: &transformsNEON,
	}
	transformsNEON = transforms{
		input:     inputWinogradNEON,
		gradient:  gradientWinogradNEON,
		weight:    weightWinogradNEON,
		output:    outputWinogradNEON,
		outputAdd: outputAddWinogradNEON,
		weightAdd: weightAddWinogradNEON,
	}
	fftNEON = &fftSet{
		lanes: 4, maxBits: 3,
		pass:      [9]fftPass{2: fft2NEON, 3: fft3NEON, 4: fft4NEON, 5: fft5NEON, 8: fft8NEON},
		transpose: fftTransposeNEON,
	}
)

// machineImplementations returns the assembly implementations this machine can run, best last. Every arm64 processor
// has NEON.
func machineImplementations() []*implementation {
	return []*implementation{{name: "neon", tiles: tilesNEON, fft: fftNEON, peak: peakLoop{peakNEON, 24 * 4 * 2}}}
}
