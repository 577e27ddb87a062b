"""People who are easily mistaken: in every place with room for them, and held as it is told of them."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from joinery.site.demo import cases
from joinery.site.demo.build import build
from joinery.site.demo.events import definitions
from joinery.site.demo.histories import histories

AS_OF = date(2026, 11, 21)
TOLD = definitions("cases")["case"]


def people_of(place: Any, case: str) -> list[int]:
    return [int(row["person"]) for row in place.table("cases") if row["case"] == case]


def test_every_case_is_in_the_truth(place: Any) -> None:
    assert [row["case"] for row in place.table("cases")] == [case["name"] for case in TOLD for _ in case["people"]]
    assert {int(row["person"]) for row in place.table("cases")} == set(range(500 - cases.count(500), 500))


def test_they_are_whom_the_definition_says(place: Any) -> None:
    for case in TOLD:
        for person, told in zip(people_of(place, case["name"]), case["people"], strict=True):
            known = place.people.rows()[person]
            assert (known.given_name, known.family_name, known.birth_date) == (
                told["given_name"], told["family_name"], told["birth_date"],
            )  # fmt: skip
            assert bool(known.nhs_number) == told.get("nhs_number", True)


def test_each_service_that_knows_them_sends_them(place: Any) -> None:
    kinds = {"Patient", "person", "Subject"}
    sent = {(row["organisation"], row["person"]) for row in place.table("truth") if row["kind"] in kinds}
    for case in TOLD:
        for person, told in zip(people_of(place, case["name"]), case["people"], strict=True):
            assert {(code, str(person)) for code in ("Z90001", *told["known_to"])} <= sent, case["name"]


def test_what_a_service_holds_instead_is_a_defect_of_that_name(place: Any) -> None:
    defects = {(row["defect"], row["field"], row["now"]) for row in place.table("defects")}
    for case in TOLD:
        for told in case["people"]:
            for held in told.get("held", {}).values():
                for field, value in held.items():
                    if field == "ethnicity":
                        continue
                    if value == cases.NUMBER_OF_THE_ONE_BEFORE:
                        value = place.people.nhs_number[people_of(place, case["name"])[0]]
                    was = told.get(field, "")
                    assert was == value or (case["name"], field, str(value)) in defects, (case["name"], field)


def test_the_council_can_say_what_the_nhs_has_no_letter_for(place: Any) -> None:
    (traveller,) = people_of(place, "no_fixed_address")
    (key,) = {
        row["local_id"]
        for row in place.table("truth")
        if (row["organisation"], row["kind"], row["person"]) == ("999", "person", str(traveller))
    }
    (row,) = [r for r in place.records[f"council/999/{AS_OF}/person.csv"] if r["person_id"] == key]
    assert row["ethnicity"] == "White: Gypsy or Irish Traveller"


def test_nobody_else_is_another_person_for_it(place: Any) -> None:
    told = cases.count(500)
    without, _ = histories(cases.FEWEST_PEOPLE - 1, 1, AS_OF)
    assert place.people.rows()[: cases.FEWEST_PEOPLE - 1 - told] == without.rows()[: cases.FEWEST_PEOPLE - 1 - told]


@pytest.mark.parametrize("people", [cases.FEWEST_PEOPLE - 1, cases.FEWEST_PEOPLE])
def test_a_small_place_has_no_room_for_them(tmp_path: Path, people: int) -> None:
    manifest = build(tmp_path, people=people, seed=2, as_of=date(2024, 2, 29))
    rows = (manifest.folder / "truth/cases.csv").read_text("utf-8").splitlines()[1:]
    assert manifest.people == people and bool(rows) == (people == cases.FEWEST_PEOPLE)
