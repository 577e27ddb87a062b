#!/bin/sh
# Make .venv-mesh, an environment for the stand-in for MESH alone, with the Python of .venv: called by `make test`.
set -eu
cd "$(dirname "$0")/.."
.venv-mesh/bin/python -c '' 2> /dev/null || .venv/bin/python -m venv --clear .venv-mesh
echo "Installing the packages in requirements/mesh-sandbox.txt" >&2
.venv-mesh/bin/python -m pip --quiet --disable-pip-version-check --no-input install \
    --require-hashes --only-binary :all: --requirement requirements/mesh-sandbox.txt
