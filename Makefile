# `make` sets up .venv from the lock and runs the default benchmark; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := benchmark
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
CONFIG ?= config/config.yaml
TARGET ?= cpu
BUILDER ?= $(notdir $(firstword $(foreach program,podman buildah docker,$(shell command -v $(program)))))
UV_VERSION := 0.13.9
INSTALL := $(BIN)/uv pip install --quiet --require-hashes --compile-bytecode
LOCK_FLAGS := --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock"

.PHONY: benchmark setup setup-gpu setup-dev test test-slurm lint format docs keep machine findings lock lock-engine raise-engine image site archive \
	test-image audit bench profile clean help

benchmark: setup ## set up, then run the benchmark (CONFIG=config/mnist.yaml CORES=4 for another)
	$(BIN)/snakemake --cores $(CORES) --configfile $(CONFIG)

setup: $(VENV)/run.installed ## install what a run needs

setup-gpu: $(VENV)/gpu.installed ## install what a run on an NVIDIA card needs

setup-dev: $(VENV)/dev.installed ## install what a run, the tests and the checks need

test: setup-dev ## run all tests but those on a Slurm and of the image, two at a time
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slurm and not image"

test-slurm: setup-dev ## run the tests on a Slurm that they bring up (root; Debian's Slurm, munge and MariaDB)
	$(BIN)/python -m pytest tests/slurm -n 5 --dist worksteal

test-image: setup-dev ## build the image on a Debian made here, and run it (root; Debian's buildah and debootstrap)
	$(BIN)/python -m pytest tests/packaging/test_image.py

lint: setup-dev ## run the checks that need no test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint --configfile config/smoke.yaml
	$(BIN)/hadolint Containerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	$(BIN)/zizmor --quiet --offline .github

format: setup-dev ## format all code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

docs: setup ## make the schema, the reference tables, the defaults and the captions again
	$(BIN)/python -m twinbench.config.reference --write
	$(BIN)/python -m twinbench.report.captions workflow/report
	$(BIN)/python -m twinbench.analysis.reference docs/tables.md

lock-engine: setup ## after a change of the engine that leaves every bit as it was: keep the recorded runs
	$(BIN)/python -m twinbench.planning.engine --lock

raise-engine: setup ## after a change of the engine that changes results: train every run again
	$(BIN)/python -m twinbench.planning.engine --raise

keep: setup ## keep the tables of RESULTS, made with CONFIG, in PLACE (results/reference) to commit them
	$(BIN)/python -m twinbench.report.kept $(or $(RESULTS),results) $(or $(PLACE),results/reference) $(CONFIG)

machine: setup ## measure how far the machine moves a score, into results/reference (minutes; CONFIG=config/mnist.yaml)
	$(BIN)/python -m benchmarks.machine --configfile $(CONFIG)

findings: setup-dev ## make docs/findings.md and the pictures of the docs again, from the results in results/reference
	$(BIN)/python -m twinbench.report.findings results/reference docs
	$(BIN)/python docs/pictures.py results/reference docs

image: ## build the container image twinbench:TARGET (cpu, or gpu), on BASE if that is given (docs/containers.md)
	$(or $(BUILDER),$(error "needs podman, buildah or docker")) build --file Containerfile --target $(TARGET) \
		--tag twinbench:$(TARGET) --build-arg UV_VERSION=$(UV_VERSION) $(if $(BASE),--build-arg BASE=$(BASE)) \
		--label org.opencontainers.image.revision=$$(git rev-parse HEAD) $(BUILD_FLAGS) .

site: setup-dev ## build the documentation into build/site, with the report of RESULTS (results) where there is one
	NO_MKDOCS_2_WARNING=1 TWINBENCH_RESULTS=$(or $(RESULTS),results) $(BIN)/mkdocs build --quiet --strict

archive: setup ## pack RESULTS (results) as an RO-Crate, to deposit it (docs/archive.md)
	$(BIN)/twinbench archive $(or $(RESULTS),results)

lock: $(BIN)/uv ## resolve the versions again and write them, with hashes, to requirements/
	$(BIN)/uv pip compile $(LOCK_FLAGS) $(LOCK_UPGRADE) --extra benchmark pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile $(LOCK_FLAGS) $(LOCK_UPGRADE) --extra benchmark --extra dev --extra docs --extra generic --extra slurm \
		--constraints requirements/run.txt pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile $(LOCK_FLAGS) $(LOCK_UPGRADE) --extra benchmark --extra gpu \
		--constraints requirements/run.txt pyproject.toml -o requirements/gpu.txt
	$(BIN)/python requirements/environments.py

audit: setup-dev ## look the locked versions up in the databases of known vulnerabilities
	$(BIN)/pip-audit --requirement requirements/run.txt --require-hashes --disable-pip

bench: setup ## measure the engine beside model.fit, PyTorch and JAX (docs/benchmarks.md; OTHER=python with the latter two)
	$(BIN)/python -m benchmarks.speed $(if $(OTHER),--other-python $(OTHER))
	$(BIN)/python -m benchmarks.whole

profile: setup ## tell where a training step of ARCHITECTURE spends its time, kernel by kernel (on MNIST, on an idle machine)
	$(BIN)/python -m benchmarks.kernels $(or $(ARCHITECTURE),plain_cnn)

clean: ## remove the environment and the results; finished runs in results/store are kept
	rm -rf $(VENV) .snakemake
	find results -mindepth 1 -maxdepth 1 ! -name store ! -name README.md -exec rm -rf {} +

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

$(BIN)/uv:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "twinbench needs Python 3.11 to 3.13 with venv: 'apt install python3-venv' on Debian," \
			"or 'make PYTHON=/path/to/python3.11'." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Bytecode is compiled on installation: importing TensorFlow takes half as long with it.
$(VENV)/%.installed: requirements/%.txt pyproject.toml | $(BIN)/uv
	$(INSTALL) --requirement $<
	$(BIN)/uv pip install --quiet --no-deps --editable .
	touch $@
