"""Which person a source record is about: a valid NHS number, and details that agree with it."""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from joinery.apps.base.columns import insert_rows, marks, select, stored
from joinery.apps.record import sql as reading
from joinery.apps.record.models import Link, Person
from joinery.apps.record.rows import DetailsRow
from joinery.calc.linkage.ladder import Details, agrees


@dataclass(frozen=True, slots=True)
class Known:
    """A record that is linked already: whose it is, and what it says."""

    record_id: int
    person_id: str
    nhs_number: str
    details: Details


def link_records(submission_id: int, at: datetime, said: dict[int, DetailsRow]) -> None:
    """Link each record (by id) to a person, as one event each; a record that stays leaves no event."""
    known = _known(submission_id, said)
    of_record = {k.record_id: k for k in known}
    by_number: dict[str, list[Known]] = defaultdict(list)
    of_person: dict[str, list[Known]] = defaultdict(list)
    for each in known:
        of_person[each.person_id].append(each)
        if each.nhs_number and each.record_id not in said:
            by_number[each.nhs_number].append(each)
    people: list[tuple[str]] = []
    links: list[tuple[Any, ...]] = []
    for record_id, row in said.items():
        details = Details(row.family_name, row.given_name, row.birth_date)
        now = of_record.get(record_id)
        others = [o for o in of_person[now.person_id] if o.record_id != record_id] if now else []
        person_id, reason = _decide(row.nhs_number, details, by_number[row.nhs_number], now, others)
        if not person_id:
            person_id = secrets.token_hex(10)
            people.append((person_id,))
        if reason:
            links.append((record_id, person_id, submission_id, stored(at), reason))
        if row.nhs_number:
            by_number[row.nhs_number].append(Known(record_id, person_id, row.nhs_number, details))
    insert_rows(Person, ("id",), people)
    insert_rows(Link, ("record_id", "person_id", "submission_id", "at", "reason"), links)


def _decide(
    number: str, details: Details, same_number: list[Known], now: Known | None, others: list[Known]
) -> tuple[str, str]:
    """The person (empty: a new one) and the reason of the link (empty: it stays as it is)."""
    conflict = False
    if number:
        for each in same_number:
            agreed, why = agrees(details, each.details)
            if agreed:
                stays = now is not None and now.person_id == each.person_id
                return each.person_id, "" if stays else f"nhs_number_and_{why}"
            conflict = True
    if now is None:
        return "", "kept_apart" if conflict else "first_record"
    if number and any(o.nhs_number and o.nhs_number != number for o in others):
        return "", "number_changed"
    return now.person_id, ""


def _known(submission_id: int, said: dict[int, DetailsRow]) -> list[Known]:
    """Linked records that share a number with `said`, are in it, or share a person with one in it."""
    also = f"s.id = {int(submission_id)}"
    details = reading.details(also=also)
    links = reading.links(on="k.record_id = d.record_id", also=also)
    numbers = sorted({d.nhs_number for d in said.values() if d.nhs_number})
    sql = (
        "SELECT d.record_id, k.person_id, d.nhs_number, d.family_name, d.given_name, d.birth_date "
        f"FROM {details} JOIN {links} "
        f"WHERE d.nhs_number IN ({marks(numbers)}) OR k.person_id IN (SELECT m.person_id FROM record_link m "
        f"WHERE m.record_id IN ({marks(list(said))})) ORDER BY d.record_id"
    )
    return [
        Known(record, person, number, Details(family, given, _day(born)))
        for record, person, number, family, given, born in select(sql, [*numbers, *said])
    ]


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value
