#!/bin/sh
# Refresh the hash-pinned requirements from pyproject.toml: `make lock`, or `sh scripts/lock.sh --upgrade`.
# They name no registry, so any mirror can serve them, and plain pip installs them with --require-hashes.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
command -v uv > /dev/null || {
    echo "make lock needs uv. Put it in the environment with: .venv/bin/pip install uv" >&2
    exit 1
}

lock() {  # lock NAME ARGUMENT...: write requirements/NAME.txt
    name=$1
    shift
    uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
        --output-file "requirements/$name.txt" "$@" > /dev/null
}

# What the wheel needs to run; then, held to the same versions, what builds it and what develops it.
lock run pyproject.toml "$@"
.venv/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' |
    lock build - --constraint requirements/run.txt "$@"
lock dev pyproject.toml --extra mesh --extra postgres --group dev --constraint requirements/run.txt "$@"
# The peers of `make bench`, which has an environment of its own.
lock bench requirements/bench.in "$@"
# The stand-in for MESH that tests talk to, which has one too.
lock mesh-sandbox requirements/mesh-sandbox.in "$@"
