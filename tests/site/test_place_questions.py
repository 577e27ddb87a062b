"""What `joinery place` answers about the directory, in words and in JSON."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.site import place_keys, shore
from tests.site.shore import today
from tests.support import Deployment, empty_deployment

pytestmark = pytest.mark.any_database

EVE, CHANGE = "2026-03-31", "2026-04-01"


@pytest.fixture(scope="module")
def place(migrated: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A started place that nobody changes."""
    with shore.started(migrated, tmp_path_factory.mktemp("shore")) as made:
        yield made


def ask(place: Deployment, *words: object) -> dict[str, Any]:
    """The answer in JSON, whose keys are those that are promised."""
    answer = place.json("place", *words)
    assert set(answer) == place_keys.KEYS[f"place {words[0]}"], answer
    return answer


def refused(place: Deployment, *words: object) -> str:
    """What is said when a command ends with 1."""
    done = place.run("place", *words)
    assert done.returncode == 1 and done.stdout == "" and "Traceback" not in done.stderr
    return done.stderr


def test_show_tells_what_a_body_was_on_a_day(place: Deployment) -> None:
    answer = ask(place, "show", "QJK", "--at", "2022-06-30")
    assert answer["body"] | {"from": None} == {
        "code": "QJK", "name": answer["body"]["name"], "form": "stp", "level": "icb", "from": None, "to": None,
    }  # fmt: skip
    assert set(answer["body"]) == place_keys.BODY and all(set(said) == place_keys.SAID for said in answer["said"])
    assert ask(place, "show", "QJK", "--at", "2022-07-01")["body"]["form"] == "icb"
    (other,) = [s["other"]["code"] for s in answer["said"] if s["kind"] == "part_of"]
    assert other == "Y58"


def test_a_body_is_found_by_its_other_codes(place: Deployment) -> None:
    by_gss, by_cassr = ask(place, "show", "E54000037"), ask(place, "show", "503")
    assert by_gss["body"]["code"] == "QJK" and by_cassr["body"]["name"].startswith("Lincolnshire")


def test_in_words_the_answer_is_on_standard_output(place: Deployment) -> None:
    done = place.run("place", "show", "ZA1")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("East Quay (ZA1), Neighbourhood")
    assert "is part of Shore (ZPL77)" in done.stdout and "covers 2 LSOAs" in done.stdout
    assert ask(place, "show", "ZA1")["areas"] == ["E01999801", "E01999802"]


def test_successors_and_predecessors_are_those_up_to_the_day(place: Deployment) -> None:
    assert ask(place, "successors", "QNQ", "--at", EVE)["successions"] == []
    after = ask(place, "successors", "QNQ", "--at", CHANGE)["successions"]
    assert {each["to"]["code"] for each in after} == {"QRL", "S0E4D", "S9B9J"}
    assert all(set(each) == place_keys.SUCCESSION and each["on"] == CHANGE for each in after)
    before = ask(place, "predecessors", "S9B9J")["successions"]
    assert {each["from"]["code"] for each in before} == {"QNX", "QXU", "QNQ"}
    assert "Nothing took over" in place.run("place", "successors", "QJK").stdout


def test_history_tells_names_and_what_came_whatever_the_day(place: Deployment) -> None:
    answer = ask(place, "history", "QJK", "--at", "2030-01-01")
    assert [s["value"] for s in answer["said"] if s["kind"] == "form"].count("stp") == 1
    assert {each["to"]["code"] for each in ask(place, "history", "QNQ")["after"]} == {"QRL", "S0E4D", "S9B9J"}


def test_responsible_by_lsoa_and_by_postcode_is_the_same(place: Deployment) -> None:
    by_postcode, by_lsoa = (
        ask(place, "responsible", "--postcode", "zz9 1aa"), ask(place, "responsible", "--lsoa", "E01999801")
    )  # fmt: skip
    assert by_postcode["lsoa"] == "E01999801" and by_postcode["bodies"] == by_lsoa["bodies"]
    assert [each["body"]["code"] for each in by_lsoa["bodies"]] == ["ZA1", shore.HOME]
    assert all(set(each) == place_keys.RESPONSIBLE for each in by_lsoa["bodies"])


def test_what_was_not_known_yet_is_not_told(place: Deployment) -> None:
    yesterday = today() - timedelta(days=2)
    assert "Nothing is known of a body with the code ZA1" in refused(place, "show", "ZA1", "--known-at", yesterday)
    assert ask(place, "show", "ZA1", "--known-at", "9999-12-31")["body"]["name"] == "East Quay"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("show", "NOPE"), "Nothing is known of a body with the code NOPE"),
        (("successors", "NOPE"), "Nothing is known of a body with the code NOPE"),
        (("history", "NOPE"), "Nothing is known of a body with the code NOPE"),
        (("responsible", "--lsoa", "E01000009"), "No body is known to answer for E01000009"),
        (("responsible", "--postcode", "ZZ9 9ZZ"), "The area of ZZ9 9ZZ is not known"),
        (("show", "ZA1", "--proposal", "4000"), "There is no proposal 4000"),
        (("atoms", "--set", f"parish@{EVE}"), "There is no level parish. Levels: neighbourhood, place"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_answered_is_said(place: Deployment, words: tuple[str, ...], problem: str) -> None:
    assert problem in refused(place, *words)


def test_atoms_are_counted_and_written(place: Deployment, tmp_path: Path) -> None:
    out = tmp_path / "atoms.csv"
    sets = ("--set", f"neighbourhood@{EVE}", "--set", f"place@{EVE}")
    answer = ask(place, "atoms", *sets, "--out", out)
    assert (answer["lsoas"], answer["atoms"], answer["cut"]) == (5, 3, [])
    assert [each["bodies"] for each in answer["sets"]] == [["ZA1", "ZA2", "ZA3"], [shore.HOME]]
    assert all(set(each) == place_keys.SET for each in answer["sets"])
    with out.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["lsoa", "atom", f"neighbourhood@{EVE}", f"place@{EVE}"]
    assert rows[1] == ["E01999801", "0", "ZA1", shore.HOME] and len(rows) == 6
    assert "exists. Choose another name" in refused(place, "atoms", *sets, "--out", out)


def test_nothing_can_be_asked_where_there_is_no_deployment(tmp_path: Path) -> None:
    with empty_deployment(tmp_path / "data") as nothing:
        assert "Start a place: joinery place start" in refused(nothing, "show", "QJK")
