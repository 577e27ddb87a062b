"""The pinned requirements say what pyproject.toml asks for, with hashes and without addresses (`make lock`)."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ASKED = {
    "run": PROJECT["project"]["dependencies"],
    "build": PROJECT["build-system"]["requires"],
    "dev": [*chain(*PROJECT["project"]["optional-dependencies"].values()), *PROJECT["dependency-groups"]["dev"]],
    "mesh-sandbox": (ROOT / "requirements/mesh-sandbox.in").read_text("utf-8").splitlines()[1:],
}


def pins(name: str) -> dict[str, str]:
    """The version of each package in one of the files; of several, for as many Pythons, that of the oldest."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    return dict(reversed(re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE)))


@pytest.mark.parametrize("name", ASKED)
def test_the_pins_are_what_the_project_asks_for(name: str) -> None:
    pinned = pins(name)
    for requirement in map(Requirement, ASKED[name]):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version, f"{requirement} is not in requirements/{name}.txt: run make lock"
        assert requirement.specifier.contains(version), f"{requirement}, but {version} is pinned: run make lock"


@pytest.mark.parametrize("name", ASKED)
def test_every_pin_has_a_hash_and_no_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    assert "://" not in text
    pinned = re.findall(r"^(\S+)==.*\\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^\S+==", text, re.MULTILINE)) and set(pinned) == set(pins(name))


def test_tests_run_on_the_versions_that_are_shipped() -> None:
    developed, shipped = pins("dev"), pins("run")
    assert {name: developed.get(name) for name in shipped} == shipped
