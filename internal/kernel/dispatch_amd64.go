//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

//go:generate go -C _asm run . -out ../tile_amd64.s -stubs ../tile_amd64.go -pkg kernel

var (
	tilesAVX2 = &tileSet{
		lanes: 8,
		rows:  []int{0, 12, 6},
		tile:  []tileFunc{nil, tile1AVX2, tile2AVX2},

		winograd: &transformsAVX2,
	}
	tilesAVX512 = &tileSet{
		lanes: 16,
		rows:  []int{0, 12, 12, 8, 6},
		tile:  []tileFunc{nil, tile1AVX512, tile2AVX512, tile3AVX512, tile4AVX512},

		winograd: &transformsAVX512,
	}
)

// machineImplementations returns the assembly implementations this machine can run, best last.
func machineImplementations() []*implementation {
	var list []*implementation
	x := &cpu.X86
	if x.HasAVX2 && x.HasFMA {
		list = append(list, &implementation{name: "avx2", tiles: tilesAVX2, fft: fftAVX2, elem: elemAVX2, peak: peakLoop{peakAVX2, 12 * 8 * 2}})
	}
	if x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512BW && x.HasBMI2 {
		list = append(list, &implementation{name: "avx512", tiles: tilesAVX512, fft: fftAVX512, elem: elemAVX512, peak: peakLoop{peakAVX512, 12 * 16 * 2}})
	}
	return list
}
