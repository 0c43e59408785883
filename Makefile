# ptycho. Everything is pure Go: no C compiler is needed for what these targets build, but for `race`, whose
# detector wants one.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
BUILD    := CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)"
FUZZTIME ?= 10s
PYTHON   ?= /usr/bin/python3

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0

.PHONY: all build test race purego arm64 lint fuzz bench bench-peer quality golden generate cross demo cover clean

all: build

build: ## bin/ptycho for this machine
	$(BUILD) -o bin/ptycho ./cmd/ptycho

test: ## every test, with the fastest kernel of this machine
	CGO_ENABLED=0 $(GO) test ./...

race: ## every test but the long ones under the race detector, which slows kernels and the doctor's trials down and has nothing to find in them
	CGO_ENABLED=1 $(GO) test -race -short $$($(GO) list ./... | grep -v -e internal/kernel -e doctor)

purego: ## the tests on the plain-Go kernels, but for the doctor's trials, and on go-dsp's Fourier transform
	CGO_ENABLED=0 $(GO) test -short -tags purego $$($(GO) list ./... | grep -v doctor)
	PTYCHO_FFT=dsp CGO_ENABLED=0 $(GO) test -short -count=1 ./fft ./physics ./model

QEMU  ?= $(shell command -v qemu-aarch64-static || command -v qemu-aarch64)
ARM64 := GOARCH=arm64 CGO_ENABLED=0 $(GO) test -short -exec "$(QEMU)"

arm64: ## the short tests of what computes, on an emulated arm64 processor; needs qemu-user-static
	@[ -n "$(QEMU)" ] || { echo "there is no qemu-aarch64-static or qemu-aarch64 here: install qemu-user-static"; exit 1; }
	$(GO) -C internal/kernel/_asm test ./neon
	GOARCH=arm64 $(GO) vet ./internal/kernel
	$(ARM64) -skip '/portable|TestFFT/generic' ./internal/kernel
	$(ARM64) -skip '/dsp' ./fft ./layers ./physics
	$(ARM64) -run 'TestNetworkMatchesGolden/neon/network_n64_gs2' ./model

lint: ## formatting, vet, staticcheck
	@out=$$($(GO) run $(GOFUMPT) -l .); if [ -n "$$out" ]; then echo "gofumpt would change:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

fuzz: ## every fuzz target for FUZZTIME
	@set -e; for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; done; done

bench: ## the benchmarks
	$(GO) test -run '^$$' -bench . -benchtime 1s ./...

bench-peer: build ## the network beside PyTorch, as the table of docs/performance.md; needs python3-torch
	$(PYTHON) bench/peer/compare.py --binary bin/ptycho

QUALITY_DATA ?= ../shared/data

quality: build ## docs/quality.md: how good results are beside what they must be, on the data in QUALITY_DATA; a quarter of an hour
	$(GO) run ./bench/quality -binary bin/ptycho -data $(QUALITY_DATA) -out docs/quality.md

golden: ## recompute the golden values; needs python3 with torch, scipy and scikit-image
	cd testdata/golden && $(PYTHON) make_network.py && $(PYTHON) make_ops.py && $(PYTHON) make_refine.py
	cd testdata/metrics && $(PYTHON) make.py && $(PYTHON) make_frc.py
	cd data/testdata/npy && $(PYTHON) gen.py

generate: ## the assembly, from its generators
	$(GO) generate ./internal/kernel
	$(GO) -C internal/kernel/_asm run ./neon -dir ..

cross: ## static binaries for the machines at beamlines
	@set -e; for t in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do \
		ext=; [ $${t%/*} = windows ] && ext=.exe; \
		out=bin/ptycho-$${t%/*}-$${t#*/}$$ext; echo $$out; \
		GOOS=$${t%/*} GOARCH=$${t#*/} $(BUILD) -o $$out ./cmd/ptycho; done

NUMERIC := autodiff fft layers optim physics model metrics internal/kernel data ckpt recon train simulate refine doctor

cover: ## coverage of the numeric packages, at least 85 %
	@$(GO) test -short -cover $(addprefix ./,$(NUMERIC)) | tee -a /dev/stderr | awk '/coverage:/ { for (i = 1; i <= NF; i++) if ($$i == "coverage:" && $$(i+1)+0 < 85) bad = bad " " $$2 } /FAIL/ { bad = bad " " $$0 } END { if (bad) { print "below 85 % or failed:" bad; exit 1 } }'

demo: build ## simulate a scan, train on it, reconstruct, and say where the pictures are
	./bin/ptycho simulate --output_file demo/scan.npz --object siemens --n_images 400 --nphotons 1e7 --seed 1
	./bin/ptycho train --train_data_file demo/scan.npz --output_dir demo/run --nepochs 30 --n_filters_scale 1
	./bin/ptycho infer --model_path demo/run --test_data demo/scan.npz --output_dir demo/result --comparison_plot
	@echo "Look at demo/result/reconstructed_phase.png and demo/result/comparison_plot.png"

clean:
	rm -rf bin demo
