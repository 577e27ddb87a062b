"""What docs/tutorials/first-hour.md promises is what its demonstration shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pages.conftest import AS_OF, PEOPLE
from tests.support import URL, copied_deployment

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs/tutorials/first-hour.md").read_text("utf-8")
SMITH, FOSTER, WILSON, CLARKE = "999 000 1111", "999 299 5874", "999 362 7100", "999 902 1239"
# Each look that the tutorial asks for, as tests/docs/look.py takes it.
LOOKS = (
    *(f"bronagh/nhs_number={number}" for number in (SMITH, FOSTER, WILSON, CLARKE)),
    *(f"{user}/family_name=Hawkins" for user in ("bronagh", "tom")),
    *(f"priya/nhs_number={number}" for number in (SMITH, WILSON)),
    f"ruth/nhs_number={SMITH}",
)


pytestmark = pytest.mark.skipif(bool(URL), reason="the demonstration of the tests of pages is on SQLite")


@pytest.fixture(scope="module")
def seen(demonstration: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What each look shows, all taken by one process in a copy of the demonstration."""
    with copied_deployment(demonstration, tmp_path_factory.mktemp("first_hour") / "data") as deployment:
        env = deployment.env | {"DJANGO_SETTINGS_MODULE": "joinery.site.settings"}
        command = [sys.executable, str(ROOT / "tests/docs/look.py"), *LOOKS]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return answers


def test_the_tutorial_builds_this_demonstration() -> None:
    assert f"demo --people {PEOPLE} --as-of {AS_OF} " in TUTORIAL


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (SMITH, "Likes to be called Peggy"),
        (SMITH, "Allergy to penicillin"),
        (FOSTER, "No known allergies , stated by"),
        (FOSTER, "None recorded by Wexcombe Council"),
        (WILSON, "Not received. No organisation has sent allergies"),
        (CLARKE, "Withheld Recorded by"),
    ],
)
def test_the_nurse_sees_what_the_tutorial_says(seen: dict[str, Any], number: str, words: str) -> None:
    assert number in TUTORIAL
    assert words in seen[f"bronagh/nhs_number={number}"]["page"]


def test_a_person_whose_number_not_everybody_knows_is_one(seen: dict[str, Any]) -> None:
    for user in ("bronagh", "tom"):
        results = seen[f"{user}/family_name=Hawkins"]["results"]
        assert "28 August 1946 (80) Sex Female NHS number 999 252 4731" in results


def test_the_social_worker_finds_only_those_the_council_knows(seen: dict[str, Any]) -> None:
    assert seen[f"priya/nhs_number={SMITH}"]["found"] == 1
    assert seen[f"priya/nhs_number={WILSON}"]["found"] == 0


def test_the_integration_lead_is_refused_in_words(seen: dict[str, Any]) -> None:
    assert "Your role does not include seeing people's records." in seen[f"ruth/nhs_number={SMITH}"]["results"]
