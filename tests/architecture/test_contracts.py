"""The import contracts in pyproject.toml break on a planted import, each of them, and hold without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.rules import RIVER, ROOT

EMPTY = (
    "joinery",
    "joinery.calc",
    "joinery.definitions",
    "joinery.site",
    "joinery.apps",
    *(f"joinery.apps.{app}" for app in RIVER),
)


def lint(root: Path, planted: dict[str, str]) -> tuple[int, str]:
    """import-linter's exit code and report for a small house with these files planted in it."""
    for package in EMPTY:
        folder = root / package.replace(".", "/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    for path, text in ({"joinery/__main__.py": ""} | planted).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    shutil.copy(ROOT / "pyproject.toml", root)
    # The planted house comes before the real one on the path.
    program = (
        f"import sys; sys.path.insert(0, {str(root)!r}); "
        "from importlinter.cli import lint_imports_command as run; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=root,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_house_without_violations_passes(tmp_path: Path) -> None:
    code, report = lint(tmp_path, {"joinery/site/urls.py": "import joinery.apps.record, joinery.calc"})
    assert code == 0, report


def test_planted_imports_break_each_contract(tmp_path: Path) -> None:
    planted = {
        "joinery/calc/access.py": "import joinery.apps.base",
        "joinery/calc/identity.py": "import sqlite3, http.client",
        "joinery/calc/units.py": "from django.utils import timezone",
        "joinery/apps/base/actions.py": "import joinery.apps.board",
        "joinery/apps/place/actions.py": "import joinery.apps.record",
        "joinery/apps/record/views.py": "def page():\n    from joinery import site",
    }
    edges = (
        "joinery.calc.access -> joinery.apps.base",
        "joinery.calc.identity -> sqlite3",
        "joinery.calc.identity -> http",
        "joinery.calc.units -> django",
        "joinery.apps.base.actions -> joinery.apps.board",
        "joinery.apps.place.actions -> joinery.apps.record",
        "joinery.apps.record.views -> joinery.site",
    )
    code, report = lint(tmp_path, planted)
    assert code == 1, report
    assert "0 kept" in report, report
    assert [edge for edge in edges if edge not in report] == [], report


@pytest.mark.parametrize("package", ["joinery/extras", "joinery/apps/extras"])
def test_a_package_outside_the_storeys_and_the_river_is_refused(package: str, tmp_path: Path) -> None:
    code, report = lint(tmp_path, {f"{package}/__init__.py": ""})
    assert code == 1, report
    assert "extras" in report
