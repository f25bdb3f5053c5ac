# `make` sets up .venv from the lock and runs the default benchmark; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := benchmark

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
LOCK_FLAGS := --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: benchmark setup test lint format docs lock audit bench clean help

lock: $(BIN)/uv ## resolve the versions again and write them, with hashes, to requirements/
	$(BIN)/uv pip compile $(LOCK_FLAGS) $(LOCK_UPGRADE) pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile $(LOCK_FLAGS) $(LOCK_UPGRADE) --extra dev --extra generic --constraints requirements/run.txt pyproject.toml -o requirements/dev.txt
	$(BIN)/python requirements/environments.py

docs: ## make the schema, the reference table and the commented defaults from the model again
	$(BIN)/python -m twinbench.config.reference --write
