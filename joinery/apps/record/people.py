"""Reading who a person is from the source records linked to them: one statement, then pure choice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson

from joinery.apps.base.columns import marks, select
from joinery.apps.record.sql import details, links


@dataclass(frozen=True, slots=True)
class Known:
    """One source record of a person, and the details it states now (none yet for a waiting one)."""

    person_id: str
    record_id: int
    local_id: str
    source_id: int
    feed: str
    organisation: str
    organisation_name: str
    organisation_kind: str
    sector: str
    nhs_number: str
    family_name: str
    given_name: str
    title: str
    preferred_name: str
    birth_date: date | None
    death_date: date | None
    dead: bool
    gender: str
    address: tuple[str, ...]
    restricted: bool
    link_reason: str


@dataclass(frozen=True, slots=True)
class PersonRecords:
    """The source records of the one person of a viewing: read once, used by every fact of a page."""

    known: tuple[Known, ...]


def records_of(person_ids: Sequence[str]) -> dict[str, list[Known]]:
    """The linked source records of people, best source first: the GP, then whoever wrote last."""
    sql = (
        "SELECT k.person_id, k.record_id, r.local_id, so.id, so.feed, o.code, o.name, o.kind, o.sector, d.nhs_number, "
        "d.family_name, d.given_name, d.title, d.preferred_name, d.birth_date, d.death_date, d.dead, "
        "d.gender, d.address, d.restricted, k.reason "
        f"FROM {links()} JOIN record_sourcerecord r ON r.id = k.record_id "
        "JOIN record_source so ON so.id = r.source_id JOIN place_organisation o ON o.id = so.organisation_id "
        f"JOIN {details(on='d.record_id = k.record_id')} "
        f"WHERE k.person_id IN ({marks(person_ids)}) ORDER BY (o.kind = 'gp_practice') DESC, d.id DESC"
    )
    found: dict[str, list[Known]] = defaultdict(list)
    for row in select(sql, person_ids):
        values = list(row)
        values[14], values[15] = as_day(row[14]), as_day(row[15])
        values[16], values[19] = bool(row[16]), bool(row[19])
        values[18] = tuple(orjson.loads(row[18]) if isinstance(row[18], str) else row[18])
        found[row[0]].append(Known(*values))
    return dict(found)


def first(records: Sequence[Known], field: str) -> Any:
    """The golden value of a field: that of the first record that states it, or the last one's nothing."""
    return next((value for r in records if (value := getattr(r, field))), getattr(records[-1], field))


def as_day(value: Any) -> date | None:
    """A date as either database gives it."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def as_moment(value: Any) -> datetime:
    """A moment as either database gives it, in UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    moment: datetime = value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
