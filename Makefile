# Everything people do with AeroCast starts here. `make help` lists it.
# Needs make and Python 3.11+ with venv; brings its own uv when there is none, in a private environment.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MEMBERS := protocols agent hub simulator
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --all-extras --group dev --no-header \
  --no-emit-index-url --no-emit-find-links --no-annotate --python-version 3.11 \
  --no-emit-package pyscard \
  $(foreach member,$(MEMBERS),--no-emit-package aerocast-$(member)) \
  pyproject.toml $(foreach member,$(MEMBERS),$(member)/pyproject.toml)
ARGS ?=
# Tests mostly wait for servers, so more of them run at once than there are cores; a file stays together.
# Files in the order of their names: by their number of tests, the longest (two trials of a minute) would come last, alone.
AT_ONCE ?= 3
# A hub starts in half the time from compiled modules: what is installed is compiled at once, ours when first
# imported, also where the environment forbids that (containers often do): tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install smartcard timescale demo test check bench peers soak audit lock upgrade openapi clean

help: ## list what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "AeroCast needs Python 3.11 or newer as '$(PYTHON)': install package python3 (Debian 12 has 3.11), or set PYTHON=" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "AeroCast needs Python's venv module: install package python3-venv" >&2; exit 1; }
	@echo "fetching uv into .uv/ (nothing global is touched)" >&2
	@$(PYTHON) -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv

$(BIN)/.installed: requirements.lock $(foreach member,$(MEMBERS),$(member)/pyproject.toml) | $(UV)
	@test -x $(BIN)/python || $(UV) venv --quiet --python '>=3.11' $(VENV)
	@VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps $(foreach member,$(MEMBERS),--editable ./$(member))
	@touch $@

install: $(BIN)/.installed ## install everything into .venv/

smartcard: $(BIN)/.installed ## pyscard too: apt install gcc libc6-dev python3-dev pkg-config libpcsclite-dev
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements-smartcard.lock

timescale: ## TimescaleDB itself for its own test: apt install nodejs npm
	@npm ci --prefix tests/timescale --ignore-scripts --no-audit --no-fund --silent

demo: $(BIN)/.installed ## a whole airport on this machine; ARGS="--seconds 90" ends by itself
	@$(BIN)/aerocast-demo $(ARGS)

test: $(BIN)/.installed ## all tests; seeded fault loops run three rounds
	@$(BIN)/pytest -q -n $(AT_ONCE) --dist loadfile --no-loadscope-reorder $(ARGS)

soak: $(BIN)/.installed ## the seeded fault loops in full
	@AEROCAST_SOAK=1 $(BIN)/pytest -q -m soak --timeout 3600 $(ARGS)

check: $(BIN)/.installed ## lock, format, lint, types, imports, dependencies, spelling, secrets
	@cp requirements.lock .venv/checked.lock && $(COMPILE) --output-file .venv/checked.lock >/dev/null \
	  && diff -q requirements.lock .venv/checked.lock >/dev/null \
	  || { echo "requirements.lock does not fit the manifests: run 'make lock'" >&2; exit 1; }
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@PYTHONWARNINGS=ignore $(BIN)/lint-imports --no-cache >.venv/imports.txt || { cat .venv/imports.txt; exit 1; }
	@for member in $(MEMBERS); do (cd $$member && ../$(BIN)/deptry --no-ansi aerocast_$$member) 2>.venv/deptry.txt || { cat .venv/deptry.txt; exit 1; }; done
	@$(BIN)/codespell $$(git ls-files '*.py' '*.md' '*.toml' '*.html' Makefile)
	@git ls-files -z | xargs -0 $(BIN)/python .ci/secrets_scan.py
	@echo "check: clean"

PEERS := benchmarks/.venv
$(PEERS)/.installed: benchmarks/requirements.txt | $(UV)
	@test -x $(PEERS)/bin/python || $(UV) venv --quiet --python '>=3.11' $(PEERS)
	@VIRTUAL_ENV=$(PEERS) $(UV) pip sync --quiet --require-hashes benchmarks/requirements.txt
	@touch $@

peers: $(PEERS)/.installed ## install what is measured against into benchmarks/.venv/

bench: $(BIN)/.installed $(PEERS)/.installed ## the measurements behind README's claims
	@for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python $$file $(ARGS) || exit 1; done

audit: $(BIN)/.installed ## known vulnerabilities in what the lock pins (needs the internet)
	@$(UV) tool run --from pip-audit env python3 .ci/audit.py requirements.lock requirements-smartcard.lock

lock: | $(UV) ## fit requirements.lock to the manifests, moving no pin it need not move
	@$(COMPILE) --output-file requirements.lock >/dev/null

upgrade: | $(UV) ## move every pin to its newest version
	@$(COMPILE) --upgrade --output-file requirements.lock >/dev/null
	@{ echo "# For smart cards, by 'make smartcard': it is built against PC/SC's headers, so it stands apart."; \
	  echo pyscard | $(UV) pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-annotate \
	    --python-version 3.11 -; } > requirements-smartcard.lock

openapi: $(BIN)/.installed ## write the descriptions of API and events anew (review the difference)
	@$(BIN)/aerocast-hub openapi > hub/openapi.json
	@$(BIN)/aerocast-hub events describe > hub/asyncapi.json

clean: ## remove what make made
	@rm -rf .venv .uv $(PEERS) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
