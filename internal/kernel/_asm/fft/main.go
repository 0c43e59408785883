// Command fft generates the amd64 assembly of the Fourier transform in internal/kernel:
//
//	go run ./fft -out ../fft_amd64.s -stubs ../fft_amd64.go -pkg kernel
package main

import "github.com/mmcloughlin/avo/build"

func main() {
	build.ConstraintExpr("!purego")
	newAVX512().fft(2, 3, 4, 5, 8)
	newAVX2().fft(2, 3, 4, 5) // radix 8 wants more than 16 registers
	build.Generate()
}
