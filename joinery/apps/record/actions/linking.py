"""Which person a source record is about: a valid NHS number, and details that agree with it.

Every number that is said now, or was said before by a record that says something else now, is worked
out anew from what all its records say. So the files of a place may arrive in any order: who is who ends
the same. A person keeps their id as long as one of their records does.

A number that a hospital merged into another follows it: it is looked up, and has no say of its own until
the merge is taken back.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from joinery.apps.base.columns import insert_rows, marks, select, stored
from joinery.apps.record import sql as reading
from joinery.apps.record.merges import MERGED, merged_into
from joinery.apps.record.models import Link, Person
from joinery.apps.record.rows import DetailsRow
from joinery.calc.linkage.ladder import Details, agrees, same_people


@dataclass(frozen=True, slots=True)
class Known:
    """A source record: whose it is (nobody's yet: empty), what it says, and which number it gave before.

    `linked_to` is whom it is linked to now: another than `person_id`, when a merge was taken back.
    """

    record_id: int
    person_id: str
    nhs_number: str
    details: Details
    number_before: str = ""
    linked_to: str = ""
    merged: bool = False


def link_records(submission_id: int, at: datetime, said: dict[int, DetailsRow], also: Sequence[int] = ()) -> None:
    """Link each record (by id) to a person, as one event each; a record that stays leaves no event.

    Other records with the same numbers move too, where what is said now joins or parts them. `also` are
    records that a merge is about.
    """
    links: list[tuple[Any, ...]] = []
    people: list[tuple[str]] = []
    taken: set[str] = set()
    person_of: dict[int, str] = {}
    records, into = _apart_from_merged(submission_id, _records(submission_id, said, also))
    groups = _groups([k for k in records if k.record_id not in into])
    for group, same_number in sorted(groups, key=_who_keeps_the_id):
        person_id = next((k.person_id for k in group if k.person_id and k.person_id not in taken), "")
        founder = None
        if not person_id:
            founder, person_id = group[0], secrets.token_hex(10)
            people.append((person_id,))
        taken.add(person_id)
        for each in group:
            person_of[each.record_id] = person_id
            if each.linked_to != person_id:
                reason = _founding(each, group, same_number) if each is founder else _joining(each, group)
                links.append((each.record_id, person_id, submission_id, stored(at), reason))
    for each in (k for k in records if k.record_id in into):
        person_id = person_of.get(into[each.record_id], "")
        if person_id and person_id != each.linked_to:
            links.append((each.record_id, person_id, submission_id, stored(at), MERGED))
    insert_rows(Person, ("id",), people)
    insert_rows(Link, ("record_id", "person_id", "submission_id", "at", "reason"), links)


def _who_keeps_the_id(group: tuple[list[Known], list[Known]]) -> tuple[bool, int]:
    """When a person's records part: those with a number before those without, then the earliest linked."""
    linked = (k.record_id for k in group[0] if k.person_id)
    return not group[0][0].nhs_number, next(linked, 2**63)


def _groups(records: Sequence[Known]) -> list[tuple[list[Known], list[Known]]]:
    """Each person's records, by record id, and with them all the records that carry the same number."""
    by_number: dict[str, list[Known]] = defaultdict(list)
    groups = []
    for each in records:
        if each.nhs_number:
            by_number[each.nhs_number].append(each)
        else:
            groups.append(([each], [each]))
    for same_number in by_number.values():
        for positions in same_people([k.details for k in same_number]):
            groups.append(([same_number[i] for i in positions], same_number))
    return groups


def _founding(each: Known, group: list[Known], same_number: list[Known]) -> str:
    """Why a record begins a person."""
    if each.person_id and each.nhs_number != each.number_before:
        return "number_changed"
    return "first_record" if len(group) == len(same_number) else "kept_apart"


def _joining(each: Known, group: list[Known]) -> str:
    """Why a record is about the person of the others in its group."""
    reasons = [agrees(each.details, other.details) for other in group if other is not each]
    if not any(agreed for agreed, _ in reasons):
        return "unmerged"
    return "nhs_number_and_" + min(why for agreed, why in reasons if agreed)


def _records(submission_id: int, said: dict[int, DetailsRow], also: Sequence[int]) -> list[Known]:
    """The records in `said` and `also`, and all that carry a number which one of these says or said before."""
    before = {k.record_id: k for k in _known(submission_id, "d.record_id", [*said, *also])}
    numbers = {d.nhs_number for d in said.values()} | {k.nhs_number for k in before.values()}
    # The index on numbers leaves out the empty one, and SQLite uses it only when told so.
    others = _known(submission_id, "NOT (d.nhs_number = '') AND d.nhs_number", sorted(numbers - {""}))
    records = {k.record_id: k for k in (*before.values(), *others) if k.record_id not in said}
    for record_id, row in said.items():
        old = before.get(record_id)
        details = Details(row.family_name, row.given_name, row.birth_date)
        now = Known(record_id, "", row.nhs_number, details)
        if old:
            now = replace(old, nhs_number=row.nhs_number, details=details)
        records[record_id] = now
    return [records[record_id] for record_id in sorted(records)]


def _apart_from_merged(submission_id: int, records: list[Known]) -> tuple[list[Known], dict[int, int]]:
    """The records, with those that merges tie to them; and into which record each merged one went.

    One whose merge was taken back is again who it was before.
    """
    into = merged_into(submission_id, [k.record_id for k in records])
    there = {k.record_id for k in records}
    tied = sorted({*into, *into.values()} - there)
    records = sorted([*records, *(_known(submission_id, "d.record_id", tied) if tied else [])], key=_by_id)
    parted = [k.record_id for k in records if k.merged and k.record_id not in into]
    sql = (
        "SELECT k.record_id, k.person_id FROM record_link k JOIN record_submission s ON s.id = k.submission_id "
        f"WHERE (s.published_at IS NOT NULL OR s.id = %s) AND k.reason <> %s AND k.record_id IN ({marks(parted)}) "
        "ORDER BY k.id"
    )
    was = dict(select(sql, [submission_id, MERGED, *parted])) if parted else {}
    return [replace(k, person_id=was.get(k.record_id, "")) if k.record_id in parted else k for k in records], into


def _by_id(known: Known) -> int:
    return known.record_id


def _known(submission_id: int, column: str, values: Sequence[Any]) -> list[Known]:
    """The linked records of which a column holds one of the values, with what they say."""
    also = f"s.id = {int(submission_id)}"
    details = reading.details(also=also)
    links = reading.links(on="k.record_id = d.record_id", also=also)
    sql = (
        "SELECT d.record_id, k.person_id, d.nhs_number, d.family_name, d.given_name, d.birth_date, k.reason "
        f"FROM {details} JOIN {links} WHERE {column} IN ({marks(values)})"
    )
    return [
        Known(record, person, number, Details(family, given, _day(born)), number, person, reason == MERGED)
        for record, person, number, family, given, born, reason in select(sql, values)
    ]


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value
