# Every target sets up what it needs by itself. A fresh machine needs Python 3.11 or newer and make, no more.
# The first run fetches the locked packages; every later one works without the network.

PYTHON ?= python3
PYTEST_ARGS ?= -n2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
RUN_READY := $(VENV)/.ready-to-run
DEV_READY := $(VENV)/.ready-to-develop
UV_RANGE := uv>=0.9,<0.14
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --fork-strategy fewest \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check lint types imports dead-code format bench wheel lock clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUN_READY) ## Show the bot at work in a browser, without any account
	@$(BIN)/rca-bot demo

test: $(DEV_READY) ## Run all tests, on SQLite and on a PostgreSQL that they start (PYTEST_ARGS="-n0 tests/rca")
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

check: lint types imports dead-code ## Run all of the linters

lint: $(DEV_READY) ## Check style and formatting
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(DEV_READY) ## Check types, strictly
	@$(BIN)/mypy

imports: $(DEV_READY) ## Check who imports whom
	@$(BIN)/lint-imports

dead-code: $(DEV_READY) ## Look for code that nothing uses
	@$(BIN)/python .ci/dead_code.py

format: $(DEV_READY) ## Format the code and repair what ruff can repair
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

bench: $(DEV_READY) ## Measure what the documents promise, as ratios
	@$(BIN)/python -m benchmarks

wheel: $(DEV_READY) ## Build the package into dist/
	@$(PIP) wheel --quiet --no-build-isolation --no-deps --wheel-dir dist .

lock: $(DEV_READY) ## Choose the newest allowed version of every package anew (needs the network)
	@$(PIP) install --quiet "$(UV_RANGE)"
	@$(COMPILE) --upgrade --extra postgres pyproject.toml -o requirements.lock
	@$(COMPILE) --upgrade -c requirements.lock --extra postgres --extra dev --group build pyproject.toml \
		-o requirements-dev.lock
	@$(COMPILE) --upgrade -c requirements-dev.lock --group build -o requirements-build.lock

clean: ## Remove everything that a target made, .venv included
	rm -rf $(VENV) build dist out .demo *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find bot rca runbook migrations benchmarks tests -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "rca-bot needs Python 3.11 or newer, and $(PYTHON) is not here. Install it, or name another one:" \
			"make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "rca-bot needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name a newer one:" \
			"make PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
		exit 1; }

# An editable install points back at this folder, so the code is never stale; only new locks or metadata set up anew.
$(RUN_READY): $(BIN)/python requirements-build.lock requirements.lock pyproject.toml
	@echo "Setting up $(VENV) to run rca-bot; the first time takes about a minute."
	@$(PIP) install --quiet --require-hashes -r requirements-build.lock
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-build-isolation --no-deps -e .
	@touch $@

$(DEV_READY): $(RUN_READY) requirements-dev.lock
	@echo "Setting up $(VENV) to work on rca-bot; the first time takes about a minute."
	@$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@
