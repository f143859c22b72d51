# Thin front of CMake; `make help` lists what there is.

WEBGPU  ?= wgpu#      wgpu or dawn
ADAPTER ?= any#       any, software or hardware
FRAMES  ?= 240#       frames of the sketch
MODEL   ?=#           a model file of your own for the sketch
MOVE    ?= 0.01#      share of the sketch's particles that moves each frame, 0.001 to 1
OUT     ?= out#       where pictures go
PREFIX  ?= /usr/local
SECONDS ?= 60#       seconds that make fuzz runs
FUZZ    ?= pool#     what make fuzz fuzzes: pool, dirty_map, range_allocator, plan, bindings, source, store_entry, manifest
TESTS   ?= .#         run only tests whose name matches this expression
JOBS    ?= $(shell nproc)

# An empty command-line value means the default, too.
override ADAPTER := $(or $(strip $(ADAPTER)),any)
override WEBGPU  := $(or $(strip $(WEBGPU)),wgpu)
override MOVE    := $(or $(strip $(MOVE)),0.01)

DEPS      := $(abspath $(or $(GPOOL_DEPS),.deps))
CONFIGURE := >/dev/null cmake -S .
BUILD     := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL cmake --build
SETUP     := scripts/setup
RUN        = scripts/run-gpu $(WEBGPU) $(ADAPTER) --
DAWN      := $(filter dawn,$(WEBGPU))
SOURCES    = $(shell find include src cli tests examples bench fuzz -name "*.[ch]")
SKETCH     = --move "$(MOVE)" --models $(DEPS)/models $(if $(strip $(MODEL)),--model "$(strip $(MODEL))")
BENCH_JSON = $(strip $(OUT))/bench$(if $(DAWN),-dawn).json
# Says before anything is built what the sketch would say at its start.
CHECK_MOVE = awk -v move='$(MOVE)' 'BEGIN { exit !(move ~ /^([0-9]+\.?|[0-9]*\.[0-9]+)$$/ && move + 0 >= 0.001 && move + 0 <= 1) }' || \
	{ echo 'make: MOVE is [$(MOVE)]: a number from 0.001 to 1 is needed' >&2; exit 2; }
# A real window stays until it is closed, unless FRAMES was given.
WINDOW     = --frames $(if $(DISPLAY),$(if $(filter file,$(origin FRAMES)),0,$(strip $(FRAMES))),$(strip $(FRAMES)))

.NOTPARALLEL:
.PHONY: help demo window build debug test fuzz bench-build bench check format install clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'Settings: WEBGPU=wgpu|dawn ADAPTER=any|software|hardware FRAMES=240 MODEL=file MOVE=0.001..1 OUT=out PREFIX=/usr/local TESTS=regex'

demo: ## get what is needed, build, and run the main sketch (pictures: out/sketch.png, out/heap.png)
	@$(CHECK_MOVE)
	@$(SETUP) demo $(DAWN)
	@$(CONFIGURE) -B build/release -DCMAKE_BUILD_TYPE=Release -DGPOOL_BUILD_TESTS=OFF -DGPOOL_BUILD_EXAMPLES=ON
	@$(BUILD) build/release -j $(JOBS) --target gpool-sketch
	@mkdir -p $(OUT)
	@rm -rf $(strip $(OUT))/cache
	@echo 'a cold start, one frame:'
	@$(RUN) build/release/examples/gpool-sketch --frames 1 $(SKETCH) --out $(strip $(OUT))/first.png --cache $(strip $(OUT))/cache | \
		sed -n '/^start/,/^  compiled/p'
	@echo 'and now from what that run noted:'
	@$(RUN) build/release/examples/gpool-sketch --frames $(strip $(FRAMES)) $(SKETCH) --out $(strip $(OUT))/sketch.png --heap $(strip $(OUT))/heap.png \
		--cache $(strip $(OUT))/cache --reload $(strip $(OUT))/shaders

window: ## the same picture in a window (in a virtual one where there is no display)
	@$(CHECK_MOVE)
	@$(SETUP) window $(DAWN)
	@$(CONFIGURE) -B build/release -DCMAKE_BUILD_TYPE=Release -DGPOOL_BUILD_TESTS=OFF -DGPOOL_BUILD_EXAMPLES=ON
	@$(BUILD) build/release -j $(JOBS) --target gpool-window
	@mkdir -p $(OUT)
	@$(RUN) $(if $(DISPLAY),,xvfb-run -a) build/release/examples/gpool-window $(WINDOW) $(SKETCH) --screenshot $(strip $(OUT))/window.png

build: ## build the library for release in build/release
	@$(SETUP) demo
	@$(CONFIGURE) -B build/release -DCMAKE_BUILD_TYPE=Release -DGPOOL_BUILD_TESTS=OFF -DGPOOL_BUILD_EXAMPLES=ON
	@$(BUILD) build/release -j $(JOBS)

debug: ## build library, examples and tests with the sanitizers in build/asan
	@$(SETUP) test
	@$(CONFIGURE) -B build/asan -DCMAKE_BUILD_TYPE=Debug -DGPOOL_SANITIZE=address,undefined \
		-DGPOOL_WERROR=ON -DGPOOL_BUILD_TESTS=ON -DGPOOL_BUILD_EXAMPLES=ON
	@$(BUILD) build/asan -j $(JOBS)

# One ctest run over all builds, so that there is one count at the end, and one for each label and build.
test: debug ## get what is needed and run every test, plain and under the sanitizers
	@$(CONFIGURE) -B build/release -DCMAKE_BUILD_TYPE=Release -DGPOOL_WERROR=ON -DGPOOL_BUILD_TESTS=ON -DGPOOL_BUILD_EXAMPLES=ON
	@$(BUILD) build/release -j $(JOBS)
	@$(CONFIGURE) -B build/tsan -DCMAKE_BUILD_TYPE=Debug -DGPOOL_SANITIZE=thread -DGPOOL_WERROR=ON \
		-DGPOOL_BUILD_TESTS=ON -DGPOOL_BUILD_EXAMPLES=OFF
	@$(BUILD) build/tsan -j $(JOBS)
	@mkdir -p build/test
	@printf 'subdirs("%s" "%s" "%s")\n' $(foreach build,release asan tsan,$(CURDIR)/build/$(build)) > build/test/CTestTestfile.cmake
	@ctest --test-dir build/test -j $(JOBS) -R '$(TESTS)' --output-on-failure --no-tests=error

fuzz: ## fuzz the whole pool, or FUZZ=dirty_map, range_allocator, plan, bindings, source, store_entry or manifest, against its model for SECONDS (clang-14)
	@$(SETUP) test
	@$(CONFIGURE) -B build/fuzz -DCMAKE_C_COMPILER=clang-14 -DCMAKE_BUILD_TYPE=Release -DGPOOL_BUILD_FUZZ=ON \
		-DGPOOL_BUILD_TESTS=OFF -DGPOOL_BUILD_EXAMPLES=OFF
	@$(BUILD) build/fuzz -j $(JOBS) --target fuzz_$(strip $(FUZZ))
	@mkdir -p build/fuzz/new/$(strip $(FUZZ))
	@build/fuzz/fuzz/fuzz_$(strip $(FUZZ)) -max_total_time=$(strip $(SECONDS)) -max_len=2000 -artifact_prefix=build/fuzz/ \
		build/fuzz/new/$(strip $(FUZZ)) fuzz/corpus/$(strip $(FUZZ))

bench-build: ## build gpool-bench with its peers (needs cargo)
	@$(SETUP) bench $(DAWN)
	@$(CONFIGURE) -B build/release -DCMAKE_BUILD_TYPE=Release -DGPOOL_BUILD_BENCH=ON -DGPOOL_BUILD_TESTS=OFF \
		-DGPOOL_BUILD_EXAMPLES=ON
	@$(BUILD) build/release -j $(JOBS) --target gpool-bench

bench: bench-build ## run every bench (out/bench.json, out/bench.html; bench-dawn with WEBGPU=dawn); fails when a bar is missed
	@mkdir -p $(OUT)
	@$(RUN) build/release/bench/gpool-bench $(if $(shell command -v valgrind),--instructions) --json $(BENCH_JSON); \
		status=$$?; [ $$status -gt 1 ] || tools/bench_html.py $(BENCH_JSON) || status=2; exit $$status

check: ## only the checks of layers, comments and format
	@$(SETUP) test
	@tools/check_layers.py
	@tools/check_docs.py
	@tools/check_format

format: ## put all C files into the house format
	@clang-format-14 -i $(SOURCES)

install: build ## install to PREFIX (DESTDIR is honoured)
	@cmake --install build/release --prefix $(PREFIX)

clean: ## remove what was built
	@rm -rf build out

distclean: clean ## remove the downloads, too
	@cd $(DEPS) 2>/dev/null && rm -rf wgpu-native dawn swiftshader models dragon runtime work-* setup.log || true
