#!/bin/sh
# Make .venv-bench, the peers' own environment, with the Python of .venv: called by `make bench`.
set -eu
cd "$(dirname "$0")/.."
.venv-bench/bin/python -c '' 2> /dev/null || .venv/bin/python -m venv --clear .venv-bench
echo "Installing the packages in requirements/bench.txt" >&2
.venv-bench/bin/python -m pip --quiet --disable-pip-version-check --no-input install \
    --require-hashes --only-binary :all: --requirement requirements/bench.txt
