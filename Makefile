# Every target makes what it needs: a virtual environment with the pinned versions of constraints.txt.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_CONSTRAINT = $(CURDIR)/constraints.txt

.PHONY: help demo test long lint types imports bench check docs recording clean

help: ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(VENV)/run.stamp: pyproject.toml constraints.txt
	@echo "Setting up $(VENV) (once)…"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "lambdalog needs Python 3.11 or newer; set PYTHON=python3.x" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --editable '.[cli]'
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	@echo "Adding the tools for tests (once)…"
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: $(VENV)/run.stamp ## the toolkit at its real work: functions under traffic, and the dashboard
	@$(BIN)/lambdalog demo $(ARGS)

test: $(VENV)/dev.stamp ## the whole suite, with branch coverage
	@$(BIN)/python -m pytest -q -n auto --dist worksteal --cov --cov-report=term:skip-covered $(ARGS)

long: $(VENV)/dev.stamp ## the long property, crash, fuzz and soak runs
	@$(BIN)/python -m pytest -q -m long $(ARGS)

lint: $(VENV)/dev.stamp ## style, and the floors' import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(VENV)/dev.stamp ## mypy, strict
	@$(BIN)/mypy

$(VENV)/bench.stamp: $(VENV)/dev.stamp
	@echo "Adding the peers that are measured beside ours (once)…"
	@$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@

bench: $(VENV)/bench.stamp ## our figures beside our peers', measured in this run
	@$(BIN)/python -m tests.bench $(ARGS)

docs: $(VENV)/dev.stamp ## what is generated: compatibility table, command reference, screenshots
	@$(BIN)/python -m lambdalog.cli.reference docs
	@$(BIN)/python -m tui.manual docs

recording: $(VENV)/dev.stamp ## the dashboard at its work, as the README shows it
	@$(BIN)/python -m tui.recording docs/dashboard-tour.svg

check: lint types test ## everything CI asks

clean: ## forget the virtual environment
	rm -rf $(VENV)
