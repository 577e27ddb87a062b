"""What docs/tutorials/first-hour.md promises is what its demonstration shows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pages.conftest import AS_OF, PEOPLE
from tests.support import copied_deployment

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs/tutorials/first-hour.md").read_text("utf-8")
Look = Callable[[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def look(demonstration: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with copied_deployment(demonstration, tmp_path_factory.mktemp("first_hour") / "data") as deployment:

        def run(email: str, asked: str) -> dict[str, Any]:
            command = [sys.executable, str(ROOT / "tests/docs/look.py"), f"{email}@demo.example", asked]
            env = deployment.env | {"DJANGO_SETTINGS_MODULE": "joinery.site.settings"}
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            seen: dict[str, Any] = json.loads(done.stdout)
            return seen

        yield run


def test_the_tutorial_builds_this_demonstration() -> None:
    assert f"demo --people {PEOPLE} --as-of {AS_OF} " in TUTORIAL


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("999 000 1111", "Likes to be called Peggy"),
        ("999 000 1111", "Allergy to penicillin"),
        ("999 299 5874", "No known allergies , stated by"),
        ("999 299 5874", "None recorded by Wexcombe Council"),
        ("999 362 7100", "Not received. No organisation has sent allergies"),
        ("999 902 1239", "Withheld If you need this entry"),
    ],
)
def test_the_nurse_sees_what_the_tutorial_says(look: Look, number: str, words: str) -> None:
    assert number in TUTORIAL
    assert words in look("bronagh", f"nhs_number={number}")["page"]


def test_a_person_stands_in_two_halves(look: Look) -> None:
    assert "28 August 1946 (80) Sex Female NHS number Not known" in look("bronagh", "family_name=Hawkins")["results"]
    assert "28 August 1946 (80) Sex Female NHS number 999 252 4731" in look("tom", "family_name=Hawkins")["results"]


def test_the_social_worker_finds_only_those_the_council_knows(look: Look) -> None:
    assert look("priya", "nhs_number=999 000 1111")["found"] == 1
    assert look("priya", "nhs_number=999 362 7100")["found"] == 0


def test_the_integration_lead_is_refused_in_words(look: Look) -> None:
    seen = look("ruth", "nhs_number=999 000 1111")
    assert "Your role does not include seeing people's records." in seen["results"].replace("&#39;", "'")
