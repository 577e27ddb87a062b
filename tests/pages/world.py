"""A small place for tests of pages: organisations, people who log in, and what services send.

Everything goes in by the doors that a deployment uses; nothing here writes a table.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.test import Client

from joinery.apps.base.action import Actor
from joinery.apps.base.actions import add_user
from joinery.apps.base.columns import select
from joinery.apps.base.models import User
from joinery.apps.place.actions import OrganisationDetails, add_membership, register_organisation
from joinery.apps.record.actions import Taken, take_file

SURGERY, OTHER_SURGERY, TRUST, COUNCIL = "ZA1", "ZA2", "ZT1", "998"
ORGANISATIONS = (
    OrganisationDetails(SURGERY, "Quay Surgery", "gp_practice"),
    OrganisationDetails(OTHER_SURGERY, "Hill Surgery", "gp_practice"),
    OrganisationDetails(TRUST, "Vale Community Health", "community_trust"),
    OrganisationDetails(COUNCIL, "Vale Council", "council"),
)
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
SNOMED = "http://snomed.info/sct"
ACTOR = Actor.system("test")
Resource = dict[str, Any]


def patient(local_id: str, family: str, given: str, *, born: str = "1944-02-09", number: str = "") -> Resource:
    identifier = [{"system": NHS_NUMBER, "value": number}] if number else []
    made: Resource = {
        "resourceType": "Patient",
        "id": local_id,
        "name": [{"use": "official", "family": family, "given": [given], "prefix": ["Mrs"]}],
        "gender": "female",
        "birthDate": born,
        "address": [{"use": "home", "line": ["3 Ropewalk"], "city": "Vale", "postalCode": "ZZ1 2AA"}],
    }
    return made | ({"identifier": identifier} if identifier else {})


def numbers_far_apart() -> Iterator[str]:
    """Valid NHS numbers, each many digits from the others: people who carry them are never taken for one."""
    for n in range(200, 1000):
        nine = f"999{(n * 7919) % 1_000_000:06d}"
        check = 11 - sum((10 - place) * int(digit) for place, digit in enumerate(nine)) % 11
        if check != 10:
            yield f"{nine}{check % 11}"


def concept(words: str, code: str = "") -> Resource:
    return {"text": words} | ({"coding": [{"system": SNOMED, "code": code}]} if code else {})


def _about(kind: str, local_id: str, of: str, element: str, restricted: bool) -> Resource:
    made: Resource = {"resourceType": kind, "id": local_id, element: {"reference": f"Patient/{of}"}}
    return made | ({"meta": {"security": [{"code": "R"}]}} if restricted else {})


def allergy(local_id: str, of: str, words: str, *, code: str = "", restricted: bool = False) -> Resource:
    return _about("AllergyIntolerance", local_id, of, "patient", restricted) | {
        "clinicalStatus": _status("allergyintolerance-clinical"),
        "code": concept(words, code),
        "recordedDate": "2024-05-06",
    }


def no_known_allergy(local_id: str, of: str) -> Resource:
    return allergy(local_id, of, "No known allergy", code="716186003")


def empty_allergy_list(local_id: str, of: str) -> Resource:
    return _about("List", local_id, of, "subject", False) | {
        "status": "current",
        "mode": "snapshot",
        "code": concept("Allergies", "886921000000105"),
        "date": "2026-01-05",
        "emptyReason": concept("No content recorded"),
    }


def flag(local_id: str, of: str, words: str, *, restricted: bool = False) -> Resource:
    return _about("Flag", local_id, of, "subject", restricted) | {"status": "active", "code": concept(words)}


def problem(
    local_id: str, of: str, words: str, *, on: str = "2025-06-07", restricted: bool = False, note: str = ""
) -> Resource:
    return (
        _about("Condition", local_id, of, "subject", restricted)
        | {
            "clinicalStatus": _status("condition-clinical"),
            "code": concept(words),
            "onsetDateTime": on,
        }
        | ({"note": [{"text": note}]} if note else {})
    )


def _status(system: str) -> Resource:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": "active"}]}


def person_row(local_id: str, family: str, given: str, *, born: str = "1944-02-09", number: str = "") -> dict[str, str]:
    named = {"person_id": local_id, "family_name": family, "given_names": given, "birth_date": born}
    return named | {"nhs_number": number, "gender": "female"}


def alert_row(local_id: str, of: str, words: str, *, audience: str = "all") -> dict[str, str]:
    return {
        "alert_id": local_id,
        "person_id": of,
        "code": "A",
        "text": words,
        "from": "2026-01-04",
        "audience": audience,
    }


def write_ndjson(path: Path, resources: Iterable[Resource]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in resources), "utf-8")
    return path


def write_csv(path: Path, rows: list[dict[str, str]], columns: Iterable[str] = ()) -> Path:
    """One table of the council's extract; `columns` are needed where there are no rows."""
    common = {"source_id": "council", "updated_at": "2026-02-01T09:00:00Z", "deleted": "0"}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*(rows[0] if rows else columns), *common])
        writer.writeheader()
        writer.writerows(row | common for row in rows)
    return path


@dataclass
class World:
    """A place whose organisations exist; files are written to `folder` on their way in."""

    folder: Path
    at: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(hours=3))
    files: int = 0

    def __post_init__(self) -> None:
        for details in ORGANISATIONS:
            register_organisation(details=details, actor=ACTOR, at=self.at)

    def sends(self, organisation: str, *resources: Resource, name: str = "") -> Taken:
        """Take resources in one file; all of them must be good."""
        path = write_ndjson(self._next(name or "sent.ndjson"), resources)
        taken = take_file(path=path, feed="fhir", organisation_code=organisation, actor=ACTOR, at=self.at)
        assert taken.quarantined == 0
        return taken

    def council_sends(self, part: str, *rows: dict[str, str], columns: Iterable[str] = ()) -> Taken:
        path = write_csv(self._next(f"{part}.csv"), list(rows), columns)
        taken = take_file(path=path, feed="council", organisation_code=COUNCIL, actor=ACTOR, at=self.at)
        assert taken.quarantined == 0
        return taken

    def user(self, role: str = "gp", organisation: str = SURGERY, name: str = "Asha Rao") -> Client:
        """A client logged in as a new user with one role, or with none where `role` is empty."""
        email = f"{role or 'nobody'}.{User.objects.count()}@test.example"
        user_id = add_user(email=email, name=name, password=None, actor=ACTOR, at=self.at)
        if role:
            add_membership(
                user_id=user_id,
                organisation_code=organisation,
                role=role,
                from_date=self.at.date() - timedelta(days=1),
                actor=ACTOR,
                at=self.at,
            )
        client = Client(raise_request_exception=False)
        client.force_login(User.objects.get(pk=user_id), "allauth.account.auth_backends.AuthenticationBackend")
        return client

    def _next(self, name: str) -> Path:
        self.files += 1
        folder = self.folder / str(self.files)
        folder.mkdir()
        return folder / name


def person_id(local_id: str) -> str:
    """The person whom a source knows under this id (a FHIR one is `Patient/…`)."""
    sql = (
        "SELECT k.person_id FROM record_link k JOIN record_sourcerecord r ON r.id = k.record_id "
        "WHERE r.local_id = %s ORDER BY k.id DESC LIMIT 1"
    )
    return str(select(sql, [local_id])[0][0])


def entry_id(item_key: str) -> int:
    """The newest entry that an item made."""
    sql = "SELECT MAX(e.id) FROM record_entry e JOIN record_item i ON i.id = e.item_id WHERE i.key = %s"
    return int(select(sql, [item_key])[0][0])


def search(client: Client, **form: str) -> Any:
    return client.post("/", form)
