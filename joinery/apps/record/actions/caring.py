"""Relationships that begin and end with care: worked out while a file is staged, from what it says of care.

A relationship is written when what the source says comes to something else than what is written already; it counts
with the file. One whose end is known ends on that day by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.db import connection

from joinery.apps.base.columns import as_day, as_moment, insert_rows, marks, reserve_ids, select
from joinery.apps.base.feeds import feed_of
from joinery.apps.place import facts as place
from joinery.apps.record.care import after, care_rules, care_said
from joinery.apps.record.models import Care, Relationship
from joinery.apps.record.rows import CareRow
from joinery.apps.record.sql import cares, details, visit_states
from joinery.calc.involvement import LEFT, NOTHING, OVER, Said, Span, either, involvement, span_of
from joinery.definitions import OWN_FEED

SENDER = "holds_record"
PROVIDER = "commissioned_service"
_VISIT = "visit"
# Who says something, and by whom care is given: a record and an organisation.
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Heard:
    """What was staged of care: the records of which something else is said than before; of which record what is said
    now, and by whom care is given (a code); and the number of its first row."""

    records: set[int]
    said: Sequence[tuple[int, Said, str]] = ()
    first: int = 0


def stage_care(
    submission_id: int, day: date, heard: Sequence[tuple[int, int | None, CareRow]], again: Sequence[int]
) -> Heard:
    """Stage what versions of items say of care, each with the item and the record that it is about now. `again` are
    the items that may have said something before.
    """
    was = _was(again)
    told = set(was.values())
    said: dict[int, tuple[int, Said, str]] = {}
    for item, record, care in heard:
        about, each = record or was.get(item), care.said
        # What never said anything, and says nothing, need not be written down.
        if about and (each.says != NOTHING or item in was):
            # What is over without saying when is over on the day.
            if each.says in (OVER, LEFT) and each.days.to_date is None:
                each = Said(each.says, Span(each.days.from_date, day))
            said[item] = (about, each, care.provider)
            was[item] = about
            told.add(about)
    ids = reserve_ids(Care, len(said))
    insert_rows(
        Care,
        ("id", "record_id", "item_id", "submission_id", "says", "from_date", "to_date", "provider"),
        [
            (
                care_id,
                about,
                item,
                submission_id,
                each.says,
                _stored(each.days.from_date),
                _stored(each.days.to_date),
                by,
            )
            for care_id, (item, (about, each, by)) in zip(ids, said.items(), strict=True)
        ],
    )
    return Heard(told, list(said.values()), ids.start)


def _was(items: Sequence[int]) -> dict[int, int]:
    """The records of which these items last said something."""
    sql = f"SELECT item_id, record_id FROM record_care WHERE item_id IN ({marks(items)}) ORDER BY id"
    return dict(select(sql, items)) if items else {}


def relate(
    submission_id: int, source_id: int, day: date, record_ids: Collection[int], heard: Heard | None = None
) -> None:
    """Write how the sender of a source, and who else gives care, stand to the people of some of its records.

    What was `heard` from it just now need not be read again.
    """
    if not record_ids:
        return
    records = sorted(record_ids)
    ((sender, feed),) = select("SELECT organisation_id, feed FROM record_source WHERE id = %s", [source_id])
    before = _written(submission_id, records)
    died = _died(submission_id, records)
    told, filed = _told(submission_id, sender, feed, records, day, heard or Heard(set()))
    rows = []
    for pair in sorted({*told, *filed, *before, *((record, sender) for record in records)}):
        record, organisation = pair
        assumed = Span() if organisation == sender and feed_of(feed).record_is_care else None
        own = span_of(told.get(pair, ()), died.get(record), assumed)
        now = either(own, span_of(filed.get(pair, ()), died.get(record), None))
        span = _change(before.get(pair), now, day)
        if span:
            basis = SENDER if organisation == sender else PROVIDER
            rows.append((record, organisation, submission_id, basis, *map(_stored, _ends(span))))
    insert_rows(Relationship, ("record_id", "organisation_id", "submission_id", "basis", "from_date", "to_date"), rows)


def _change(before: Span | None, now: Span | None, day: date) -> Span | None:
    """What to write down of an involvement. One of which nothing is said (any more) ends on the day, if it goes on;
    so a hospital that tells of somebody new was involved with them on that day."""
    if now is None:
        if before is not None and before.to_date is not None and before.to_date <= day:
            return None
        now = Span(None, day)
    return involvement(before, now, day)


def _written(submission_id: int, records: Sequence[int]) -> dict[Pair, Span]:
    """The relationships that are written down of these records, by record and organisation."""
    sql = (
        "SELECT r.record_id, r.organisation_id, r.from_date, r.to_date FROM record_relationship r "
        "JOIN record_submission rs ON rs.id = r.submission_id AND (rs.published_at IS NOT NULL OR rs.id = %s) "
        f"WHERE r.record_id IN ({marks(records)}) ORDER BY r.id"
    )
    rows = select(sql, [submission_id, *records])
    return {(record, body): Span(as_day(start), as_day(end)) for record, body, start, end in rows}


def _died(submission_id: int, records: Sequence[int]) -> dict[int, date]:
    """The first day without care of those who have died, as their own source says: another's word may be wrong, or be
    about somebody else, and must not shut out who cares for them."""
    sql = (
        f"SELECT d.record_id, d.death_date, ds.received_at FROM {details(also=_draft(submission_id))} "
        f"WHERE d.dead AND d.record_id IN ({marks(records)})"
    )
    ends = {record: after(as_day(died) or as_moment(received)) for record, died, received in select(sql, records)}
    return {record: end for record, end in ends.items() if end}


def _told(
    submission_id: int, keeper: int, feed: str, records: Sequence[int], day: date, heard: Heard
) -> tuple[dict[Pair, list[Said]], dict[Pair, list[Said]]]:
    """What is said of care for the people of these records, by record and organisation: by whoever keeps the records,
    and by what was filed here. The second must not end what the first leaves open."""
    # Of things that say the same, the first day and the last stand for all; a day that is not said lies beyond any.
    first, last = (
        f"CASE WHEN COUNT(*) = COUNT(c.{day}) THEN {end}(c.{day}) END"
        for day, end in (("from_date", "MIN"), ("to_date", "MAX"))
    )
    unread = f"c.id < {heard.first:d} AND " if heard.said else ""
    sql = (
        f"SELECT c.record_id, {first}, {last}, c.says, c.provider, so.organisation_id, so.feed = %s "
        f"FROM {cares(_draft(submission_id))} JOIN record_source so ON so.id = cs.source_id "
        f"WHERE {unread}c.record_id IN ({marks(records)}) "
        "GROUP BY c.record_id, c.says, c.provider, so.organisation_id, so.feed"
    )
    rows = [
        (record, Said(says, Span(as_day(start), as_day(end))), code, sender, own)
        for record, start, end, says, code, sender, own in select(sql, [OWN_FEED, *records])
    ]
    rows += [(record, said, code, keeper, False) for record, said, code in heard.said]
    codes = sorted({code for _, _, code, _, _ in rows if code})
    providers = {code: body.id for code, body in place.by_codes(codes, place.as_at(day)).items()} if codes else {}
    told: dict[Pair, list[Said]] = defaultdict(list)
    filed: dict[Pair, list[Said]] = defaultdict(list)
    for record, said, code, sender, own in rows:
        by_whom = filed if own else told
        by_whom[record, provider := providers.get(code, sender)].append(said)
        if provider != sender:
            by_whom[record, sender].append(said)
    if _VISIT in care_rules(feed):
        for record, said in _visits(submission_id, feed, records):
            told[record, keeper].append(said)
    return told, filed


def _visits(submission_id: int, feed: str, records: Sequence[int]) -> Iterable[tuple[int, Said]]:
    """What the visits of these people to a hospital say of care."""
    sql = (
        f"SELECT v.record_id, v.state, v.expected_at, v.discharged_at FROM {visit_states(also=_draft(submission_id))} "
        f"WHERE v.record_id IN ({marks(records)})"
    )
    for record, state, expected, discharged in select(sql, records):
        row = {"state": state, "expected_at": _text(expected), "discharged_at": _text(discharged)}
        yield record, care_said(care_rules(feed)[_VISIT], row, None).said


def _text(moment: Any) -> str:
    return as_moment(moment).isoformat() if moment else ""


def _draft(submission_id: int) -> str:
    return f"s.id = {submission_id:d}"


def _ends(span: Span) -> tuple[date | None, date | None]:
    return span.from_date, span.to_date


@lru_cache(maxsize=4096)  # the rows of a file share few days
def _stored(day: date | None) -> Any:
    return connection.ops.adapt_datefield_value(day)
