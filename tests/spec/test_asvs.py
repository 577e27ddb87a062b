"""The list of ASVS is whole, and each line that says `met` names tests that exist."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.spec.asvs import CHAPTERS, STATES, expected, requirements

ROOT = Path(__file__).parents[2]


@cache
def _held(path: str) -> frozenset[str]:
    """The names of the tests in a file; empty where there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text("utf-8"))
    return frozenset(n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_"))


def test_the_list_is_the_whole_of_levels_1_and_2_in_order() -> None:
    assert len(expected()) == 253  # 70 of level 1 and 183 of level 2
    assert list(expected().values()).count(1) == 70
    assert [each.id for each in requirements()] == list(expected())
    assert {each.chapter for each in requirements()} == set(CHAPTERS)


def test_each_line_says_how_it_stands_and_why() -> None:
    for each in requirements():
        assert each.state in STATES, each.id
        assert each.asks and not each.asks.startswith("Verify"), each.id
        assert bool(each.tests) == (each.state == "met"), each.id
        assert each.says or each.state == "met", each.id


def test_every_test_that_is_named_exists() -> None:
    missing = []
    for each in requirements():
        for named in each.tests:
            path, _, test = named.partition("::")
            held = _held(path)
            if not held or (test and test not in held):
                missing.append(f"{each.id}: {named}")
    assert missing == []
