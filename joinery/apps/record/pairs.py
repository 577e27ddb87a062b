"""What is held of pairs of source records, and of whom they founded: what who is who is worked out from."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joinery.apps.base.columns import as_day, as_moment, marks, select
from joinery.apps.record.merges import merged_into
from joinery.apps.record.sql import STAGED, details, links
from joinery.calc.linkage.identity import Channel, Event, Verdict
from joinery.calc.linkage.ladder import Details

Pair = tuple[int, int]
MACHINE = ("rule", "score")


@dataclass(frozen=True, slots=True)
class HeldEvent:
    """The newest event of a pair and a channel. `reason` of a rule is what agreed; `levels` are a model's."""

    event_id: int
    pair: Pair
    channel: Channel
    verdict: Verdict
    bits: float | None
    levels: str
    model: str
    made_by: str
    note: str
    at: datetime

    def event(self) -> Event:
        """As identity reads it."""
        reason = self.levels if self.channel == "rule" else ""
        return Event(*self.pair, self.channel, self.verdict, self.at, self.bits or 0.0, reason)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a source record says now, as far as linkage asks: its details row, number and names."""

    record_id: int
    details_id: int
    nhs_number: str
    details: Details


def held_events(record_ids: Collection[int], submission_id: int = 0) -> list[HeldEvent]:
    """The events that count in which one of these records takes part, oldest first; published ones, and
    those of the submission that is being staged."""
    counts = "({0}.published_at IS NOT NULL OR {0}.id = %s)"
    select_newest = (
        "SELECT m.id, m.record_id, m.other_id, m.channel, m.verdict, m.bits, m.levels, m.model, m.made_by, m.note, "
        f"m.at FROM record_matchevent m JOIN record_submission ms ON ms.id = m.submission_id AND {counts.format('ms')} "
        f"WHERE m.{{column}} IN ({marks(list(record_ids))}) AND NOT EXISTS (SELECT 1 FROM record_matchevent m2 "
        f"JOIN record_submission ms2 ON ms2.id = m2.submission_id AND {counts.format('ms2')} "
        "WHERE m2.record_id = m.record_id AND m2.other_id = m.other_id AND m2.channel = m.channel AND m2.id > m.id)"
    )
    values = [submission_id, *record_ids, submission_id]
    rows = select(
        f"{select_newest.format(column='record_id')} UNION {select_newest.format(column='other_id')} ORDER BY 1",
        [*values, *values],
    )
    return [
        HeldEvent(event_id, (a, b), channel, verdict, bits, levels, model, made_by, note, as_moment(at))
        for event_id, a, b, channel, verdict, bits, levels, model, made_by, note, at in rows
    ]


def events_with_merges(record_ids: Collection[int], submission_id: int = 0) -> list[Event]:
    """Every event in which one of these records takes part, merges that hospitals told of among them."""
    merged = merged_into(submission_id, record_ids)
    told = [
        Event(losing, into, "hospital", "same", datetime.min.replace(tzinfo=UTC)) for losing, into in merged.items()
    ]
    return [*told, *(held.event() for held in held_events(record_ids, submission_id))]


def founders_of(record_ids: Collection[int]) -> list[tuple[int, str]]:
    """The people whom these records founded: record and id, oldest first. The first link to a person founds them."""
    sql = (
        f"SELECT k.record_id, k.person_id FROM record_link k WHERE k.record_id IN ({marks(list(record_ids))}) "
        "AND NOT EXISTS (SELECT 1 FROM record_link k2 WHERE k2.person_id = k.person_id AND k2.id < k.id) ORDER BY k.id"
    )
    return [(record, person) for record, person in select(sql, list(record_ids))]


def founding_record(person_id: str) -> int | None:
    """The record that founded this person, of those that are about them now: what is decided about the person hangs
    on it. None when the id is nobody's now."""
    records = records_linked_to(person_id)
    founders = [record for record, person in founders_of(records) if person == person_id]
    return next(iter(founders), min(records, default=None))


def linked_to(record_ids: Collection[int], submission_id: int = 0) -> dict[int, str]:
    """Whom each of these records is linked to now."""
    ids = list(record_ids)
    sql = f"SELECT k.record_id, k.person_id FROM {links(also=STAGED)} WHERE k.record_id IN ({marks(ids)})"
    return dict(select(sql, [submission_id, submission_id, *ids]))


def records_linked_to(person_id: str) -> list[int]:
    """The records that are about this person now, by id."""
    return [
        row[0] for row in select(f"SELECT k.record_id FROM {links()} WHERE k.person_id = %s ORDER BY 1", [person_id])
    ]


def whose(person_id: str) -> str | None:
    """Under which id the person is known now who was once known by this one: whom the record that founded
    them is about. None when nobody ever had this id."""
    sql = (
        f"SELECT k.person_id FROM {links()} WHERE k.record_id = (SELECT f.record_id FROM record_link f "
        "JOIN record_submission f_s ON f_s.id = f.submission_id AND f_s.published_at IS NOT NULL "
        "WHERE f.person_id = %s ORDER BY f.id LIMIT 1)"
    )
    if records_linked_to(person_id):
        return person_id
    return next((person for (person,) in select(sql, [person_id])), None)


def statements(column: str, values: Iterable[Any], submission_id: int = 0) -> list[Statement]:
    """What the records say now of which a column of their details holds one of the values."""
    wanted = list(values)
    if not wanted:
        return []
    sql = (
        "SELECT d.record_id, d.id, d.nhs_number, d.family_name, d.given_name, d.birth_date "
        f"FROM {details(also=STAGED)} WHERE {column} IN ({marks(wanted)})"
    )
    return [
        Statement(record, details_id, number, Details(family, given, as_day(born)))
        for record, details_id, number, family, given, born in select(sql, [submission_id, submission_id, *wanted])
    ]


def same_numbers(numbers: Iterable[str], submission_id: int = 0) -> list[Statement]:
    """What the records say that carry one of these NHS numbers."""
    # The index on numbers leaves out the empty one, and SQLite uses it only when told so.
    return statements("NOT (d.nhs_number = '') AND d.nhs_number", sorted(set(numbers) - {""}), submission_id)


def waiting_count() -> int:
    """How many pairs wait for people."""
    sql = (
        "SELECT COUNT(*) FROM record_reviewitem w JOIN record_submission ws ON ws.id = w.submission_id "
        "AND ws.published_at IS NOT NULL WHERE w.why <> '' AND NOT EXISTS (SELECT 1 FROM record_reviewitem w2 "
        "JOIN record_submission ws2 ON ws2.id = w2.submission_id AND ws2.published_at IS NOT NULL "
        "WHERE w2.record_id = w.record_id AND w2.other_id = w.other_id AND w2.id > w.id)"
    )
    return int(select(sql)[0][0])


def waiting(record_ids: Collection[int], submission_id: int = 0) -> dict[Pair, tuple[str, float | None]]:
    """The pairs with one of these records that wait for people: why, and their bits."""
    counts = "({0}.published_at IS NOT NULL OR {0}.id = %s)"
    newest = (
        "SELECT w.record_id, w.other_id, w.why, w.bits FROM record_reviewitem w "
        f"JOIN record_submission ws ON ws.id = w.submission_id AND {counts.format('ws')} "
        f"WHERE w.{{column}} IN ({marks(list(record_ids))}) AND NOT EXISTS (SELECT 1 FROM record_reviewitem w2 "
        f"JOIN record_submission ws2 ON ws2.id = w2.submission_id AND {counts.format('ws2')} "
        "WHERE w2.record_id = w.record_id AND w2.other_id = w.other_id AND w2.id > w.id) AND w.why <> ''"
    )
    values = [submission_id, *record_ids, submission_id]
    # A pair that is found both ways is the same twice: to look for that takes SQLite longer than all the rest.
    both = f"{newest.format(column='record_id')} UNION ALL {newest.format(column='other_id')}"
    rows = select(both, [*values, *values])
    return {(a, b): (why, bits) for a, b, why, bits in rows}
