"""An allergy or alert that could not be taken must never pass for none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.apps.record import sending
from tests.apps.record.sending import COMMUNITY, COUNCIL, GP, patient, person_row, send

pytestmark = pytest.mark.django_db
NUMBER = sending.nhs_number(1)
ANN = {"number": NUMBER, "family": "Ash", "given": "Ann", "born": "1941-03-03"}


@pytest.fixture(autouse=True)
def organisations() -> None:
    sending.register()


def empty_list(about: str) -> dict[str, Any]:
    coding = {"system": "http://snomed.info/sct", "code": "886921000000105"}
    reason = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/list-empty-reason", "code": "nilknown"}]}
    return {
        "resourceType": "List",
        "id": "allergies",
        "status": "current",
        "mode": "snapshot",
        "code": {"coding": [coding]},
        "subject": {"reference": about},
        "emptyReason": reason,
    }


def allergy(about: str, **said: Any) -> dict[str, Any]:
    made = {"resourceType": "AllergyIntolerance", "id": "a1", "patient": {"reference": about}}
    system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
    active = {"coding": [{"system": system, "code": "active"}]}
    return made | {"clinicalStatus": active, "code": {"text": "Penicillin"}} | said


def section(which: int, record: str) -> Any:
    viewing, records = sending.opened(sending.person_of(record))
    return sending.facts.safety(viewing, records, sending.facts.freshness(viewing, records))[which]


def test_none_recorded_does_not_stand_beside_an_allergy_that_could_not_be_read(tmp_path: Path) -> None:
    # Given a practice that states an empty list, and sends an allergy that is not valid
    broken = allergy("Patient/1", criticality="dreadful")
    taken = send(tmp_path, sending.ndjson([patient("1", **ANN), empty_list("Patient/1"), broken]))
    assert taken.quarantined == 1
    # Then nobody reads "none recorded"
    allergies = section(0, f"{GP} Patient/1")
    assert (allergies.state, allergies.unread) == ("not_received", (GP,))
    # When the practice mends it
    send(tmp_path, sending.ndjson([allergy("Patient/1", criticality="high")]), name="mended")
    allergies = section(0, f"{GP} Patient/1")
    assert (allergies.state, allergies.unread) == ("present", ())


def test_a_broken_allergy_of_somebody_else_changes_nothing(tmp_path: Path) -> None:
    broken = allergy("Patient/2", criticality="dreadful")
    send(tmp_path, sending.ndjson([patient("1", **ANN), empty_list("Patient/1"), patient("2"), broken]))
    assert section(0, f"{GP} Patient/1").state == "none_recorded"


def test_a_source_that_says_nothing_is_named_beside_one_that_says_none(tmp_path: Path) -> None:
    send(tmp_path, sending.ndjson([patient("1", **ANN), empty_list("Patient/1")]))
    send(tmp_path, sending.ndjson([patient("x", **ANN)]), COMMUNITY)
    allergies = section(0, f"{GP} Patient/1")
    assert (allergies.state, allergies.silent) == ("none_recorded", (COMMUNITY,))


# Somebody else, by any comparison.
BEN = person_row("8", family_name="Birch", given_names="Ben", birth_date="1962-07-19")


@pytest.mark.parametrize(
    ("row", "state", "unread"),
    [
        ({"person_id": "8", "from": "2026-01-05"}, "none_recorded", ()),
        ({"person_id": "7", "from": "05/01/2026"}, "not_received", (COUNCIL,)),
        ({"person_id": "8", "from": "05/01/2026"}, "none_recorded", ()),
        ({"person_id": "", "from": "2026-01-05"}, "not_received", (COUNCIL,)),
    ],
)
def test_a_council_whose_alert_could_not_be_read_has_not_said_none(
    row: dict[str, str], state: str, unread: tuple[str, ...], tmp_path: Path
) -> None:
    send(tmp_path, sending.extract("person", [person_row("7"), BEN]), COUNCIL)
    alert = {"alert_id": "a1", "code": "DOG", "text": "Large dog"} | row
    send(tmp_path, sending.extract("alert", [alert]), COUNCIL, "alert.csv")
    found = section(1, f"{COUNCIL} person/7")
    assert (found.state, found.unread) == (state, unread)
    # The same file again changes nothing, and a whole one settles it
    send(tmp_path, sending.extract("alert", [alert]), COUNCIL, "alert.csv")
    assert section(1, f"{COUNCIL} person/7").unread == unread
    send(tmp_path, sending.extract("alert", [alert | {"person_id": "8", "from": "2026-01-05"}]), COUNCIL, "alert.csv")
    assert section(1, f"{COUNCIL} person/7").state == "none_recorded"
