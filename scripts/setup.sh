#!/bin/sh
# Make .venv and install Joinery in it from the hash-pinned requirements: `make setup`.
# Usage: sh scripts/setup.sh run|dev. The environment variable PYTHON chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."
kind=$1

refuse() {
    echo "Joinery cannot be set up here: $1" >&2
    exit 1
}

# Every package is installed as a wheel, and these are the Python versions that all of them have wheels for.
supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'

python=
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3.14 python3}; do
    if "$candidate" -c "$supported" 2> /dev/null; then
        python=$candidate
        break
    fi
done

system=$(uname -s)
case $system in
    Linux | Darwin) ;;
    *) refuse "it runs on Linux and macOS, and this is $system. On Windows, use WSL." ;;
esac
[ -n "$python" ] ||
    refuse "it needs Python 3.11 to 3.14, and ${PYTHON:-python3} is $("${PYTHON:-python3}" --version 2> /dev/null || echo missing). If you have another, name it: make demo PYTHON=/path/to/python3.12"
"$python" -c 'import sys; sys.exit(sys.maxsize < 2**32)' ||
    refuse "it needs a 64-bit Python, and $python is 32-bit."
"$python" -c 'import ensurepip, venv' 2> /dev/null ||
    refuse "$python has no venv module. On Debian or Ubuntu: sudo apt-get install python3-venv"

# Room for the packages, and for a demo's records and backups beside them.
case $kind in
    run) needed_mb=600 ;;
    dev) needed_mb=1200 ;;
    *) refuse "the kind of environment is run or dev, not $kind." ;;
esac
free_mb=$(df -Pm . | awk 'NR == 2 { print $4 }')
[ -d .venv ] || [ "$free_mb" -ge "$needed_mb" ] ||
    refuse "it needs $needed_mb MB of free disk space, and there are $free_mb MB."

# An environment that was moved, or whose Python has gone, is made again.
.venv/bin/python -c "$supported" 2> /dev/null || "$python" -m venv --clear .venv

pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check --no-input "$@"; }

echo "Installing the packages in requirements/$kind.txt" >&2
pip install --require-hashes --only-binary :all: --requirement requirements/build.txt --requirement "requirements/$kind.txt"
pip install --no-deps --no-build-isolation --no-index --editable .
