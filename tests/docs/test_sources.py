"""Whoever reads the project can follow its sources: none is a page that only its authors have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import PAGES, ROOT, name_of

FOLDERS = ("joinery", "tests", "benchmarks", "tools", "scripts", "requirements")
ENDINGS = {".py", ".toml", ".jinja", ".css", ".js", ".sh", ".in"}
# The pages that the project was designed from, by name or by section.
OURS = re.compile(
    r"\b(?:[Hh]andbook"
    r"|(?:architecture|domain|ecosystem|feeds|linkage|measures|money)(?:\.md)?,? \d"
    r"|(?<!-)(?:architecture|domain|ecosystem|measures|money|record|twin)\.md)"
)


def texts() -> Iterator[Path]:
    yield from PAGES
    for folder in FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in ENDINGS and path != Path(__file__))


def out_of_reach(text: str) -> Iterator[int]:
    """The lines of a text that send its reader to a page that is not there."""
    yield from (text.count("\n", 0, found.start()) + 1 for found in OURS.finditer(text))


def test_every_source_is_within_reach() -> None:
    found = [f"{name_of(path)}, line {line}" for path in texts() for line in out_of_reach(path.read_text("utf-8"))]
    assert found == [], "name the public source, or say that it is our own rule, or recalled"


def test_a_source_out_of_reach_is_found() -> None:
    text = "# Source: handbook.\n# HL7 table 0127.\n# See domain.md\n# (linkage 6.2)\n# docs/explanation/the-twin.md\n"
    assert list(out_of_reach(text)) == [1, 3, 4]
