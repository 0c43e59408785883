// Command neon generates the arm64 assembly of internal/kernel, from internal/kernel/_asm:
//
//	go run ./neon -dir ..
package main

import (
	"flag"
	"log"
)

func main() {
	dir := flag.String("dir", ".", "directory to write to")
	flag.Parse()

	tiles := new(assembly)
	for v, rows := range tileRows {
		newTile(tiles, v+1, rows).emit()
	}
	emitPeak(tiles)
	fft := new(assembly)
	for _, radix := range []int{2, 3, 4, 5, 8} {
		newFFTPass(fft, radix).emit()
	}
	emitTranspose(fft)
	winograd := new(assembly)
	for _, t := range winogradTransforms {
		t.emit(winograd)
	}
	for name, a := range map[string]*assembly{"tile_arm64": tiles, "fft_arm64": fft, "winograd_arm64": winograd} {
		if err := a.write(*dir, name); err != nil {
			log.Fatal(err)
		}
	}
}
