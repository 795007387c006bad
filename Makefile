# Targets install into .venv, in the versions of constraints/, and only if something has changed.
# PYTHON=python3.12 chooses the Python of .venv.

.DEFAULT_GOAL := help
# .venv has everything: no package of another Python may be imported.
unexport PYTHONHOME PYTHONPATH PYTHONUSERBASE
PORT ?= 3000

SAMPLE := data/sample
SAMPLE_ROOTS := DF2_ROOT="$(CURDIR)/$(SAMPLE)/DeepFashion2_original" SKU_ROOT="$(CURDIR)/$(SAMPLE)/DeepFashion2_SKU"
# dg compares the active environment with the project's own.
DAGSTER := DAGSTER_HOME="$${DAGSTER_HOME:-$(CURDIR)/.dagster}" VIRTUAL_ENV="$(CURDIR)/.venv"

# A name on the PATH is not enough: pyenv has shims for Pythons that it then refuses to run.
PYTHONS := $(if $(PYTHON),"$(PYTHON)",python3.13 python3.12 python3.11 python3)
SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
FIND_PYTHON = for python in $(PYTHONS) ""; do \
	  if [ -z "$$python" ]; then \
	    echo 'No suitable Python: 3.11, 3.12 or 3.13 with venv is needed, looked at' $(PYTHONS). >&2; \
	    echo 'Install one, or name one: make PYTHON=/path/to/python3.12 ...' >&2; \
	    exit 1; \
	  elif "$$python" -c '$(SUITABLE)' >/dev/null 2>&1; then break; fi; \
	done

# A virtual environment contains absolute paths. After the folder is copied or moved, it would run
# the code in the old folder, so it is created again.
ifneq ($(wildcard .venv/.installed),)
ifneq ($(shell cat .venv/.installed),$(CURDIR))
.PHONY: .venv/bin/python
endif
endif

.venv/bin/python:
	@$(FIND_PYTHON); echo "Making .venv with $$python"; "$$python" -m venv --clear .venv

EXTRAS :=
.venv/.installed-dev: EXTRAS := [dev]
.venv/.installed-extra: EXTRAS := [dev,e2e,encoders,exports,objects,postgres,ray,torch]
.venv/.installed .venv/.installed-dev .venv/.installed-extra: .venv/bin/python \
		pyproject.toml setup.py df2_assets/__init__.py $(wildcard constraints/*.txt)
	@lock=$$(.venv/bin/python -c 'import sys; print("constraints/py%d%d.txt" % sys.version_info[:2])'); \
	 echo "Installing df2-assets$(EXTRAS) under $$lock"; \
	 .venv/bin/python -I scripts/pip_install.py -c "$$lock" -e '.$(EXTRAS)'
	@echo "$(CURDIR)" >.venv/.installed; touch $@

.PHONY: help install demo demo-defects gallery ui test test-unit test-all test-extra faults faults-long system-packages test-lowest versions screenshots lint bench bench-engines rehearsal scale bucket constraints clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r target text; do \
	  printf '  make %-12s %s\n' "$$target" "$$text"; done

install: .venv/.installed ## make .venv and install the project into it

demo: install ## draw the sample data set and build it with every check
	@.venv/bin/df2-assets sample "$(SAMPLE)/DeepFashion2_original"
	@$(DAGSTER) $(SAMPLE_ROOTS) .venv/bin/df2-assets build
	@[ -n "$$VIRTUAL_ENV" ] || echo 'For df2-assets in this shell: . .venv/bin/activate'

demo-defects: install ## do the same on a sample with planted defects, and score the checks
	@.venv/bin/df2-assets sample "$(SAMPLE)/defects" --defects
	@.venv/bin/df2-assets score "$(SAMPLE)/defects"

# Uses the same data as `make ui`. If that is the sample, it is built first.
ifeq ($(DF2_ROOT)$(wildcard data/DeepFashion2_original),)
gallery: demo
endif
gallery: install ## write web pages that show every crop, and open them
	@if [ -z "$$DF2_ROOT" ] && [ ! -d data/DeepFashion2_original ]; then export $(SAMPLE_ROOTS); fi; \
	 $(DAGSTER) .venv/bin/df2-assets report --open

# Uses DF2_ROOT, or else data/DeepFashion2_original, or else the sample. Ctrl-C ends it with status
# 130, which is no error here.
ui: .venv/.installed-dev ## serve Dagster's UI on 127.0.0.1 (PORT=3000), and the reports for its links
	@if [ -z "$$DF2_ROOT" ] && [ ! -d data/DeepFashion2_original ]; then export $(SAMPLE_ROOTS); fi; \
	 export $(DAGSTER); trap : INT; \
	 .venv/bin/df2-assets serve -- .venv/bin/dg dev --host 127.0.0.1 --port $(PORT) || \
	 [ $$? -eq 130 ]

# In the order of collection: the longest files come first, so that none is left over at the end.
BY_FILE := --dist loadfile --no-loadscope-reorder
PARALLEL := -n auto $(BY_FILE)
EXTRA := torch or encoders or exports or browser or postgres or ray or objects or daemon or slow
test: .venv/.installed-dev ## run every test that needs no extra
	@.venv/bin/python -m pytest $(PARALLEL) -m 'not ($(EXTRA) or faults)'

# Tests of rules, records, plans, checks and files. They use no Dagster and no worker processes.
UNIT := $(addprefix df2_assets_tests/,dataset pipeline checks store)
test-unit: .venv/.installed-dev ## run the tests that need no Dagster, in seconds
	@.venv/bin/python -m pytest $(PARALLEL) -m 'not ($(EXTRA) or faults)' $(UNIT)

test-all: test test-extra ## run every test; installs the extras and system packages

# The newest version that runs on the node of Debian 12. system-packages makes no file, so it is an
# order-only prerequisite.
AZURITE := .venv/azurite/3.35.0
$(AZURITE): .venv/bin/python | system-packages
	@echo "Installing azurite $(@F)"
	@npm install --prefix $(@D) --no-save --ignore-scripts --no-audit --no-fund --silent azurite@$(@F)
	@touch $@

# Two processes on any number of cores, because each starts its own object stores, browser and Ray.
test-extra: .venv/.installed-extra system-packages $(AZURITE) ## run what test-all adds to test
	@.venv/bin/python -m pytest -n 2 $(BY_FILE) -m '$(EXTRA)'

FAULTS := .venv/bin/python -m pytest $(PARALLEL) df2_assets_tests/faults
faults: .venv/.installed-dev ## run the fault harness for a few minutes
	@$(FAULTS)

faults-long: .venv/.installed-dev ## run it for an hour, and write its figures into docs/reliability.md
	@$(FAULTS) --long --write-figures -o faulthandler_timeout=0

system-packages:
	@scripts/install_system_packages.sh

# Such old versions have no wheels for later Pythons.
test-lowest: private PYTHONS := $(if $(PYTHON),"$(PYTHON)",python3.11)
test-lowest: .venv/.installed-dev ## run make test with every dependency at its lower bound (slow)
	@$(FIND_PYTHON); "$$python" -m venv --clear .venv-lowest
	@.venv/bin/python scripts/lowest_versions.py dev >.venv-lowest/constraints.txt
	@.venv-lowest/bin/python -I scripts/pip_install.py -c .venv-lowest/constraints.txt -e '.[dev]'
	@.venv-lowest/bin/python -m pytest $(PARALLEL) -m 'not ($(EXTRA) or faults)'

versions: .venv/bin/python ## test the oldest and the newest supported Dagster (slow)
	@PYTHON=.venv/bin/python scripts/check_versions.sh

screenshots: .venv/.installed-extra system-packages ## take the pictures in docs/images again
	@.venv/bin/python -m scripts.variant_pictures
	@.venv/bin/python -m scripts.screenshots

lint: .venv/.installed-dev ## run ruff, mypy, dg check, hadolint and the schema of compose.yaml
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@$(DAGSTER) .venv/bin/dg check yaml
	@$(DAGSTER) .venv/bin/dg check defs --no-check-yaml
	@.venv/bin/hadolint Dockerfile
	@.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

bench: install ## compare a build with the original recipe, in turns (ARGS=...)
	@.venv/bin/python -m benchmarks.bench $(ARGS)

bench-engines: .venv/.installed-extra ## compare local processes with Ray, in turns (ARGS=...)
	@.venv/bin/python -m benchmarks.engines $(ARGS)

rehearsal: install ## build a data set at full size and measure it (ARGS=--yes)
	@.venv/bin/python -m benchmarks.rehearsal $(ARGS)

scale: install ## index, group and plan ten million annotations (ARGS=...)
	@.venv/bin/python -m benchmarks.scale $(ARGS)

bucket: install ## build 625,000 small images, one bucket of docs/scaling.md (ARGS=...)
	@.venv/bin/python -m benchmarks.bucket $(ARGS)

constraints: .venv/bin/python ## resolve constraints/ again for the Python of .venv
	@.venv/bin/python scripts/write_constraints.py

clean: ## remove .venv, caches and the sample; keep data sets and Dagster's history
	rm -rf .venv .venv-lowest build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache $(SAMPLE)
	find benchmarks df2_assets df2_assets_tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
