# make demo   a first look, with Python alone: no cluster, no Go, no root
# make test   everything that needs no root
# make e2e    the end-to-end tests, on a real Kubernetes node made on this machine (root, Linux)
# make help   all targets

.DEFAULT_GOAL := help
.SUFFIXES:
SHELL := /bin/bash

PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
	&& echo "$$each" && break; done)
VENV := .venv
BIN := $(VENV)/bin
REPORTS := build/reports
PYTEST := $(BIN)/python -m pytest
RECORDING := kubectl_wasmai/demo/broken-cluster.tar.gz
DIGITS := kubectl_wasmai/demo/digits.onnx
DIGIT := kubectl_wasmai/demo/digit.json

# Native tests are of the Llama half and the kernels; compiling tract would take longer than they run.
CARGO := CARGO_TARGET_DIR=$${WASMAI_ENGINE_CACHE:-$$HOME/.cache/kubectl-wasmai-engine}/target cargo
NATIVE := --workspace --locked --no-default-features --features llama \
	--target $$(rustc -vV | sed -n 's/^host: //p')

.PHONY: help demo test lint types unit packaging integration e2e format docs bench clean dev
.PHONY: engine enginecheck fuzz enginerebuild enginetests

help: ## this list
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## /make \1\t/' | expand -t 20

demo: $(VENV)/.package ## the doctor on a recorded cluster, what deploy would make, a model that runs
	@printf '\n$$ kubectl wasmai doctor --from %s\n\n' $(RECORDING)
	@$(BIN)/kubectl-wasmai doctor --from $(RECORDING); code=$$?; \
	if [ $$code -ne 3 ]; then echo "expected exit code 3 (a check failed), got $$code"; exit 1; fi
	@printf '\nExit code 3: at least one check failed, as it should in this recording.\n'
	@printf '\n$$ kubectl wasmai deploy web --image example.com/mnist:1 --class wasm '
	@printf -- '--dry-run=client -o yaml\n\n'
	@$(BIN)/kubectl-wasmai deploy web --image example.com/mnist:1 --class wasm \
		--dry-run=client -o yaml
	@printf '\n$$ kubectl wasmai run %s --input %s --repeat 20\n\n' $(DIGITS) $(DIGIT)
	@$(BIN)/kubectl-wasmai run $(DIGITS) --input $(DIGIT) --repeat 20
	@printf '\nThe engine that pods have, in WebAssembly, read a handwritten 3.\n'
	@printf '\nNext:\n'
	@printf '  %-57s %s\n' '$(BIN)/kubectl-wasmai explain handler-not-configured' 'the page of that fault'
	@printf '  %-57s %s\n' '$(BIN)/kubectl-wasmai doctor -A' 'your own cluster; reads only'
	@printf '  %-57s %s\n' 'sudo lab/lab up' 'a real node to try deploy on (README.md)'

test: lint types unit packaging enginetests integration ## everything that needs no root
	@echo "make test: done"

lint: $(VENV)/.dev ## ruff, and ruff's formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev ## mypy, strict
	$(BIN)/mypy

unit: $(VENV)/.dev ## tests without a cluster, import contracts among them
	$(PYTEST) tests/unit --junitxml=$(REPORTS)/unit.xml

packaging: $(VENV)/.dev ## what ships: builds the wheel, installs it, runs it
	$(PYTEST) tests/packaging --junitxml=$(REPORTS)/packaging.xml

integration: $(VENV)/.dev ## tests on a real kube-apiserver; builds it once, which needs Go
	@if command -v go >/dev/null; then $(BIN)/python lab/lab build --control-plane-only; else \
	echo "Go is not on PATH: without a kube-apiserver built earlier, these tests are SKIPPED"; fi
	$(PYTEST) tests/integration --junitxml=$(REPORTS)/integration.xml

e2e: $(VENV)/.dev ## tests on the lab, a whole node with WasmEdge; root, the first build takes minutes
	@if [ "$$(id -u)" -ne 0 ]; then echo "make e2e needs root: sudo make e2e"; exit 1; fi
	@if ! command -v debootstrap >/dev/null && command -v apt-get >/dev/null; then \
	apt-get update -qq && apt-get install -qq -y --no-install-recommends debootstrap; fi
	$(BIN)/python lab/lab build
	$(PYTEST) tests/e2e -m e2e --junitxml=$(REPORTS)/e2e.xml

engine: $(VENV)/.dev ## the engine's modules, built from engine/ into kubectl_wasmai/engine/ (Rust)
	$(BIN)/python engine/build.py

enginecheck: $(VENV)/.dev ## the modules come from engine/ as it is; with Rust, its lints and native tests
	$(BIN)/python engine/build.py --check
	@$(BIN)/python engine/build.py --toolchain || \
	{ echo "without that compiler, lints and native tests of engine/ are NOT RUN"; exit 0; }; set -e; \
	cd engine; cargo fmt --all --check; cargo fmt --manifest-path fuzz/Cargo.toml --check; \
	$(CARGO) clippy $(NATIVE) --all-targets -- -D warnings; $(CARGO) test $(NATIVE); \
	for half in llama onnx; do $(CARGO) clippy --locked --no-default-features --features $$half \
	-- -D warnings; done

fuzz: $(VENV)/.dev ## its parsers against bytes made up by coverage, for a bounded time (Rust, C++)
	@$(BIN)/python engine/build.py --toolchain || \
	{ echo "without that compiler, the fuzz targets of engine/ are NOT RUN"; exit 0; }; \
	command -v c++ >/dev/null || \
	{ echo "without a C++ compiler, the fuzz targets of engine/ are NOT RUN"; exit 0; }; \
	engine/fuzz/run

enginerebuild: $(VENV)/.dev ## build the engine's modules anew and compare them byte for byte (Rust)
	$(BIN)/python engine/build.py --rebuild

enginetests: $(VENV)/.dev ## the modules under wasmtime: protocols, numbers, hostile input
	$(PYTEST) tests/engine --junitxml=$(REPORTS)/enginetests.xml

format: $(VENV)/.dev ## rewrite the code in its usual form
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

docs: $(VENV)/.dev ## write the generated pages again
	$(BIN)/python docs/tools/commands.py
	$(BIN)/python docs/tools/schema.py
	$(BIN)/python docs/tools/picture.py
	$(BIN)/python docs/tools/checklist_items.py
	$(BIN)/python docs/tools/causes.py

bench: $(VENV)/.package ## how long the plugin takes to start
	$(BIN)/python benchmarks/startup.py

clean: ## remove what was built here; the lab's cache stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

dev: $(VENV)/.dev ## an environment for development in .venv

$(VENV)/.python:
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.10 or newer is needed"; exit 1; fi
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is needed (Debian: python3-venv)"; exit 1; }
	@touch $@

$(VENV)/.package: $(VENV)/.python setup.cfg
	@echo "installing into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[local]'
	@touch $@

$(VENV)/.dev: $(VENV)/.python setup.cfg
	@echo "installing into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev,engine]'
	@touch $@ $(VENV)/.package
