"""Changing the directory by `joinery place`: at once, by a proposal, and what then waits for a decision."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.site import place_keys, shore
from tests.site.shore import today
from tests.support import Deployment, copied_deployment

pytestmark = pytest.mark.any_database

LATER = "2031-04-01"


@pytest.fixture(scope="module")
def made(migrated: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with shore.started(migrated, tmp_path_factory.mktemp("shore")) as place:
        yield place


@pytest.fixture
def place(made: Deployment, tmp_path: Path) -> Iterator[Deployment]:
    """A started place of the test's own."""
    with copied_deployment(made, tmp_path / "data") as copy:
        yield copy


def do(place: Deployment, *words: object) -> dict[str, Any]:
    answer = place.json("place", *words)
    assert set(answer) == place_keys.KEYS[f"place {words[0]}"], answer
    return answer


def neighbourhood(place: Deployment, lsoa: str, *options: object) -> str:
    code: str = place.json("place", "responsible", "--lsoa", lsoa, *options)["bodies"][0]["body"]["code"]
    return code


def test_a_proposal_is_looked_through_and_then_adopted(place: Deployment) -> None:
    number = do(place, "propose", "One quay")["proposal"]
    added = do(place, "merge", "ZA1", "ZA2", "--into", "ZA4", "--name", "Quay", "--on", LATER, "--proposal", number)
    assert (added["on"], added["proposal"]) == (LATER, number)
    assert neighbourhood(place, "E01999803", "--at", LATER) == "ZA2"
    assert neighbourhood(place, "E01999803", "--at", LATER, "--proposal", number) == "ZA4"
    cut = do(place, "atoms", "--set", f"place@{LATER}", "--set", f"neighbourhood@{LATER}", "--proposal", number)["cut"]
    assert [(each["level"], each["atoms"]) for each in cut] == [("place", []), ("neighbourhood", [])]
    cut = do(place, "atoms", "--set", f"place@{LATER}", "--proposal", number)["cut"]
    assert all(set(each) == place_keys.CUT for each in cut)

    assert do(place, "adopt", number) == {"proposal": number, "state": "adopted"}
    assert neighbourhood(place, "E01999803", "--at", LATER) == "ZA4"
    (listed,) = do(place, "proposals")["proposals"]
    assert set(listed) == place_keys.PROPOSAL and (listed["title"], listed["state"]) == ("One quay", "adopted")
    done = place.run("place", "drop", number)
    assert done.returncode == 1 and "was adopted already" in done.stderr


def test_a_proposal_that_divides_a_neighbourhood_cuts_its_atom(place: Deployment) -> None:
    number = do(place, "propose", "Half of the quay")["proposal"]
    do(place, "move", "E01999802", "--from", "ZA1", "--to", "ZA2", "--on", LATER, "--proposal", number)
    (cut,) = do(place, "atoms", "--set", f"neighbourhood@{today()}", "--proposal", number)["cut"]
    assert (cut["on"], cut["atoms"]) == (LATER, [0])
    assert do(place, "drop", number)["state"] == "dropped"
    done = place.run("place", "show", "ZA1", "--proposal", number)
    assert done.returncode == 1 and f"Proposal {number} was dropped already" in done.stderr


def test_changes_at_once(place: Deployment) -> None:
    do(place, "add", "ZA9", "--name", "Mill", "--form", "neighbourhood")
    do(place, "rename", "ZA9", "Windmill", "--on", LATER)
    do(place, "lead", "ZA9", "--name", "Ben", "--from", "2026-01-01")
    do(place, "move", "ZA3", "--from", shore.HOME, "--to", "ZA9", "--on", LATER)
    then = place.json("place", "show", "ZA9", "--at", LATER)
    assert then["body"]["name"] == "Windmill"
    assert [s["value"] for s in then["said"] if s["kind"] == "lead"] == ["Ben"]
    assert [s["other"]["code"] for s in then["said"] if s["incoming"] and s["kind"] == "part_of"] == ["ZA3"]
    parts = ("--part", "ZB1=E01999801", "--part", "ZB2=E01999802", "--name", "ZB1=Pier", "--name", "ZB2=Sands")
    do(place, "split", "ZA1", *parts, "--on", "2026-10-01", "--instrument", "order", "--contracts", "novated")
    assert neighbourhood(place, "E01999802") == "ZB2"
    assert neighbourhood(place, "E01999802", "--at", "2026-09-30") == "ZA1"
    (first, _) = place.json("place", "successors", "ZA1")["successions"]
    assert (first["instrument"], first["contracts"]) == ("order", "novated")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("merge", "ZA1", "ZA2", "--into", "ZA4"), "ZA4 is a new code. Give the name"),
        (("merge", "ZA1", "NOPE", "--into", "ZA2"), "No body has the code NOPE"),
        (("merge", "ZA1", "--into", "ZA4", "--name", "X"), "A merger takes two bodies at least"),
        (("merge", "ZA1", "ZA2", "--into", "ZA3", "--name", "X"), "ZA3 is there already, as Hill"),
        (("split", "ZA1", "--part", "ZA2"), "Name two bodies at least"),
        (("split", "ZA1", "--part", "ZA2", "--part", "ZA3", "--name", "ZA7=X"), "--name names ZA7"),
        (("move", "ZA1", "--from", "ZA2", "--to", "ZA3"), "is no part of West Quay"),
        (("add", "ZA1", "--name", "X", "--form", "neighbourhood"), "A code is never used again"),
        (("add", "ZA8", "--name", "X", "--form", "parish"), "there is no form parish"),
        (("rename", "ZA1", " "), "Give the new name"),
        (("lead", "NOPE", "--name", "Ben"), "No body has the code NOPE"),
        (("adopt", "4000"), "There is no such proposal"),
        (("decide", "4000", "--to", "ZA1"), "does not wait for a decision"),
        (("decide", "--people", "ZA1", "--to", "ZA2"), "Nobody who is known to that body waits"),
        (("decide", "--people", "ZA1", "--end", LATER), "can be ended today"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_said(made: Deployment, words: tuple[str, ...], problem: str) -> None:
    done = made.run("place", *words)
    assert done.returncode == 1 and problem in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_who_worked_at_a_body_that_was_split_waits_until_somebody_decides(place: Deployment) -> None:
    assert do(place, "waiting") == {"memberships": [], "people": []}
    do(place, "split", shore.HOME, "--part", "ZP8", "--part", "ZP9", "--name", "ZP8=North", "--name", "ZP9=South")
    (waits,) = do(place, "waiting")["memberships"]
    assert set(waits) == place_keys.MEMBERSHIP and waits["user"] == "Ada Lead"
    assert [body["code"] for body in waits["choices"]] == ["ZP8", "ZP9"]
    assert "choose: North (ZP8), South (ZP9)" in place.run("place", "waiting").stdout

    elsewhere = place.run("place", "decide", waits["membership"], "--to", "ZA1")
    assert elsewhere.returncode == 1 and "Choose a body that took over from Shore" in elsewhere.stderr
    assert do(place, "decide", waits["membership"], "--to", "ZP9")["to"] == "ZP9"
    assert do(place, "waiting")["memberships"] == []


def test_a_membership_that_waits_can_be_ended(place: Deployment) -> None:
    do(place, "split", shore.HOME, "--part", "ZP8", "--part", "ZP9", "--name", "ZP8=North", "--name", "ZP9=South")
    (waits,) = do(place, "waiting")["memberships"]
    assert do(place, "decide", waits["membership"], "--end", today())["decided"] == 1
    assert do(place, "waiting")["memberships"] == []
