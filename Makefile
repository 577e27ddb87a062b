# Joinery's commands. `make` alone lists them. Needs: Python 3.11 to 3.14 with venv, and make.

RUN := .venv/.installed-run
DEV := .venv/.installed-dev
PEERS := .venv-bench/.installed
MESH := .venv-mesh/.installed
export PYTHON

.PHONY: help setup demo run test test-all test-postgres test-packaging check drill fix bench docs map lock
.DELETE_ON_ERROR:

# Hundreds of processes start in a test run: each would compile Joinery and its tests anew.
unexport PYTHONDONTWRITEBYTECODE

# No check or test touches the deployment of whoever runs it.
check: export JOINERY_DATA := .venv/check
check test test-packaging: export JOINERY_DATABASE :=

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: $(RUN)  ## make .venv and install what Joinery needs to run

demo: $(RUN)  ## build a synthetic place of 500 people and serve it on this machine
	.venv/bin/joinery demo

run: $(RUN)  ## serve the deployment in the folder that JOINERY_DATA names
	.venv/bin/joinery run

test: $(DEV) $(MESH)  ## run the tests on SQLite, and in a browser where there is one
	.venv/bin/python -m pytest -n 2 -m "not packaging"

test-postgres: $(DEV) $(MESH)  ## run the tests on a PostgreSQL cluster made for them
	scripts/test_postgres.sh

test-packaging: $(DEV)  ## build the wheel and run the demo from it in an empty environment
	.venv/bin/python -m pytest -m packaging

test-all: test test-postgres test-packaging  ## run every test

drill: export JOINERY_DRILL := 1
drill: $(DEV)  ## run the adversaries and long random histories at full length
	.venv/bin/python -m pytest tests/apps/record/test_any_order.py tests/apps/record/test_killed.py tests/apps/base \
		tests/apps/place tests/apps/care tests/apps/record/test_caring_drill.py tests/calc

check: $(DEV)  ## lint, format, import contracts, types, migrations
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/mypy
	.venv/bin/python -m django makemigrations --check --dry-run --settings joinery.site.settings

fix: $(DEV)  ## mend what ruff can mend
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: $(RUN) $(PEERS)  ## measure Joinery beside its peers and write docs/performance.md (OPTIONS=--quick only tries)
	.venv/bin/python -m benchmarks $(OPTIONS)

docs: $(DEV)  ## write the reference pages that come from the code
	.venv/bin/python tools/reference.py

map: $(DEV)  ## draw the house from its imports
	.venv/bin/python tools/house.py

lock: $(RUN)  ## refresh the pinned requirements from pyproject.toml
	sh scripts/lock.sh

$(RUN): requirements/run.txt requirements/build.txt pyproject.toml scripts/setup.sh
	sh scripts/setup.sh run
	touch $@

$(DEV): requirements/dev.txt requirements/build.txt pyproject.toml scripts/setup.sh
	sh scripts/setup.sh dev
	touch $(RUN) $@

$(PEERS): requirements/bench.txt scripts/bench.sh
	sh scripts/bench.sh
	touch $@

$(MESH): requirements/mesh-sandbox.txt scripts/mesh_sandbox.sh
	sh scripts/mesh_sandbox.sh
	touch $@
