"""`make setup` refuses a machine that Joinery cannot run on, in words, before it makes anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("program", "prints", "python", "refusal"),
    [
        ("uname", "SunOS", sys.executable, "it runs on Linux and macOS, and this is SunOS"),
        ("python3.9", "Python 3.9.2", "python3.9", "it needs Python 3.11 to 3.14, and python3.9 is Python 3.9.2"),
        ("unused", "", "python3.99", "it needs Python 3.11 to 3.14, and python3.99 is missing"),
        ("df", "Filesystem\n/dev/disk 9000 8700 300 97% /", sys.executable, "free disk space, and there are 300 MB"),
    ],
)
def test_a_platform_is_refused_in_words(program: str, prints: str, python: str, refusal: str, tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "setup.sh", tmp_path / "scripts")
    # A stand-in that says what such a machine would say, and fails at anything but --version.
    stand_in = tmp_path / "bin" / program
    stand_in.parent.mkdir()
    stand_in.write_text(f"#!/bin/sh\nprintf '{prints}\\n'\n[ \"$1\" != -c ]\n")
    stand_in.chmod(0o755)
    done = subprocess.run(
        ["sh", "scripts/setup.sh", "run"],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{stand_in.parent}:{os.environ['PATH']}", "PYTHON": python},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert refusal in done.stderr
    assert not (tmp_path / ".venv").exists()
