//go:build !purego

package kernel

//go:generate go -C _asm run ./fft -out ../fft_amd64.s -stubs ../fft_amd64.go -pkg kernel

var (
	fftAVX2 = &fftSet{
		lanes: 8, maxBits: 2,
		pass:      [9]fftPass{2: fft2AVX2, 3: fft3AVX2, 4: fft4AVX2, 5: fft5AVX2},
		transpose: fftTransposeAVX2,
	}
	fftAVX512 = &fftSet{
		lanes: 16, maxBits: 3,
		pass:      [9]fftPass{2: fft2AVX512, 3: fft3AVX512, 4: fft4AVX512, 5: fft5AVX512, 8: fft8AVX512},
		transpose: fftTransposeAVX512,
	}
)
