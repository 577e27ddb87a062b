"""What a page points to is there: links, pictures, and files that are named in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, name_of

LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"`((?:joinery|tests|tools|docs|scripts|requirements)/[\w./*-]+)`")


def broken(page: Path, text: str) -> Iterator[str]:
    """Links that lead nowhere and files that do not exist, on a page with this text."""
    for link in LINK.findall(text):
        target = link.partition("#")[0]
        if target and not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
            yield link
    for path in NAMED.findall(text):
        if not any(ROOT.glob(path)) and not (ROOT / path).exists():
            yield path


@pytest.mark.parametrize("document", PAGES, ids=name_of)
def test_nothing_leads_nowhere(document: Path) -> None:
    assert list(broken(document, document.read_text("utf-8"))) == []


@pytest.mark.parametrize("document", PAGES, ids=name_of)
def test_a_page_names_no_folder_of_the_machine_it_was_written_on(document: Path) -> None:
    assert re.findall(r"(?:/work/|/tmp/|/home/|/root/)\S*", document.read_text("utf-8")) == []


def test_a_broken_link_is_found() -> None:
    text = "See [this](gone.md), [that](README.md#here) and `tests/gone.py`."
    assert list(broken(ROOT / "page.md", text)) == ["gone.md", "tests/gone.py"]
