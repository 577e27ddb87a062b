"""The wheel works by itself: built from the source, installed in an empty environment, run elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE_AND_DATA = {
    ".py",
    ".toml",
    ".json",
    ".csv",
    ".html",
    ".jinja",
    ".txt",
    ".css",
    ".js",
    ".svg",
    ".woff2",
    ".ico",
}

pytestmark = pytest.mark.packaging


def run(*command: str | Path, cwd: Path, **more: str) -> str:
    """Standard output of a command that must succeed; no setting of ours reaches it from outside."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JOINERY_", "DJANGO_"))}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment | more,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that nothing is left behind in the working tree."""
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "joinery", source / "joinery", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    run(*pip, "--wheel-dir", source / "dist", source, cwd=source)
    (built,) = (source / "dist").glob("joinery-*.whl")
    return built


def test_the_wheel_holds_all_code_and_data(wheel: Path) -> None:
    paths = (path for path in (ROOT / "joinery").rglob("*") if path.suffix in CODE_AND_DATA)
    wanted = {path.relative_to(ROOT).as_posix() for path in paths}
    held = set(zipfile.ZipFile(wheel).namelist())
    assert wanted <= held, sorted(wanted - held)
    assert not [name for name in held if not name.startswith(("joinery/", "joinery-"))]


def test_the_demo_is_built_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "environment", cwd=tmp_path)
    scripts = tmp_path / "environment" / "bin"
    pip = (scripts / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    pinned = ROOT / "requirements" / "run.txt"
    run(*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", pinned, cwd=tmp_path)
    run(*pip, "--no-deps", "--no-index", wheel, cwd=tmp_path)

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    data = str(tmp_path / "data")
    out = run(
        scripts / "joinery",
        "demo",
        "--people",
        "30",
        "--no-serve",
        "--json",
        cwd=elsewhere,
        JOINERY_DATA=data,
    )
    (line,) = out.splitlines()
    assert json.loads(line)["people"] == 30
