"""Pages and pictures that are made from the code are what the code makes today."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT, tool

REFERENCE = tool("reference")


@pytest.mark.parametrize("name", REFERENCE.PAGES)
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    assert (REFERENCE.TARGET / name).read_text("utf-8") == REFERENCE.PAGES[name](), "run: make docs"


def test_no_reference_page_is_left_over() -> None:
    assert {path.name for path in REFERENCE.TARGET.iterdir()} == set(REFERENCE.PAGES)


def test_the_picture_of_the_house_is_drawn_from_the_imports_of_today() -> None:
    house = tool("house")
    assert _without_sizes(house.TARGET.read_text("utf-8")) == _without_sizes(house.draw()), "run: make map"


def _without_sizes(picture: str) -> str:
    """The picture without how many lines a room has: a line more here or there moves no wall."""
    return re.sub(r"[\d,]+ lines", "lines", picture)


def test_the_screenshot_is_small_enough_to_carry() -> None:
    assert (ROOT / "docs/images/record.png").stat().st_size < tool("screenshot").LARGEST_BYTES
