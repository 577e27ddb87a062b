"""FHIR messages: a Bundle about one person that a system sends over the wire, and what it may ask for again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from joinery.apps.base.access_log import Look, Viewing, log_access, open_viewing
from joinery.apps.base.action import Actor
from joinery.apps.base.columns import select
from joinery.apps.record.actions.intake import take_file
from joinery.apps.record.fhir.files import read_resources
from joinery.apps.record.fhir.lines import row_of
from joinery.apps.record.fhir.validate import Issue, validate
from joinery.apps.record.pairs import founding_record
from joinery.apps.record.sql import details, filed, links
from joinery.calc.access import DIRECT_CARE, Decision
from joinery.definitions import OWN_FEED

FILE_NAME = "message.json"
_SENDER = Decision(True, "sender")


def bundle_issues(body: bytes) -> tuple[Issue, ...]:
    """All that keeps a Bundle from being valid FHIR R4, where in it and what to do; nothing of it is kept."""
    return validate(body)[1]


def take_bundle(*, body: bytes, organisation_code: str, actor: Actor, at: datetime) -> int | None:
    """Take a valid Bundle about one person as a file of their FHIR feed; returns the record that founded the person.

    None when it tells of no person. Raises Refused as `take_file` does, and at once while a long file is being taken.
    """
    with TemporaryDirectory(prefix="joinery-message-") as folder:
        path = Path(folder) / FILE_NAME
        path.write_bytes(body)
        take_file(path=path, feed="fhir", organisation_code=organisation_code, actor=actor, at=at, wait=False)
        rows = [
            row_of(received.resource, received.body, 0, full_url=received.full_url, names=received.names)
            for received in read_resources(path)
            if received.resource is not None and received.resource.get("resourceType") == "Patient"
        ]
    sql = (
        f"SELECT k.person_id FROM {links()} JOIN record_sourcerecord r ON r.id = k.record_id "
        "JOIN record_source so ON so.id = r.source_id AND so.feed = 'fhir' "
        "JOIN place_organisation o ON o.id = so.organisation_id WHERE o.code = %s AND r.local_id = %s"
    )
    found = [person for row in rows[:1] for (person,) in select(sql, [organisation_code, row.local_id])]
    return founding_record(found[0]) if found else None


def open_filed(
    *, organisation_code: str, actor: Actor, at: datetime, key: str = "", nhs_number: str = ""
) -> Viewing | None:
    """Open a viewing of the people about whom an organisation wrote here what was filed under a key (`Type/id`), or
    who have an NHS number; for the organisation's own system. None when there is nobody, which is logged too."""
    if key:
        people = _written_about(organisation_code, "i.key = %s", [key])
    else:
        numbered = f"SELECT k.person_id FROM {details()} JOIN {links(on='k.record_id = d.record_id')}"
        people = _written_about(organisation_code, f"k.person_id IN ({numbered} WHERE d.nhs_number = %s)", [nhs_number])
    look = Look("message", DIRECT_CARE, _SENDER)
    if not people:
        log_access(actor=actor, at=at, look=look, person_ids=[])
        return None
    return open_viewing(actor=actor, at=at, look=look, person_ids=people)


def _written_about(organisation_code: str, where: str, values: Sequence[str]) -> list[str]:
    rows = select(
        f"SELECT DISTINCT k.person_id FROM {filed(f'o.code = %s AND {where}')}", [OWN_FEED, organisation_code, *values]
    )
    return [person for (person,) in rows]
