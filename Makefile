# The front door. Every target sets up what it needs and is quick when nothing
# changed. `make help` lists them.

PRESET ?= release
BUILD  := build/$(PRESET)
PYTHON := .venv/bin/python
JOBS   ?= $(shell nproc)

.PHONY: help setup build test demo models bench conformance operators cuda-models cuda-bundle format format-check clean distclean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 \t/p' Makefile | expand -t 22

setup: ## install Debian packages and the Python environment
	@bash cmake/setup.sh

# Configured again only when a preset changed; ninja sees to the rest.
$(BUILD)/build.ninja: CMakePresets.json | setup
	cmake --preset $(PRESET)

build: setup $(BUILD)/build.ninja ## build everything (PRESET=release, dev, asan, tsan, runtime-only)
	cmake --build $(BUILD) -j $(JOBS)

models: setup ## fetch the models that the tests and the demo use
	$(PYTHON) tests/models/fetch_models.py --set quick
	$(PYTHON) tests/models/fetch_models.py --set tabular

test: build models ## run every test
	tests/run.sh $(BUILD)

demo: build ## read a picture with text on cpu and on opencl:0
	$(PYTHON) tests/models/fetch_models.py --set demo
	PYTHONPATH=$(BUILD)/python $(PYTHON) examples/ocr/ocr.py --output-dir $(BUILD)/demo

bench: export HEXIN_ENGINES = 1
bench: build ## errors, latencies, start-up and memory beside ONNX Runtime and OpenVINO; compile times
	$(PYTHON) tests/models/fetch_models.py --set spine
	PYTHONPATH=$(BUILD)/python $(PYTHON) bench/compare.py --build-dir $(BUILD) --output-dir $(BUILD)/bench
	$(PYTHON) bench/compiling.py --build-dir $(BUILD) --output-dir $(BUILD)/bench

conformance: export HEXIN_CONFORMANCE = 1
conformance: build ## onnx's suite, all devices and modes, beside other engines; writes the table
	HEXIN_BUILD_DIR=$(BUILD) $(PYTHON) tests/conformance/runner.py --jobs $(JOBS) --update \
		--engine hexin --engine onnxruntime --engine openvino

operators: export HEXIN_BUILD_DIR = $(CURDIR)/$(BUILD)
operators: build ## 50 random cases of every operator version on cpu, and with unknown sizes
	PYTHONPATH=tests $(PYTHON) -m operators.differential
	PYTHONPATH=tests $(PYTHON) -m operators.differential --symbolic

cuda-models: build ## every open model on cuda:0 of the CUDA driver's stand-in, in ten minutes at most
	$(PYTHON) tests/models/fetch_models.py --set all
	HEXIN_BUILD_DIR=$(BUILD) timeout 600 $(PYTHON) -m pytest -q -p no:cacheprovider -n $(JOBS) --durations=0 \
		tests/e2e/test_models_cuda.py tests/e2e/test_kokoro.py tests/e2e/test_tabular.py -k cuda

cuda-bundle: build ## an archive with the CUDA tests and the benchmark for a machine with a GPU
	$(PYTHON) tests/models/fetch_models.py --set spine
	$(PYTHON) tests/backends/cuda/bundle/pack.py --build $(BUILD)

SOURCES = $(shell find backends bench compiler examples frontends python runtime tests \
	-name '*.h' -o -name '*.cpp' -o -name '*.c')

format: ## format the C++ sources
	@clang-format-22 -i $(SOURCES)

format-check: ## fail when a C++ source is not formatted
	@clang-format-22 --dry-run --Werror $(SOURCES)

clean: ## remove build folders
	rm -rf build

distclean: clean ## also the Python environment and the models
	rm -rf .venv .cache
