"""What tests of intake share: three organisations, small things that they send, and what pages then show."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joinery.apps.base.action import Actor
from joinery.apps.base.columns import select
from joinery.apps.base.feeds import feed_of
from joinery.apps.place.actions import OrganisationDetails, register_organisation
from joinery.apps.record import facts
from joinery.apps.record.actions import Taken, open_record, take_file
from joinery.apps.record.sql import links
from joinery.calc.access import Post

ACTOR = Actor.system("test")
AT = datetime(2026, 3, 31, 12, tzinfo=UTC)
GP, COMMUNITY, COUNCIL = "Z90001", "ZC1", "999"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"

Resource = dict[str, Any]


def register() -> None:
    """Register the three organisations that tests send from."""
    for code, form in ((GP, "gp_practice"), (COMMUNITY, "community_trust"), (COUNCIL, "council")):
        register_organisation(details=OrganisationDetails(code, code, form), actor=ACTOR, at=AT)


def nhs_number(nine: int) -> str:
    """The valid number that starts with 999 and six digits, or the next one that has a check digit."""
    digits = f"999{nine:06}"
    check = (11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11) % 11
    return f"{digits}{check}" if check < 10 else nhs_number(nine + 1)


# -- what is sent ---------------------------------------------------------------------------------


def patient(
    local: str | None, number: str = "", family: str = "", given: str = "", born: str = "", updated: str = ""
) -> Resource:
    name = {k: v for k, v in {"family": family, "given": [given] if given else []}.items() if v}
    said = {
        "id": local,
        "meta": {"lastUpdated": updated} if updated else None,
        "identifier": [{"system": NHS_NUMBER, "value": number}] if number else None,
        "name": [name] if name else None,
        "birthDate": born or None,
    }
    return {"resourceType": "Patient"} | {k: v for k, v in said.items() if v}


def observation(
    local: str, about: str | None = None, text: str = "Weight", updated: str = "", status: str = "final"
) -> Resource:
    said = {
        "meta": {"lastUpdated": updated} if updated else None,
        "subject": {"reference": about} if about else None,
        "effectiveDateTime": "2026-03-01T09:00:00Z",
    }
    made = {"resourceType": "Observation", "id": local, "status": status, "code": {"text": text}}
    return made | {k: v for k, v in said.items() if v}


def bundle(resources: Iterable[Resource], kind: str = "collection") -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": [{"resource": r} for r in resources]}).encode()


def ndjson(resources: Iterable[Resource]) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in resources)


def extract(part: str, rows: Iterable[dict[str, str]]) -> bytes:
    """A council's file: all the columns of its definition, empty where a row says nothing."""
    feed = feed_of("council")
    text = io.StringIO()
    writer = csv.DictWriter(text, [*feed.part(part).columns, *feed.common], lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({"source_id": "lcs", "updated_at": "2026-03-30T06:00:00Z", "deleted": "0"} | row)
    return text.getvalue().encode()


def person_row(local: str, number: str = "", **columns: str) -> dict[str, str]:
    named = {"family_name": "Ash", "given_names": "Ann", "birth_date": "1941-03-03"}
    return {"person_id": local, "nhs_number": number} | named | columns


def send(folder: Path, content: bytes, sender: str = GP, name: str = "file", at: datetime = AT) -> Taken:
    """Write the content to a file and take it; the council sends its extract, everybody else FHIR."""
    path = folder / name
    path.write_bytes(content)
    feed = "council" if sender == COUNCIL else "fhir"
    taken = take_file(path=path, feed=feed, organisation_code=sender, actor=ACTOR, at=at)
    assert taken.rows == taken.taken + taken.unchanged + taken.superseded + taken.quarantined
    return taken


def ends(taken: Taken) -> tuple[int, int, int, int]:
    """How the rows ended: taken, unchanged, superseded, quarantined."""
    return taken.taken, taken.unchanged, taken.superseded, taken.quarantined


# -- what is there then ---------------------------------------------------------------------------


def people() -> dict[str, frozenset[str]]:
    """The source records of each person, as `organisation local-id`."""
    sql = (
        f"SELECT k.person_id, o.code, r.local_id FROM {links()} JOIN record_sourcerecord r ON r.id = k.record_id "
        "JOIN record_source s ON s.id = r.source_id JOIN place_organisation o ON o.id = s.organisation_id"
    )
    found: dict[str, set[str]] = defaultdict(set)
    for person, code, local in select(sql):
        found[person].add(f"{code} {local}")
    return {person: frozenset(records) for person, records in found.items()}


def together() -> set[frozenset[str]]:
    """Which source records are one person."""
    return set(people().values())


def person_of(record: str) -> str:
    """The id of the person whom a source record is about."""
    (found,) = (person for person, records in people().items() if record in records)
    return found


def opened(person: str, *posts: Post) -> tuple[Any, Any]:
    """A viewing of a person and their records, for somebody who works in all three organisations."""
    everywhere = posts or (Post("gp", GP), Post("community_nurse", COMMUNITY), Post("social_worker", COUNCIL))
    viewing = open_record(person_id=person, posts=everywhere, actor=ACTOR, at=AT)
    return viewing, facts.records(viewing)


def lines(person: str, *posts: Post) -> tuple[facts.TimelineLine, ...]:
    """The person's timeline, as far as it goes on one page."""
    viewing, records = opened(person, *posts)
    return facts.timeline_page(viewing, records, limit=200).lines


def titles(record: str) -> list[str]:
    """The titles of the timeline of the person whom a source record is about."""
    return sorted(line.title for line in lines(person_of(record)))


def holds() -> dict[str, int]:
    """How many rows each table of record holds; a submission is an event, so it is left out."""
    tables = ("person", "sourcerecord", "details", "link", "relationship", "item", "itemversion", "indexrow", "entry")
    return {table: select(f"SELECT COUNT(*) FROM record_{table}")[0][0] for table in (*tables, "quarantined")}


def bodies(table: str = "itemversion") -> list[bytes]:
    """The bytes that are kept, in the order in which they came."""
    order = "id" if table == "itemversion" else "submission_id, position"
    return [bytes(row[0]) for row in select(f"SELECT body FROM record_{table} ORDER BY {order}")]


def quarantine() -> list[tuple[bytes, list[dict[str, str]]]]:
    """Each row in quarantine: its bytes, and its reasons."""
    rows = select("SELECT body, reasons FROM record_quarantined ORDER BY submission_id, position")
    return [(bytes(body), json.loads(r) if isinstance(r, str) else r) for body, r in rows]
