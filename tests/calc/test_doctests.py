"""The examples in calc's docstrings, and in the readers of feeds, say what is so."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import joinery.calc

MODULES = [m.name for m in pkgutil.walk_packages(joinery.calc.__path__, "joinery.calc.")]
MODULES += [f"joinery.apps.record.{name}" for name in ("rows", "council", "fhir.lines")]
MODULES += [f"joinery.{name}" for name in ("apps.base.addresses", "apps.base.tables", "site.line_chart", "site.pauses")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    assert sum(doctest.testmod(importlib.import_module(name)).attempted for name in MODULES) > 5
