# Every target makes what it needs: a virtual environment with the pinned versions of constraints.txt.
PYTHON ?= python3
VENV   := .venv
CLIENTS := .clients
# Empty: half again as fast, and nothing is said of branches.
COVERAGE ?= --cov --cov-report=term:skip-covered
BIN    := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_CONSTRAINT = $(CURDIR)/constraints.txt

.PHONY: help demo test long clients lint types imports bench vectors check docs recording clean

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
	@$(BIN)/python -m pytest -q -n auto --dist worksteal $(COVERAGE) $(ARGS)

long: $(VENV)/dev.stamp ## the long property, crash, fuzz and soak runs
	@$(BIN)/python -m pytest -q -m long $(ARGS)

# Each in a folder of its own, with its own versions: none of them is to run with what lambdalog runs with.
$(CLIENTS)/%.stamp: tests/clients/%.txt | $(VENV)/run.stamp
	@echo "Adding clients of other people: $* (once)…"
	@rm -rf $(CLIENTS)/$*
	@PIP_CONSTRAINT= $(BIN)/python -m pip install --quiet --no-deps --target $(CLIENTS)/$* --requirement $<
	@touch $@

# The one package that has awscli 2 in it, for Linux on x86-64 alone: of it nothing but the program is kept.
AWSCLI2 := $(if $(filter Linux-x86_64,$(shell uname -s)-$(shell uname -m)),$(CLIENTS)/awscli2.stamp)
$(CLIENTS)/awscli2.stamp: tests/clients/awscli2.txt | $(VENV)/run.stamp
	@echo "Adding clients of other people: awscli 2 (once)…"
	@rm -rf $(CLIENTS)/awscli2
	@PIP_CONSTRAINT= $(BIN)/python -m pip install --quiet --no-deps --target $(CLIENTS)/awscli2 --requirement $<
	@cd $(CLIENTS)/awscli2 && tar -xzf aws_cdk/asset_awscli_v2/_jsii/*.tgz package/lib/layer.zip && rm -r aws_cdk*
	@cd $(CLIENTS)/awscli2 && $(CURDIR)/$(BIN)/python -m zipfile -e package/lib/layer.zip . && rm -r package
	@cd $(CLIENTS)/awscli2 && mv awscli/v2/*/dist bin && rm -r awscli && chmod +x bin/aws
	@touch $@

$(CLIENTS)/node.stamp: tests/clients/package.json tests/clients/package-lock.json
	@echo "Adding clients of other people: node (once)…"
	@mkdir -p $(CLIENTS)
	@cp $^ $(CLIENTS)
	@cd $(CLIENTS) && npm ci --silent --no-audit --no-fund
	@touch $@

clients: $(CLIENTS)/tools.stamp $(AWSCLI2) $(CLIENTS)/old.stamp $(CLIENTS)/powertools.stamp $(CLIENTS)/node.stamp ## awscli, awslogs, watchtower, SDKs: to be tested with

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

# They are in botocore's source distribution alone. Where no index can be reached, the tests say so and are skipped.
VECTORS := .vectors
vectors: $(VENV)/dev.stamp ## botocore's own protocol vectors, which tests/wire runs
	@version=$$($(BIN)/python -c 'import botocore; print(botocore.__version__)'); \
	test "$$(cat $(VECTORS)/version 2>/dev/null)" = "$$version" || { \
	  rm -rf $(VECTORS) && mkdir $(VECTORS) && \
	  $(BIN)/python -m pip download --quiet --no-deps --no-binary botocore --dest $(VECTORS) "botocore==$$version" && \
	  tar -xzf $(VECTORS)/botocore-*.tar.gz -C $(VECTORS) --strip-components=4 "botocore-$$version/tests/unit/protocols" && \
	  rm $(VECTORS)/botocore-*.tar.gz && echo "$$version" > $(VECTORS)/version; \
	} || echo "botocore's protocol vectors could not be fetched" >&2

docs: $(VENV)/dev.stamp ## what is generated: compatibility table, command reference, keys of the dashboard, screenshots
	@$(BIN)/python -m lambdalog.cli.reference docs
	@$(BIN)/python -m tui.manual docs

recording: $(VENV)/dev.stamp ## the dashboard at its work, as the README shows it, and a picture of each screen
	@$(BIN)/python -m tui.recording docs

check: lint types vectors clients test ## everything CI asks

clean: ## forget what was installed
	rm -rf $(VENV) $(CLIENTS)
