"""The demonstration's place in the directory: whole, made up throughout, and hanging on nothing real."""

import csv
import re
import tomllib
from pathlib import Path
from typing import Any

from joinery.site.demo.events import definitions

FOLDER = Path(__file__).parents[2] / "joinery" / "definitions" / "organisations"
MADE_UP = re.compile(r"Z[A-Z0-9]+|999|E\d\d999\d{3}|1-999\d{6}")


def entries(name: str, part: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((FOLDER / name).read_text("utf-8")).get(part, [])
    return found


BODIES = {entry["code"]: entry for entry in entries("wexcombe.toml", "organisation")}
SUCCESSION = entries("wexcombe.toml", "succession")
RELATIONS = (
    "part_of", "in_geography_of", "commissioned_by", "operated_by", "partner_of", "owned_by", "faces",
    "shares_leadership_with",
)  # fmt: skip


def targets() -> set[str]:
    related = [item for entry in BODIES.values() for kind in RELATIONS for item in entry.get(kind, [])]
    named = {item["code"] if isinstance(item, dict) else item for item in related}
    return named | {edge[end] for edge in SUCCESSION for end in ("from", "to")}


def test_every_code_is_of_a_shape_that_no_real_body_has_and_is_none_of_england() -> None:
    england = {e["code"] for path in FOLDER.glob("*.toml") if path.stem != "wexcombe" for e in
               entries(path.name, "organisation")}  # fmt: skip
    assert [code for code in BODIES if not MADE_UP.fullmatch(code)] == []
    assert not set(BODIES) & england


def test_it_hangs_on_nothing_real() -> None:
    assert targets() <= set(BODIES)


def test_what_takes_over_is_open_and_what_ended_was_taken_over() -> None:
    assert {code for code, entry in BODIES.items() if "to" in entry} <= {edge["from"] for edge in SUCCESSION}
    for edge in SUCCESSION:
        taking = BODIES[edge["to"]]
        assert taking.get("from", edge["on"]) <= edge["on"] and "to" not in taking, edge


def test_every_postcode_of_the_place_lies_in_one_area_of_one_neighbourhood(place: Any) -> None:
    with (place.manifest.folder / "directory" / "postcodes.csv").open(newline="") as file:
        areas = {row["pcds"]: row["lsoa21cd"] for row in csv.DictReader(file)}
    assert set(areas) == set(definitions("place")["streets"].values())
    covered = [area for entry in BODIES.values() if entry.get("form") == "neighbourhood" for area in entry["areas"]]
    assert sorted(set(areas.values())) == sorted(covered)


def test_a_home_that_changed_owner_is_two_registrations_at_one_door() -> None:
    doors: dict[str, list[str]] = {}
    for code, entry in BODIES.items():
        if "premises" in entry:
            doors.setdefault(entry["premises"]["value"], []).append(code)
    assert sorted(map(len, doors.values())) == [1, 1, 2]
    ((old, new),) = [codes for codes in doors.values() if len(codes) == 2]
    assert BODIES[old]["to"] == BODIES[new]["from"] and BODIES[old]["operated_by"] != BODIES[new]["operated_by"]


def test_the_services_of_the_stories_are_bodies_of_the_directory() -> None:
    locations = {row["cqc_location"] for row in definitions("place")["services"].values() if "cqc_location" in row}
    known = set(BODIES) | {entry.get("codes", {}).get("cqc") for entry in BODIES.values()}
    assert locations <= known
